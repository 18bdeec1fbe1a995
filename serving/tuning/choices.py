"""What follows from a measured curve: threads, batch size, delay, and where runs happen. No clocks and no files here."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from contracts.routes import RevisionSettings
from contracts.workers import Choice, CurvePoint

MAX_BATCH_ROWS: Final = 64
"""Rows of one run where nothing could be measured."""
ENOUGH: Final = 0.98
"""A smaller batch does if it gives so much of the best rows per second: it answers sooner."""
THREADS_GAIN: Final = 1.1
"""More threads must give so much more: they are taken from the others on the machine."""
HOPS_INLINE: Final = 10
"""A run happens on the event loop if handing it to a thread would add a tenth or more to its time …"""
LONGEST_INLINE_US: Final = 500.0
"""… and nobody else has to wait longer than this for the loop."""
SMALL_PART: Final = 0.05
"""Of a run's time: without a latency goal, those that a run has answered may take so long to come back."""
REJOIN_US: Final = (50.0, 900.0)
"""The shortest such wait in which anybody can come back, and the longest that needs no timer."""
PINNED: Final = "The deployment's settings say so."


class Circumstances(Struct, frozen=True, kw_only=True):
    """What is known of a model and its server beside the curve."""

    joins: bool
    """Requests may share a run."""
    cost_follows_rows: bool
    """What a run costs depends on its number of rows, and on nothing else in the requests."""
    cores: int
    hop_us: float
    queue_rows: int
    timeout_ms: int
    threads: int = 0
    """The operator's setting for every session; 0 if there is none."""
    compares_threads: bool = True
    """False: the model is too large to be in memory twice, so only one thread count was measured."""


class Decision(Struct, frozen=True):
    """How a model is served."""

    threads: int
    max_batch_size: int
    max_delay_us: int
    """How long a request waits for company even if the model is idle: never chosen, only pinned."""
    rejoin_us: int
    """How long, right after a run, those it answered are waited for."""
    inline_rows: int
    max_queue_rows: int
    timeout_s: float
    choices: tuple[Choice, ...]
    """Every one of these values with its reason."""


def decide(points: Sequence[CurvePoint], settings: RevisionSettings, known: Circumstances) -> Decision:
    """What is pinned in `settings` holds; the rest follows from `points`, of which there may be none."""
    threads = _threads(points, settings, known)
    curve = [it for it in points if it.threads == int(threads.value)]
    size = _batch_size(curve, settings, known)
    execution, inline_rows = _execution(curve, settings, known)
    delay = _delay(curve, int(size.value), inline_rows, settings)
    queue = _limit("max_queue_rows", settings.batching.max_queue_rows, known.queue_rows)
    timeout = _limit("timeout_ms", settings.batching.timeout_ms, known.timeout_ms)
    return Decision(
        int(threads.value),
        int(size.value),
        int(delay.value) if delay.is_pinned else 0,
        0 if delay.is_pinned else int(delay.value),
        inline_rows,
        int(queue.value),
        int(timeout.value) / 1000,
        (execution, threads, size, delay, queue, timeout),
    )


def best_threads(points: Sequence[CurvePoint], goal_ms: float | None = None) -> int:
    """The fewest threads than which more do not give `THREADS_GAIN` times the rows per second; 0 if nothing was measured."""
    best, best_rate = 0, 0.0
    for threads in sorted({it.threads for it in points}):
        rate = max(_rate(it) for it in _within([it for it in points if it.threads == threads], goal_ms))
        if rate > best_rate * THREADS_GAIN:
            best, best_rate = threads, rate
    return best


def _threads(points: Sequence[CurvePoint], settings: RevisionSettings, known: Circumstances) -> Choice:
    name = "intra_op_threads"
    if settings.execution.intra_op_threads is not None:
        return Choice(name, str(settings.execution.intra_op_threads), PINNED, True)
    if known.threads:
        return Choice(name, str(known.threads), "The server's settings say so for every model.", False)
    best = best_threads(points, settings.latency_goal_ms)
    counts = sorted({it.threads for it in points})
    if len(counts) < 2:
        reason = "A run takes too long to compare other numbers of threads within the time for tuning."
        if known.cores == 1:
            reason = "The process has one core."
        elif not counts:
            reason = "All cores; no input was found that the model takes, so nothing could be measured."
        elif not known.compares_threads:
            reason = "All cores; the model is too large to be loaded a second time for a comparison."
        return Choice(name, str(best or known.cores), reason, False)
    rates = {
        count: max(_rate(it) for it in _within([it for it in points if it.threads == count], settings.latency_goal_ms))
        for count in counts
    }
    told = ", ".join(f"{count}: {_count(rate)} rows/s" for count, rate in rates.items())
    return Choice(name, str(best), f"More threads must give a tenth more rows per second ({told}).", False)


