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
PINNED: Final = "The deployment's settings say so."


class Circumstances(Struct, frozen=True, kw_only=True):
    """What is known of a model and its server beside the curve."""

    joins: bool
    """Requests may share a run."""
    has_fixed_rows: bool
    """All rows have the same shape."""
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
    delay = _delay(settings)
    queue = _limit("max_queue_rows", settings.batching.max_queue_rows, known.queue_rows)
    timeout = _limit("timeout_ms", settings.batching.timeout_ms, known.timeout_ms)
    return Decision(
        int(threads.value),
        int(size.value),
        int(delay.value),
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
    if not known.has_fixed_rows or not curve:
        return Choice(name, "thread", "How long a run takes depends on its inputs, and the event loop must not wait.", False), 0
    limit_us = min(HOPS_INLINE * known.hop_us, LONGEST_INLINE_US)
    quick = [it for it in curve if it.run_us <= limit_us]
    hop = f"a thread and back takes {known.hop_us:.0f} us"
    if not quick:
        first = min(curve, key=lambda it: it.rows)
        return Choice(name, "thread", f"A run takes {_time(first)}, too long for the event loop; {hop}.", False), 0
    most = max(quick, key=lambda it: it.rows)
    return Choice(name, "inline", f"A run of up to {_rows(most)} takes {_time(most)}; {hop}.", False), most.rows


def _delay(settings: RevisionSettings) -> Choice:
    if settings.batching.max_delay_us is not None:
        return Choice("max_delay_us", str(settings.batching.max_delay_us), PINNED, True)
    reason = "An idle model starts at once; while it is busy, requests gather without being made to wait."
    return Choice("max_delay_us", "0", reason, False)


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
