"""One ONNX model in memory: loaded, warmed up, and answering through its batcher."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from contracts.routes import RevisionSettings
from contracts.workers import Tuning
from serving.batch_statistics import Statistics
from serving.batcher import Batcher, BatchPlan
from serving.classification import labels_of
from serving.errors import PaddingRefused
from serving.memory import Growth, trim
from serving.padding import PaddingRule
from serving.padding_trial import prove_padding
from serving.requests import RequestDecoder
from serving.responses import ResponseEncoder
from serving.sessions import Signature, free_axes
from serving.tensors import Array
from serving.trials import reads_texts
from serving.tuning.choices import Circumstances, decide
from serving.tuning.machine import cores, hop_us
from serving.tuning.tuner import Opened, Trial, Tuner

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S: Final = 60.0
WARM_UP_RUNS: Final = 5
WARM_UP_S: Final = 0.1


class Model:
    """A loaded model. `submit` is for the event loop's thread; `close` blocks."""

    def __init__(
        self,
        name: str,
        version: str,
        signature: Signature,
        batcher: Batcher,
        plan: BatchPlan,
        tuning: Tuning,
        memory_bytes: int,
        metadata: Mapping[str, str],
        example: Mapping[str, Array],
    ) -> None:
        self.name, self.version = name, version
        self.inputs, self.outputs, self.output_names = signature.inputs, signature.outputs, signature.output_names
        self.joins = plan.joins
        """Whether requests may share a run: all inputs have one first dimension, and no row's answer depends on the others."""
        self.plan = plan
        self.tuning = tuning
        """What was measured, and why the plan is what it is."""
        self.decoder = RequestDecoder(signature.inputs, signature.outputs, is_batched=plan.joins)
        self.encoder = ResponseEncoder(name, version, signature.outputs, labels_of(metadata), is_batched=plan.joins)
        self.memory_bytes = memory_bytes
        """By how much the process grew when it was loaded; the file's size where that could not be told."""
        self.metadata = metadata
        """The file's own; `headrace.*` keys are ours."""
        self.example = example
        """Inputs that it has taken, one row; none if nothing was found that it takes."""
        self._batcher = batcher
        self.submit = batcher.submit
        """Runs a request for a caller and settles its ticket, on the loop. Raises QueueFull or ModelClosed."""

    @property
    def statistics(self) -> Statistics:
        """What it has done."""
        return self._batcher.statistics

    @property
    def queued_rows(self) -> int:
        return self._batcher.queued_rows

    @property
    def in_flight(self) -> int:
        """Requests queued or running."""
        return self._batcher.in_flight

    def close(self) -> None:
        """Answer what is queued, then give the memory back."""
        self._batcher.close(CLOSE_TIMEOUT_S)
        trim()


def load_model(
    path: Path,
    *,
    name: str,
    version: str,
    settings: RevisionSettings = RevisionSettings(),  # noqa: B008 - frozen
    digest: str = "",
    cache: Path | None = None,
    intra_op_threads: int = 0,
    queue_rows: int = 10_000,
    timeout_s: float = 30.0,
    tuning_budget_s: float = 1.5,
) -> Model:
    """Load `path`, try and measure it, and serve it as that says, or as `settings` pin it. Blocks; for a thread.

    `digest` is the file's SHA-256; with it and `cache`, a directory, the next start need not measure and optimise again. The
    rest holds where `settings` say nothing. Raises ModelNotLoadable.
    """
    with Growth() as growth:
        tuner = Tuner(path, name, digest, cache, settings, intra_op_threads)
        opened, trial, curve = tuner.tune(tuning_budget_s)
        has_fixed_rows = all(-1 not in it.shape[1:] for it in trial.signature.inputs)
        known = Circumstances(
            joins=trial.joins,
            cost_follows_rows=_cost_follows_rows(trial, opened),
            cores=cores(),
            hop_us=hop_us(),
            queue_rows=queue_rows,
            timeout_ms=round(timeout_s * 1000),
            threads=intra_op_threads,
            compares_threads=tuner.compares_threads,
        )
        decision = decide(curve.points, settings, known)
        if decision.threads != opened.threads:
            opened = Opened(tuner.source, name, decision.threads)
        padding = _padding_rule(settings, opened, trial)
        plan = BatchPlan(
            joins=trial.joins,
            has_fixed_rows=has_fixed_rows,
            inline_rows=decision.inline_rows,
            max_batch_size=decision.max_batch_size,
            max_delay_us=decision.max_delay_us,
            rejoin_us=decision.rejoin_us,
            max_queue_rows=decision.max_queue_rows,
            timeout_s=decision.timeout_s,
            padding=padding,
        )
        opened.runner.give_back()
        _warm_up(opened, trial)
    choices = decision.choices if padding is None else (*decision.choices, padding.describe())
    for choice in choices:
        logger.info("model %s version %s: %s is %s. %s", name, version, choice.name, choice.value, choice.reason)
    tuning = Tuning(curve.points, choices, curve.measured_at, curve.took_s)
    memory_bytes = growth.bytes or tuner.source.size_bytes
    return Model(
        name,
        version,
        trial.signature,
        Batcher(name, opened.runner.run, plan),
        plan,
        tuning,
        memory_bytes,
        opened.session.get_modelmeta().custom_metadata_map,
        trial.row,
    )


def _cost_follows_rows(trial: Trial, opened: Opened) -> bool:
    """Whether nothing but the number of its rows makes one request dearer than another.

    Where requests are not joined, rows are what the first input has of them.
    """
    signature = trial.signature
    if any(-1 in it.shape[1:] for it in signature.inputs):
        return False
    if not trial.joins and any(-1 in it.shape for it in signature.inputs[1:]):
        return False
    return not reads_texts(trial.row, opened.runner.run, signature.output_names)


def _padding_rule(settings: RevisionSettings, opened: Opened, trial: Trial) -> PaddingRule | None:
    """Raises PaddingRefused."""
    padding = settings.batching.padding
    if padding is None:
        return None
    if not trial.joins or trial.inputs is None:
        raise PaddingRefused("its requests never share a run")
    axes = free_axes(opened.session)
    lengths = [trial.inputs[name].shape[axis] for name, free in axes.items() for axis in free]
    return prove_padding(padding, trial.signature, axes, opened.runner.run, max(lengths, default=1))


def _warm_up(opened: Opened, trial: Trial) -> None:
    """The first runs are slow, and those that give memory back have to happen before it is measured."""
    if trial.inputs is None:
        return
    ends = time.perf_counter() + WARM_UP_S
    for _ in range(WARM_UP_RUNS):
        opened.runner.run(trial.row, trial.signature.output_names)
        if time.perf_counter() > ends:
            break
