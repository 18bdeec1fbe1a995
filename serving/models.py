"""One ONNX model in memory: loaded, warmed up, and answering through its batcher."""

import logging
import math
import os
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, cast

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before the import: the wheel reads it once

import msgspec
import numpy as np
import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from contracts.errors import HeadraceError
from contracts.routes import Batching
from contracts.signature import Tensor
from serving.batcher import Batcher, Caller, Run, Ticket
from serving.datatypes import DTYPES, ONNX_DATATYPES
from serving.errors import InputRefusedByModel, ModelFailed, ModelNotLoadable
from serving.requests import InferRequest, RequestDecoder
from serving.responses import ResponseEncoder
from serving.tensors import Array

logger = logging.getLogger(__name__)

INLINE_BELOW_S: Final = 150e-6
"""A run that takes less happens on the event loop: a hop to a thread and back costs about as much as such a run."""
INLINE_ROWS: Final = (64, 16, 1)
"""How many rows are tried for that, the first that is quick enough wins."""
WARM_UP_RUNS: Final = 5
FREE_DIMENSIONS: Final = (1, 8, 32, 64, 224)
"""Sizes tried for free dimensions behind the first, until the model takes one."""
MAX_TRIAL_ELEMENTS: Final = 4_000_000
CLOSE_TIMEOUT_S: Final = 60.0
SOURCE_POSITION: Final = re.compile(r"^\S*?\.(?:cc|h):\d+ .*?\) ?")
"""What onnxruntime puts before some messages: where in its own source they arose."""

Inputs = dict[str, Array]


