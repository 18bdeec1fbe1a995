"""The usual one-file model server: FastAPI, pydantic, uvicorn, onnxruntime; no batching, no key, no log."""

import os
import sys
from pathlib import Path
from typing import Any, Final

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

TYPES: Final[dict[str, Any]] = {"FP32": np.float32, "INT64": np.int64}


class Tensor(BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class InferRequest(BaseModel):
    inputs: list[Tensor]


class InferResponse(BaseModel):
    model_name: str
    outputs: list[Tensor]


def create_app(folder: Path) -> FastAPI:
    """The application around one onnxruntime session of one thread for each model in `folder`."""
    sessions = {it.stem: _open(it) for it in folder.glob("*.onnx")}
    app = FastAPI()

    @app.post("/v2/models/{name}/infer")
    def infer(name: str, request: InferRequest) -> InferResponse:  # pyright: ignore[reportUnusedFunction]
        session, tensor = sessions[name], request.inputs[0]
        rows = np.array(tensor.data, dtype=TYPES[tensor.datatype]).reshape(tensor.shape)
        outputs = session.run(None, {tensor.name: rows})
        names = [it.name for it in session.get_outputs()]
        answer = [_describe(*it) for it in zip(names, outputs, strict=True)]
        return InferResponse(model_name=name, outputs=answer)

    return app


def _open(model: Path) -> Any:
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _describe(name: str, output: Any) -> Tensor:
    datatype = next(it for it, dtype in TYPES.items() if dtype == output.dtype)
    return Tensor(name=name, shape=list(output.shape), datatype=datatype, data=output.ravel().tolist())


if __name__ == "__main__":
    uvicorn.run(create_app(Path(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
