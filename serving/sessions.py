"""onnxruntime as Headrace uses it: how a session is opened, what it takes and gives, and what its errors mean."""

import logging
import os
import re
from pathlib import Path
from typing import Any, Final, cast

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before the import: the wheel reads it once

import msgspec
import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.datatypes import ONNX_DATATYPES
from serving.errors import InputRefusedByModel, ModelFailed, ModelNotLoadable
from serving.tensors import Array
from serving.tuning.machine import describe_cpu
from serving.tuning.store import Directory, name_of

logger = logging.getLogger(__name__)

SOURCE_POSITION: Final = re.compile(r"/\S+\.(?:cc|cpp|h):\d+ .*?\) (?=[A-Z\d'\"])")
"""What onnxruntime puts into some messages: file, line and function of its own where they arose."""
LARGE_RUN_BYTES: Final = 1 << 20
"""After a run of larger inputs the session gives back what it needed beyond its first allocation.

Otherwise one request of 160 MB keeps 500 MB for good; giving back costs a run of that size nothing that could be measured.
"""
RUNS_GIVING_BACK: Final = 8
"""That many runs do, because what the large outputs lie in is free only when they have been sent and forgotten."""


OPTIMIZED_BYTES: Final = (16 << 20, 1 << 30)
"""Files of such a size: smaller ones are optimised as quickly as read, larger ones cannot be written in one piece."""


class Signature(msgspec.Struct, frozen=True):
    """A model's inputs and outputs as the protocol names them."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def output_names(self) -> tuple[str, ...]:
        """In the model's order."""
        return tuple(it.name for it in self.outputs)


def open_session(path: Path, intra_op_threads: int) -> ort.InferenceSession:
    """A session configured for serving. Raises ModelNotLoadable."""
    return Source(path).open(intra_op_threads)


class Source:
    """A model's file, and where its graph is kept as onnxruntime optimised it."""

    def __init__(self, path: Path, digest: str = "", optimized: Directory | None = None) -> None:
        """`digest` names the file's content; without it or without `optimized` the graph is optimised at every opening."""
        self._path = path
        self.size_bytes = path.stat().st_size
        is_worth_keeping = OPTIMIZED_BYTES[0] <= self.size_bytes <= OPTIMIZED_BYTES[1]
        self._optimized = optimized if digest and is_worth_keeping else None
        self._name = name_of(digest, ort.__version__, describe_cpu()) if self._optimized is not None else ""

    def open(self, intra_op_threads: int) -> ort.InferenceSession:
        """A session configured for serving. Raises ModelNotLoadable."""
        kept = self._optimized.find(self._name) if self._optimized is not None else None
        if kept is not None:
            options = _options(intra_op_threads)
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
            try:
                return _open(kept, options)
            except Exception as error:  # onnxruntime's exceptions share no base class
                logger.warning("the optimised graph %s is made again: %s", kept, _reason(error))
        try:
            if self._optimized is not None:
                return self._open_and_keep(intra_op_threads, self._optimized)
            return _open(self._path, _options(intra_op_threads))
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise ModelNotLoadable(_reason(error).replace(str(self._path), self._path.name)) from error

    def _open_and_keep(self, intra_op_threads: int, directory: Directory) -> ort.InferenceSession:
        options = _options(intra_op_threads)
        try:
            path = directory.reserve()
            options.optimized_model_filepath = str(path)
            session = _open(self._path, options)
            directory.keep(path, self._name)
        except OSError as error:
            logger.warning("an optimised graph cannot be kept: %s", error)
            return _open(self._path, _options(intra_op_threads))
        return session


def _options(intra_op_threads: int) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = intra_op_threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    # measured: waiting threads that spin gain at most a tenth, burn a core while idle, and lose much where cores are shared
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _open(path: Path, options: Any) -> ort.InferenceSession:
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


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


def free_axes(session: ort.InferenceSession) -> dict[str, dict[int, str]]:
    """Of each input the free axes behind the first, by their names in the file; those without one are called ""."""
    return {
        it.name: {axis: extent or "" for axis, extent in enumerate(it.shape) if axis and not isinstance(extent, int)}
        for it in session.get_inputs()
    }


class Runner:
    """Runs of a session. `run` raises InputRefusedByModel or ModelFailed, both naming the model as `name`."""

    def __init__(self, session: ort.InferenceSession, name: str) -> None:
        # the session's own `run` checks again what the decoder has checked, which costs a microsecond a run
        self._run, self._name = getattr(session, "_sess", session).run, name
        self._giving_back = ort.RunOptions()
        self._giving_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._runs_giving_back = 0

    def run(self, inputs: dict[str, Array], names: tuple[str, ...]) -> list[Array]:
        """The outputs `names`, in that order."""
        if sum([it.nbytes for it in inputs.values()]) > LARGE_RUN_BYTES:
            self._runs_giving_back = RUNS_GIVING_BACK
        options = None
        if self._runs_giving_back:
            self._runs_giving_back -= 1
            options = self._giving_back
        try:
            return cast(list[Array], self._run(names, inputs, options))
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise _failure(self._name, error) from error

    def give_back(self) -> None:
        """Let the next runs give back the memory that earlier, larger ones took."""
        self._runs_giving_back = RUNS_GIVING_BACK


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


def _tensor(argument: Any) -> Tensor:
    datatype = ONNX_DATATYPES.get(argument.type)
    if datatype is None:
        advice = "; convert the classifier with options={'zipmap': False}" if argument.type.startswith("seq(map(") else ""
        raise ModelNotLoadable(
            f"{argument.name!r} has the type {argument.type}, which the inference protocol has no word for{advice}"
        )
    return Tensor(argument.name, datatype, tuple(it if isinstance(it, int) and it >= 0 else -1 for it in argument.shape))
