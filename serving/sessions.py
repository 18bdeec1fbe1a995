"""onnxruntime as Headrace uses it: how a session is opened, what it takes and gives, and what its errors mean."""

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
from serving.batcher import Run
from serving.datatypes import ONNX_DATATYPES
from serving.errors import InputRefusedByModel, ModelFailed, ModelNotLoadable
from serving.tensors import Array

SOURCE_POSITION: Final = re.compile(r"/\S+\.(?:cc|cpp|h):\d+ .*?\) (?=[A-Z\d'\"])")
"""What onnxruntime puts into some messages: file, line and function of its own where they arose."""
LARGE_RUN_BYTES: Final = 1 << 20
"""After a run of larger inputs the session gives back what it needed beyond its first allocation.

Otherwise one request of 160 MB keeps 500 MB for good; giving back costs a run of that size nothing that could be measured.
"""
RUNS_GIVING_BACK: Final = 4
"""That many runs do, because what the large outputs lie in is free only when they have been sent."""


class Signature(msgspec.Struct, frozen=True):
    """A model's inputs and outputs as the protocol names them."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def output_names(self) -> tuple[str, ...]:
        """In the model's order."""
        return tuple(it.name for it in self.outputs)


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


def runner(session: ort.InferenceSession, name: str) -> Run:
    """Runs of `session` that raise InputRefusedByModel or ModelFailed, both naming the model as `name`."""
    giving_back = ort.RunOptions()
    giving_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    runs_giving_back = 0

    def run(inputs: dict[str, Array], names: tuple[str, ...]) -> list[Array]:
        nonlocal runs_giving_back
        if sum([it.nbytes for it in inputs.values()]) > LARGE_RUN_BYTES:
            runs_giving_back = RUNS_GIVING_BACK
        options = None
        if runs_giving_back:
            runs_giving_back -= 1
            options = giving_back
        try:
            return cast(list[Array], session.run(names, inputs, options))
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


def _tensor(argument: Any) -> Tensor:
    datatype = ONNX_DATATYPES.get(argument.type)
    if datatype is None:
        advice = "; convert the classifier with options={'zipmap': False}" if argument.type.startswith("seq(map(") else ""
        raise ModelNotLoadable(
            f"{argument.name!r} has the type {argument.type}, which the inference protocol has no word for{advice}"
        )
    return Tensor(argument.name, datatype, tuple(it if isinstance(it, int) and it >= 0 else -1 for it in argument.shape))
