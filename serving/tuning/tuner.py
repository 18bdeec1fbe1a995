"""Opens a model with the number of threads that suits it: from an earlier measurement, or from one made now."""

import logging
import threading
import time
from pathlib import Path
from typing import Final

import onnxruntime as ort
from msgspec import Struct

from contracts.routes import RevisionSettings
from contracts.workers import CurvePoint
from serving.sessions import Runner, Signature, Source, has_batch_dimension, signature_of
from serving.trials import Inputs, find_trial, is_rowwise
from serving.tuning.choices import best_threads
from serving.tuning.machine import cores, describe_cpu
from serving.tuning.measuring import MAX_ROWS, doublings, measure_rows, thread_counts
from serving.tuning.store import Curve, Directory, name_of, read_curve, write_curve

logger = logging.getLogger(__name__)

EXAMPLE_KEY: Final = "headrace.example"
"""Key of the file's metadata under which it may bring inputs that work."""
COMPARABLE_BYTES: Final = 256 << 20
"""Larger files are not loaded a second time to compare numbers of threads."""
CURVES_BYTES: Final = 8 << 20
OPTIMIZED_BYTES: Final = 4 << 30
UNDISTURBED: Final = 0.8
"""What a thread that does nothing but run a model has of a processor at least, if nobody else wants it."""
NOTHING: Final = Curve((), 0.0, 0.0)
_measuring: Final = threading.Lock()
"""Two models that are measured at the same time would measure each other."""


class Opened:
    """A session with what was seen when it was tried."""

    def __init__(self, source: Source, name: str, threads: int) -> None:
        """Raises ModelNotLoadable."""
        started = time.perf_counter()
        self.threads = threads
        self.session = source.open(threads)
        self.runner = Runner(self.session, name)
        self.took_s = time.perf_counter() - started


class Trial(Struct, frozen=True):
    """What running a model on made-up inputs has shown."""

    signature: Signature
    inputs: Inputs | None
    """None: it takes nothing that could be made up."""
    joins: bool
    """Requests may share a run."""

    @property
    def row(self) -> Inputs:
        """The inputs' first row, or all there is where requests are not joined."""
        inputs = self.inputs or {}
        return {name: it[:1] for name, it in inputs.items()} if self.joins else inputs


class Tuner:
    """Opens and measures one model."""

    def __init__(self, path: Path, name: str, digest: str, cache: Path | None, settings: RevisionSettings, threads: int) -> None:
        """`digest` names the file's content; `threads`, unless 0, is what the operator wants every session to have."""
        self._name, self._settings = name, settings
        self.source = Source(path, digest, Directory(cache / "optimized", OPTIMIZED_BYTES) if cache is not None else None)
        self._curves = Directory(cache / "curves", CURVES_BYTES) if cache is not None and digest else None
        self.compares_threads = self.source.size_bytes <= COMPARABLE_BYTES
        wanted = settings.execution.intra_op_threads or threads
        self._threads = [wanted] if wanted else thread_counts(cores()) if self.compares_threads else [cores()]
        self._is_disturbed = False
        self._max_rows = min(settings.batching.max_batch_size or MAX_ROWS, MAX_ROWS)
        self._curve_name = name_of("curve", digest, ort.__version__, describe_cpu(), cores(), self._threads, self._max_rows)

    def tune(self, budget_s: float) -> tuple[Opened, Trial, Curve]:
        """The model opened with the threads that pay. Raises ModelNotLoadable."""
        curve = read_curve(self._curves, self._curve_name) if self._curves is not None else None
        is_good = curve is not None and not curve.is_disturbed
        known = best_threads(curve.points, self._settings.latency_goal_ms) if curve is not None and is_good else 0
        opened = Opened(self.source, self._name, known or self._threads[0])
        trial = _try(opened)
        if not is_good and trial.inputs is not None:
            with _measuring:
                opened, measured = self._measure(opened, trial, budget_s)
            curve = measured if curve is None else measured.with_quickest_of(curve)
            if self._curves is not None:
                write_curve(self._curves, self._curve_name, curve)
        return opened, trial, curve or NOTHING

    def _measure(self, opened: Opened, trial: Trial, budget_s: float) -> tuple[Opened, Curve]:
        self._is_disturbed = False
        started, measured_at = time.perf_counter(), time.time()
        ends = started + budget_s
        points = self._measure_rows(opened, trial, ends)
        for threads in self._threads[1:]:
            slower = max(1.0, opened.threads / threads)
            if time.perf_counter() + opened.took_s + 5 * slower * points[0].run_us / 1e6 > ends:
                logger.info("model %s: no time to measure %d threads", self._name, threads)
                break
            other = Opened(self.source, self._name, threads)
            points += self._measure_rows(other, trial, ends)
            if best_threads(points, self._settings.latency_goal_ms) == threads:
                opened = other
        if self._is_disturbed:
            logger.info("model %s was measured beside other work, and will be measured again when it is next loaded", self._name)
        return opened, Curve(tuple(points), measured_at, round(time.perf_counter() - started, 4), self._is_disturbed)

    def _measure_rows(self, opened: Opened, trial: Trial, ends: float) -> list[CurvePoint]:
        sizes = doublings(self._max_rows) if trial.joins else (1,)
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        points = measure_rows(opened.runner.run, trial.signature.output_names, trial.row, sizes, opened.threads, ends)
        worked = (time.thread_time() - began_cpu_s) / (time.perf_counter() - began_s)
        if opened.threads == 1 and worked < UNDISTURBED:  # where there are more threads, they wait for each other
            self._is_disturbed = True
        return points


def _try(opened: Opened) -> Trial:
    signature = signature_of(opened.session)
    run, names = opened.runner.run, signature.output_names
    inputs = find_trial(signature, run, opened.session.get_modelmeta().custom_metadata_map.get(EXAMPLE_KEY))
    joins = inputs is not None and has_batch_dimension(opened.session, signature) and is_rowwise(inputs, run, names)
    return Trial(signature, inputs, joins)
