"""One onnxruntime session of one thread, as every peer uses it, and the protocol's JSON for those who do not speak it."""

import os
from pathlib import Path
from typing import Any, Final

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime

TYPES: Final[dict[str, Any]] = {"FP32": np.float32, "INT64": np.int64}
WORDS: Final = {"tensor(float)": "FP32", "tensor(int64)": "INT64"}
MAX_BATCH: Final = 64


class Model:
    """Takes `x`, as every model of the benchmark does."""

    def __init__(self, path: str) -> None:
        options: Any = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.name = Path(path).stem
        self._session: Any = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input: Any = self._session.get_inputs()[0]
        self.outputs: Any = self._session.get_outputs()

    def run(self, x: Any) -> list[Any]:
        """The outputs for the rows `x`."""
        return self._session.run(None, {"x": x})

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The protocol's answer to its request, both as decoded JSON."""
        return self.describe(self.run(rows_of(request)))

    def describe(self, outputs: list[Any]) -> dict[str, Any]:
        """The protocol's answer of `outputs`."""
        tensors = [
            {"name": it.name, "datatype": WORDS[it.type], "shape": list(array.shape), "data": array.ravel().tolist()}
            for it, array in zip(self.outputs, outputs, strict=True)
        ]
        return {"model_name": self.name, "outputs": tensors}


def rows_of(request: dict[str, Any]) -> Any:
    """The input's array."""
    tensor = request["inputs"][0]
    return np.array(tensor["data"], TYPES[tensor["datatype"]]).reshape(tensor["shape"])
