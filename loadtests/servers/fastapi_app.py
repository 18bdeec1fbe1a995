"""The usual one-file model server: FastAPI, pydantic, uvicorn, onnxruntime; no batching, no key, no log."""

import os
import sys
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


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


def create_app(model: str) -> FastAPI:
    """The application around one onnxruntime session of one thread."""
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_outputs()[0].name
    app = FastAPI()

    @app.post("/v2/models/tiny/infer")
    def infer(request: InferRequest) -> InferResponse:  # pyright: ignore[reportUnusedFunction]
        tensor = request.inputs[0]
        rows = np.array(tensor.data, dtype=np.float32).reshape(tensor.shape)
        (output,) = session.run(None, {tensor.name: rows})
        answer = Tensor(name=name, shape=list(output.shape), datatype="FP32", data=output.ravel().tolist())
        return InferResponse(model_name="tiny", outputs=[answer])

    return app


if __name__ == "__main__":
    uvicorn.run(create_app(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
