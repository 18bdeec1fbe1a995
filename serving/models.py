"""One ONNX model in memory: loaded, warmed up, and answering through its batcher."""

import logging
import os
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
from serving.batcher import Batcher, Caller, Ticket
from serving.datatypes import DTYPES, ONNX_DATATYPES
from serving.errors import InputRefusedByModel, ModelFailed, ModelNotLoadable
from serving.requests import Array, InferRequest, RequestDecoder
from serving.responses import ResponseEncoder

logger = logging.getLogger(__name__)

INLINE_BELOW_S: Final = 150e-6
"""A model whose single run takes less answers on the event loop: a hop to a thread costs about as much as such a run."""
INLINE_ROWS: Final = 16
"""Inline runs are measured at this many rows too, because batches form under load."""
WARM_UP_RUNS: Final = 5
FREE_DIMENSIONS: Final = (1, 8, 32, 64, 224)
"""Sizes tried for free dimensions behind the first, until the model takes one."""
CLOSE_TIMEOUT_S: Final = 60.0

Inputs = dict[str, Array]


class Model:
    """A loaded model. `submit` is for the event loop's thread; `close` blocks."""

    def __init__(
        self, session: ort.InferenceSession, name: str, version: str, signature: "Signature", batcher: Batcher, size_bytes: int
    ) -> None:
        self.name, self.version = name, version
        self.inputs, self.outputs = signature.inputs, signature.outputs
        self.decoder = RequestDecoder(signature.inputs, signature.outputs)
        self.encoder = ResponseEncoder(name, version, [it.name for it in signature.outputs])
        self.memory_bytes = size_bytes
        """Size of the file: what the weights take at least."""
        self._output_names = tuple(it.name for it in signature.outputs)
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
        """Run `request` for `caller`; `settle` gets the ticket with outputs or error, on the loop. Raises QueueFull."""
        names = tuple(it.name for it in request.outputs) if request.outputs else self._output_names
        return self._batcher.submit(request, names, caller, settle)

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
    inline = trial is not None and _is_quick(trial if not joins else _repeat(trial, INLINE_ROWS), run, signature)
    logger.info("model %s version %s: joins=%s inline=%s", name, version, joins, inline)
    batcher = Batcher(name, run, batching, joins=joins, inline=inline, queue_rows=queue_rows, timeout_s=timeout_s)
    return Model(session, name, version, signature, batcher, path.stat().st_size)


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
        raise ModelNotLoadable(_reason(error)) from error


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


def _runner(session: ort.InferenceSession, name: str) -> Callable[[Inputs, tuple[str, ...]], list[Array]]:
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
    return text.split(" : ", 3)[-1] if text.startswith("[ONNXRuntimeError]") else text


def _find_trial(
    session: ort.InferenceSession, signature: Signature, run: Callable[[Inputs, tuple[str, ...]], list[Array]]
) -> Inputs | None:
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
        yield {it.name: _made_up_tensor(it, size, random) for it in signature.inputs}


def _made_up_tensor(tensor: Tensor, size: int, random: np.random.Generator) -> Array:
    dtype = DTYPES[tensor.datatype]
    shape = tuple(extent if extent >= 0 else 1 if axis == 0 else size for axis, extent in enumerate(tensor.shape))
    if dtype.kind == "O":
        return np.full(shape, "", np.object_)
    return (random.random(shape) if dtype.kind == "f" else random.integers(0, 2, shape)).astype(dtype)


def _example(session: ort.InferenceSession, signature: Signature) -> Iterable[Inputs]:
    text = session.get_modelmeta().custom_metadata_map.get("headrace.example")
    if text is None:
        return
    try:
        yield RequestDecoder(signature.inputs, signature.outputs).decode(b'{"inputs":%s}' % text.encode()).inputs
    except HeadraceError as error:
        logger.warning("the file's headrace.example does not fit its own inputs: %s", error)


def _is_rowwise(trial: Inputs, run: Callable[[Inputs, tuple[str, ...]], list[Array]], signature: Signature) -> bool:
    """Whether two different rows give the same together as alone; a model that mixes its rows must never be joined."""
    names = tuple(it.name for it in signature.outputs)
    other = {name: _varied(array) for name, array in trial.items()}
    try:
        alone = [run(trial, names), run(other, names)]
        together = run({name: np.concatenate([trial[name], other[name]]) for name in trial}, names)
    except HeadraceError:
        return False
    return all(_same(joined, np.concatenate(parts)) for joined, *parts in zip(together, *alone, strict=True))


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


def _is_quick(inputs: Inputs, run: Callable[[Inputs, tuple[str, ...]], list[Array]], signature: Signature) -> bool:
    names = tuple(it.name for it in signature.outputs)
    times: list[float] = []
    for _ in range(WARM_UP_RUNS):
        started = time.perf_counter()
        run(inputs, names)
        times.append(time.perf_counter() - started)
    return min(times) < INLINE_BELOW_S


def _repeat(inputs: Inputs, rows: int) -> Inputs:
    return {name: np.concatenate([array] * rows) for name, array in inputs.items()}
