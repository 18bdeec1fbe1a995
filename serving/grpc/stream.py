"""One `ModelStreamInfer`: requests come as they like, and are answered in their order; what is wrong with one ends no stream."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import grpc

from contracts.errors import HeadraceError, Overloaded
from serving.grpc.calls import GrpcCall
from serving.grpc.responses import in_stream, stream_error
from serving.grpc.statuses import abort

IN_FLIGHT: Final = 64
"""Requests of one stream that are under way at once; the next is read from the connection when one of them is answered."""
WANTS_CODES: Final = ("triton_grpc_error", "true")
"""A stream with this metadata ends with the first error, and its code."""


class ServerLeaving(Overloaded):
    """This server is being stopped; another one takes the stream."""

    title = "Server leaving"


class InferStream:
    """`begin` makes a call of one message and sends it on its way; it raises HeadraceError."""

    def __init__(self, context: grpc.aio.ServicerContext[bytes, bytes], begin: Callable[[bytes], GrpcCall]) -> None:
        self._context, self._begin = context, begin
        self._wants_codes = WANTS_CODES in {(name, value) for name, value in context.invocation_metadata() or ()}
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._calls: asyncio.Queue[GrpcCall | HeadraceError | None] = asyncio.Queue()
        """In the order of the requests, at most as many as there are slots; None after the last."""
        self._is_ended = False
        self._reader: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Answer until the client has sent its last, or the server leaves. Raises what grpc raises when the RPC is over."""
        reader = self._reader = asyncio.create_task(self._read(), name="inference stream")
        reader.add_done_callback(lambda _: self._calls.put_nowait(None))
        if self._is_ended:
            reader.cancel()
        try:
            while (call := await self._calls.get()) is not None:
                await self._answer(call)
                self._slots.release()
            if not reader.cancelled():
                reader.result()
        finally:
            self._leave(reader)
        if self._is_ended:
            await abort(self._context, ServerLeaving("this server is being stopped; open the stream again"))

    def end(self) -> None:
        """Read no more requests."""
        self._is_ended = True
        if self._reader is not None:
            self._reader.cancel()

    async def _read(self) -> None:
        while True:
            await self._slots.acquire()
            data: Any = await self._context.read()
            if not isinstance(data, bytes):  # the client has sent its last
                return
            try:
                call = self._begin(data)
            except HeadraceError as error:
                call = error
            self._calls.put_nowait(call)

    async def _answer(self, call: GrpcCall | HeadraceError) -> None:
        answer, request_id = (call, "") if isinstance(call, HeadraceError) else (await call.answered, call.wire.message.id)
        if isinstance(answer, bytes):
            await self._context.write(in_stream(answer))
        elif self._wants_codes:
            await abort(self._context, answer)
        else:
            await self._context.write(stream_error(str(answer), request_id))

    def _leave(self, reader: asyncio.Task[None]) -> None:
        """Nobody waits for what is still under way."""
        reader.cancel()
        while not self._calls.empty():
            call = self._calls.get_nowait()
            if isinstance(call, GrpcCall):
                call.answered.cancel()