def _batch_size(curve: Sequence[CurvePoint], settings: RevisionSettings, known: Circumstances) -> Choice:
    name, goal_ms = "max_batch_size", settings.latency_goal_ms
    if not known.joins:
        return Choice(name, "1", "Requests to this model never share a run: its rows are not independent of each other.", False)
    if settings.batching.max_batch_size is not None:
        return Choice(name, str(settings.batching.max_batch_size), PINNED, True)
    if not curve:
        return Choice(name, str(MAX_BATCH_ROWS), "Nothing was measured with this number of threads; this is the default.", False)
    allowed = _within(curve, goal_ms)
    fastest = max(allowed, key=_rate)
    chosen = min((it for it in allowed if _rate(it) >= ENOUGH * _rate(fastest)), key=lambda it: it.rows)
    reason = f"Runs of {_rows(chosen)} give {_count(_rate(chosen))} rows/s; larger ones were not measured to give notably more."
    if max(it.rows for it in curve) == chosen.rows:
        reason = f"Runs of {_rows(chosen)} give {_count(_rate(chosen))} rows/s, the most of all that were measured."
    if goal_ms is not None and 2 * chosen.run_us > goal_ms * 1000:
        reason = f"A latency goal of {goal_ms:g} ms has no room for two runs, and a run of {_rows(chosen)} takes {_time(chosen)}."
    elif goal_ms is not None and len(allowed) < len(curve):
        reason = f"A request may wait for one run and take part in the next: two of {_time(chosen)} fit into {goal_ms:g} ms."
    return Choice(name, str(chosen.rows), reason, False)


def _execution(curve: Sequence[CurvePoint], settings: RevisionSettings, known: Circumstances) -> tuple[Choice, int]:
    name, mode = "execution", settings.execution.mode
    if mode is not None:
        return Choice(name, mode, PINNED, True), 1 << 62 if mode == "inline" else 0
    if not known.cost_follows_rows or not curve:
        return Choice(name, "thread", "How long a run takes depends on its inputs, and the event loop must not wait.", False), 0
    limit_us = min(HOPS_INLINE * known.hop_us, LONGEST_INLINE_US)
    quick = [it for it in curve if it.run_us <= limit_us]
    hop = f"a thread and back takes {known.hop_us:.0f} us"
    if not quick:
        first = min(curve, key=lambda it: it.rows)
        return Choice(name, "thread", f"A run takes {_time(first)}, too long for the event loop; {hop}.", False), 0
    most = max(quick, key=lambda it: it.rows)
    return Choice(name, "inline", f"A run of up to {_rows(most)} takes {_time(most)}; {hop}.", False), most.rows


def _delay(curve: Sequence[CurvePoint], size: int, inline_rows: int, settings: RevisionSettings) -> Choice:
    """What is pinned is a wait for company even if the model is idle; what is chosen, one behind a run for those it answered."""
    name, goal_ms = "max_delay_us", settings.latency_goal_ms
    if settings.batching.max_delay_us is not None:
        return Choice(name, str(settings.batching.max_delay_us), PINNED, True)
    reason = "An idle model starts at once; while it is busy, requests gather without being made to wait."
    full = max((it for it in curve if it.rows <= size), key=lambda it: it.rows, default=None)
    if full is None or inline_rows:
        return Choice(name, "0", reason, False)
    saved_us = _saved_us(curve, full)
    bound_us = SMALL_PART * full.run_us if goal_ms is None else (goal_ms * 1000 - 2 * full.run_us) / 2
    shortest_us, longest_us = REJOIN_US
    wait_us = min(saved_us, bound_us, longest_us)  # it mostly ends sooner: when they are back
    if wait_us < shortest_us:
        return Choice(name, "0", reason, False)
    reason = (
        f"A run that is spared by a larger one saves {saved_us:.0f} us: right after a run, those it answered may take "
        f"{wait_us:.0f} us to come back and share the next. An idle model starts at once."
    )
    return Choice(name, str(round(wait_us)), reason, False)


def _saved_us(curve: Sequence[CurvePoint], full: CurvePoint) -> float:
    """What each run costs that `full` spares, if its rows come in smaller runs of half of them at most; 0 if that is unknown."""
    part = max((it for it in curve if 2 * it.rows <= full.rows), key=lambda it: it.rows, default=None)
    if part is None:
        return 0.0
    runs = full.rows / part.rows
    return (runs * part.run_us - full.run_us) / (runs - 1)


def _limit(name: str, pinned: int | None, default: int) -> Choice:
    if pinned is not None:
        return Choice(name, str(pinned), PINNED, True)
    return Choice(name, str(default), "The server's settings say so for every model.", False)


def _within(curve: Sequence[CurvePoint], goal_ms: float | None) -> Sequence[CurvePoint]:
    """Those whose run fits twice into the goal; the quickest alone if none does."""
    if goal_ms is None:
        return curve
    return [it for it in curve if 2 * it.run_us <= goal_ms * 1000] or [min(curve, key=lambda it: it.run_us)]


def _rate(point: CurvePoint) -> float:
    """Rows per second."""
    return point.rows / point.run_us * 1e6


def _rows(point: CurvePoint) -> str:
    return "1 row" if point.rows == 1 else f"{point.rows} rows"


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _time(point: CurvePoint) -> str:
    return f"{point.run_us:.0f} us" if point.run_us < 1000 else f"{point.run_us / 1000:.3g} ms"
