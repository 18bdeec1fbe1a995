"""Hosts to test the protocol with, and clients that speak it by hand."""

from collections.abc import Callable, Iterable
from typing import Any

import grpc
import numpy as np

from contracts.errors import HeadraceError
from serving.calls import Call
from serving.grpc.calls import GrpcCall
from serving.grpc.messages import SERVICE, ModelInferRequest, message
from serving.models import Model
from serving.repository import ModelState, Verb

ROW = np.array([[1, 2, 3, 4]], np.float32)


class Holding:
    """A host that keeps calls until the test settles them. Without `key` nobody is let in."""

    is_ready = True

    def __init__(self, refusal: HeadraceError | None = None) -> None:
        self.calls: list[GrpcCall] = []
        self.refusals: list[int] = []
        self._refusal = refusal

    def open(self, authorization: bytes) -> "Holding":
        if self._refusal is not None:
            raise self._refusal
        return self

    def admit(self, address: Callable[[], str]) -> None:
        """From anywhere."""

    def count_refusal(self, status: int) -> None:
        self.refusals.append(status)

    def begin(self, call: Call, name: str, version: str | None) -> None:
        assert isinstance(call, GrpcCall)
        self.calls.append(call)

    def model(self, name: str, version: str | None) -> Model:
        raise ZeroDivisionError("a defect")

    def models(self) -> Iterable[Model]:
        return ()

    def index(self) -> Iterable[ModelState]:
        return ()

    async def change(self, name: str, verb: Verb) -> None:
        """Nothing to change."""


def infer_request(array: np.ndarray[Any, Any] = ROW, model: str = "sum", name: str = "x", request_id: str = "") -> bytes:
    """An encoded ModelInferRequest with one FP32 input, in raw contents."""
    request = ModelInferRequest(model_name=model, id=request_id, raw_input_contents=[array.tobytes()])
    request.inputs.add(name=name, datatype="FP32", shape=array.shape)
    return request.SerializeToString()


def unary(channel: grpc.aio.Channel, method: str, request: bytes = b"", **options: Any) -> Any:
    """The RPC `method` with and without message classes: bytes go, and what comes is read as its response."""
    kind = message(f"{method}Response")
    return channel.unary_unary(f"/{SERVICE}/{method}", response_deserializer=kind.FromString)(request, **options)


def stream(channel: grpc.aio.Channel, **options: Any) -> Any:
    """An open ModelStreamInfer, to which encoded requests are written."""
    kind = message("ModelStreamInferResponse")
    return channel.stream_stream(f"/{SERVICE}/ModelStreamInfer", response_deserializer=kind.FromString)(**options)
