"""One ONNX model in memory: loaded, warmed up, and answering through its batcher."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from contracts.routes import Batching
from serving.batch_statistics import Statistics
from serving.batcher import Batcher, BatchPlan, Caller, Ticket
from serving.requests import InferRequest, RequestDecoder
from serving.responses import ResponseEncoder
from serving.sessions import Signature, has_batch_dimension, open_session, runner, signature_of
from serving.trials import INLINE_ROWS, count_inline_rows, find_trial, is_rowwise

logger = logging.getLogger(__name__)

EXAMPLE_KEY: Final = "headrace.example"
"""Key of the file's metadata under which it may bring inputs that work."""
CLOSE_TIMEOUT_S: Final = 60.0


class Model:
    """A loaded model. `submit` is for the event loop's thread; `close` blocks."""

    def __init__(
        self,
        name: str,
        version: str,
        signature: Signature,
        batcher: Batcher,
        *,
        joins: bool,
        size_bytes: int,
    ) -> None:
        self.name, self.version = name, version
        self.inputs, self.outputs = signature.inputs, signature.outputs
        self.joins = joins
        """Whether requests may share a run: all inputs have one first dimension, and no row's answer depends on the others."""
        self.decoder = RequestDecoder(signature.inputs, signature.outputs, is_batched=joins)
        self.encoder = ResponseEncoder(name, version, signature.outputs)
        self.memory_bytes = size_bytes
        """Size of the file: what the weights take at least."""
        self._batcher = batcher

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

    def submit(self, request: InferRequest, caller: Caller, settle: Callable[[Ticket], None]) -> Ticket:
        """Run `request` for `caller`; `settle` gets the ticket with outputs or error, on the loop.

        Raises QueueFull or ModelClosed.
        """
        return self._batcher.submit(request, caller, settle)

    def close(self) -> None:
        """Answer what is queued, then give the memory back."""
        self._batcher.close(CLOSE_TIMEOUT_S)


def load_model(
    path: Path,
    *,
    name: str,
    version: str,
    batching: Batching = Batching(),  # noqa: B008 - frozen
    intra_op_threads: int = 0,
    queue_rows: int = 10_000,
    timeout_s: float = 30.0,
) -> Model:
    """Load `path`, run it a few times, and decide from what is seen how it is served. Blocks; for a thread.

    Raises ModelNotLoadable.
    """
    session = open_session(path, intra_op_threads or len(os.sched_getaffinity(0)))
    signature = signature_of(session)
    names, run = signature.output_names, runner(session, name)
    trial = find_trial(signature, run, session.get_modelmeta().custom_metadata_map.get(EXAMPLE_KEY))
    joins = trial is not None and has_batch_dimension(session, signature) and is_rowwise(trial, run, names)
    has_fixed_rows = all(-1 not in it.shape[1:] for it in signature.inputs)
    inline_rows = 0
    if trial is not None and has_fixed_rows:
        inline_rows = count_inline_rows(trial, run, names, INLINE_ROWS if joins else (1,))
    logger.info("model %s version %s: requests are joined: %s; rows run inline: %d", name, version, joins, inline_rows)
    batcher = Batcher(
        name,
        run,
        BatchPlan(
            joins=joins,
            has_fixed_rows=has_fixed_rows,
            inline_rows=inline_rows,
            max_batch_size=batching.max_batch_size or 64,
            max_delay_us=batching.max_delay_us or 0,
            max_queue_rows=batching.max_queue_rows or queue_rows,
            timeout_s=batching.timeout_ms / 1000 if batching.timeout_ms else timeout_s,
        ),
    )
    return Model(name, version, signature, batcher, joins=joins, size_bytes=path.stat().st_size)