class Model:
    """A loaded model. `submit` is for the event loop's thread; `close` blocks."""

    def __init__(
        self,
        session: ort.InferenceSession,
        name: str,
        version: str,
        signature: "Signature",
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
        self._session: ort.InferenceSession | None = session
        self._batcher = batcher

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
        self._session = None


class Signature(msgspec.Struct, frozen=True):
    """A model's inputs and outputs as the protocol names them."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


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
    run = _runner(session, name)
    trial = _find_trial(session, signature, run)
    joins = trial is not None and has_batch_dimension(session, signature) and _is_rowwise(trial, run, signature)
    has_fixed_rows = all(-1 not in it.shape[1:] for it in signature.inputs)
    inline_rows = _count_inline_rows(trial, run, signature, joins) if trial is not None and has_fixed_rows else 0
    logger.info("model %s version %s: requests are joined: %s; rows run inline: %d", name, version, joins, inline_rows)
    batcher = Batcher(
        name,
        run,
        batching,
        joins=joins,
        has_fixed_rows=has_fixed_rows,
        inline_rows=inline_rows,
        queue_rows=queue_rows,
        timeout_s=timeout_s,
    )
    return Model(session, name, version, signature, batcher, joins=joins, size_bytes=path.stat().st_size)


def open_session(path: Path, intra_op_threads: int) -> ort.InferenceSession:
    """An onnxruntime session configured for serving. Raises ModelNotLoadable."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = intra_op_threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # never burn a core while idle
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base class
        raise ModelNotLoadable(_reason(error).replace(str(path), path.name)) from error


def signature_of(session: ort.InferenceSession) -> Signature:
    """Raises ModelNotLoadable for a type the protocol has no word for."""
    return Signature(tuple(map(_tensor, session.get_inputs())), tuple(map(_tensor, session.get_outputs())))


def has_batch_dimension(session: ort.InferenceSession, signature: Signature) -> bool:
    """Whether every input and output begins with a free dimension that can be one and the same."""
    tensors = [*signature.inputs, *signature.outputs]
    if not all(it.shape and it.shape[0] == -1 for it in tensors):
        return False
    named = {it.shape[0] for it in session.get_inputs() if isinstance(it.shape[0], str)}
    return len(named) <= 1


def _tensor(argument: Any) -> Tensor:
    datatype = ONNX_DATATYPES.get(argument.type)
    if datatype is None:
        raise ModelNotLoadable(f"{argument.name!r} has the type {argument.type}, which the inference protocol has no word for")
    return Tensor(argument.name, datatype, tuple(it if isinstance(it, int) and it >= 0 else -1 for it in argument.shape))


def _runner(session: ort.InferenceSession, name: str) -> Run:
    def run(inputs: Inputs, names: tuple[str, ...]) -> list[Array]:
        try:
            return cast(list[Array], session.run(names, inputs))
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise _failure(name, error) from error

    return run


def _failure(name: str, error: Exception) -> HeadraceError:
    if isinstance(error, (InvalidArgument, ValueError, TypeError)):
        return InputRefusedByModel(f"model {name!r} refuses this input: {_reason(error)}")
    return ModelFailed(f"model {name!r} failed: {_reason(error)}")


def _reason(error: Exception) -> str:
    """onnxruntime's message without its code and source position."""
    text = str(error).partition("\n")[0]
    if text.startswith("[ONNXRuntimeError]"):
        text = text.split(" : ", 3)[-1]
    return SOURCE_POSITION.sub("", text)


def _find_trial(session: ort.InferenceSession, signature: Signature, run: Run) -> Inputs | None:
    """One row that the model takes: made up, or the file's own example; None if neither works."""
    for inputs in (*_made_up(signature), *_example(session, signature)):
        try:
            run(inputs, tuple(it.name for it in signature.outputs))
        except HeadraceError:
            continue
        return inputs
    logger.warning("found no input to warm up with; the model is served one request a run")
    return None


def _made_up(signature: Signature) -> Iterable[Inputs]:
    random = np.random.default_rng(0)
    for size in FREE_DIMENSIONS:
        if max((math.prod(_made_up_shape(it, size)) for it in signature.inputs), default=0) > MAX_TRIAL_ELEMENTS:
            return
        yield {it.name: _made_up_tensor(it, size, random) for it in signature.inputs}


def _made_up_tensor(tensor: Tensor, size: int, random: np.random.Generator) -> Array:
    dtype, shape = DTYPES[tensor.datatype], _made_up_shape(tensor, size)
    if dtype.kind == "O":
        return np.full(shape, "", np.object_)
    return (random.random(shape) if dtype.kind == "f" else random.integers(0, 2, shape)).astype(dtype)


def _made_up_shape(tensor: Tensor, size: int) -> tuple[int, ...]:
    return tuple(extent if extent >= 0 else 1 if axis == 0 else size for axis, extent in enumerate(tensor.shape))


def _example(session: ort.InferenceSession, signature: Signature) -> Iterable[Inputs]:
    text = session.get_modelmeta().custom_metadata_map.get("headrace.example")
    if text is None:
        return
    try:
        decoder = RequestDecoder(signature.inputs, signature.outputs, is_batched=False)
        yield decoder.decode(b'{"inputs":%s}' % text.encode()).inputs
    except HeadraceError as error:
        logger.warning("the file's headrace.example does not fit its own inputs: %s", error)


def _is_rowwise(trial: Inputs, run: Run, signature: Signature) -> bool:
    """Whether different rows give the same together as alone; a model that mixes its rows must never be joined."""
    names = tuple(it.name for it in signature.outputs)
    other = {name: _varied(array) for name, array in trial.items()}
    try:
        alone = [run(trial, names), run(other, names)]
        together = run({name: np.concatenate([trial[name], other[name]]) for name in trial}, names)
    except HeadraceError:
        return False
    rows = len(next(iter(trial.values())))
    return all(
        first.shape[0] == rows and _same(joined, np.concatenate([first, second]))
        for joined, first, second in zip(together, *alone, strict=True)
    )


def _varied(array: Array) -> Array:
    if array.dtype.kind in "Ob":
        return array
    return (array * 2 + 1).astype(array.dtype) if array.dtype.kind == "f" else 1 - array.clip(0, 1)


def _same(joined: Array, parts: Array) -> bool:
    if joined.shape != parts.shape:
        return False
    if joined.dtype.kind == "f":
        return bool(np.allclose(joined, parts, rtol=1e-3, atol=1e-5, equal_nan=True))
    return bool((joined == parts).all())


def _count_inline_rows(trial: Inputs, run: Run, signature: Signature, joins: bool) -> int:
    """Up to how many rows a run is quick enough for the event loop; 0 if one row is not."""
    names = tuple(it.name for it in signature.outputs)
    rows_of_trial = max((it.shape[0] if it.ndim else 1 for it in trial.values()), default=1)
    for rows in INLINE_ROWS if joins else (1,):
        inputs = {name: np.concatenate([array] * rows) for name, array in trial.items()} if rows > 1 else trial
        if min(_timed(run, inputs, names) for _ in range(WARM_UP_RUNS)) < INLINE_BELOW_S:
            return rows * rows_of_trial
    return 0


def _timed(run: Run, inputs: Inputs, names: tuple[str, ...]) -> float:
    started = time.perf_counter()
    run(inputs, names)
    return time.perf_counter() - started
