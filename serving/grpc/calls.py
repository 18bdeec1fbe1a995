"""One inference call that came by gRPC."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from contracts.errors import HeadraceError
from serving.calls import Call, Submit
from serving.grpc.requests import WireRequest
from serving.grpc.responses import encode
from serving.models import Model
from serving.requests import LONG, InferRequest
from serving.tickets import Ticket

WANTS_FINAL: Final = "triton_enable_empty_final_response"
"""A request with this parameter wants to be told which answer is its last; here the only one is."""


class GrpcCall(Call):
    """`answered` becomes the encoded answer, or why there is none. Whoever cancels it has left."""

    __slots__ = ("answered", "wire")

    def __init__(self, data: bytes) -> None:
        """`data` is a ModelInferRequest. Raises RequestMalformed."""
        super().__init__(time.monotonic_ns(), len(data))
        self.wire = WireRequest(data)
        self.answered: asyncio.Future[bytes | HeadraceError] = asyncio.get_running_loop().create_future()

    @property
    def is_gone(self) -> bool:
        return self.answered.cancelled()

    def begin(self, model: Model, submit: Submit, on_over: Callable[[Call], None]) -> None:
        if self.size_bytes <= LONG or (self.wire.raw and model.decoder.takes_numbers):
            super().begin(model, submit, on_over)
        else:
            self.begin_aside(lambda: self.decode(model), model, submit, on_over)

    def decode(self, model: Model) -> InferRequest:
        return self.wire.decode(model.decoder)

    def answer(self, ticket: Ticket) -> None:
        if ticket.cache:
            self.headers += b"x-headrace-cache: %s\r\n" % ticket.cache.encode()
        wants_final = WANTS_FINAL in self.wire.message.parameters
        self.answered.set_result(encode(self.model, ticket.request, ticket.outputs, is_marked_final=wants_final))

    def refuse(self, error: HeadraceError) -> None:
        self.answered.set_result(error)
