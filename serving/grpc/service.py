"""The service `inference.GRPCInferenceService`: from an RPC to the session of its caller, and back.

A caller is known before its message is received: gRPC hands over an RPC's metadata first.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

import grpc

from contracts.errors import HeadraceError, Overloaded
from serving.errors import CallFailed
from serving.grpc.about import METHODS, Method, unsupported
from serving.grpc.calls import GrpcCall
from serving.grpc.hosts import Host, Session
from serving.grpc.messages import SERVICE, message, parse
from serving.grpc.statuses import abort, metadata_of
from serving.grpc.stream import InferStream

logger = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[bytes, bytes]
Found = Any
"""A grpc.RpcMethodHandler, which takes type arguments when it is checked, and none when it is run."""
Handler = Callable[[Session, Any, Context], Awaitable[bytes | None]]

PREFIX: Final = f"/{SERVICE}/"
MAX_HELD_BYTES: Final = 1024**3
"""Requests not yet answered, together; what would go beyond is refused."""

FAREWELL_S: Final = 0.5
"""For how long at most answers are held back before the server stops."""
QUIET_S: Final = 0.02
"""When no request has come for so long, the clients' requests under way are all here."""


class Full(Overloaded):
    """Too many bytes of requests wait for their answers."""

    title = "Full"


class Service(grpc.GenericRpcHandler):
    """All methods of the service, for whoever `host` lets in."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._held_bytes = 0
        self._streams: set[InferStream] = set()
        self._arrived = 0
        """RPCs so far."""
        self._farewell: asyncio.Event | None = None
        """While it is there, answers wait for it."""
        self._is_ending = False

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Found | None:
        """What answers this RPC; None if it is another service's. Called before its message is received."""
        self._arrived += 1
        if not handler_call_details.method.startswith(PREFIX):
            return None
        name = handler_call_details.method.removeprefix(PREFIX)
        if name in ("ServerLive", "ServerReady"):
            return grpc.unary_unary_rpc_method_handler(self._health(name))
        metadata = handler_call_details.invocation_metadata
        try:
            session = self._host.open(_authorization(metadata))
            return self._handler(name, session)
        except HeadraceError as error:
            self._host.count_refusal(error.status)
            return grpc.stream_unary_rpc_method_handler(partial(_refuse, error))

    def is_ready(self) -> bool:
        """Whether requests are welcome."""
        return self._host.is_ready and not self._is_ending

    def end_streams(self) -> None:
        """Take no more requests from open streams; each ends when what came is answered."""
        self._is_ending = True
        for stream in self._streams:
            stream.end()

    @contextlib.asynccontextmanager
    async def farewell(self) -> AsyncGenerator[None]:
        """Hold answers back, wait until no more requests come, and let go of the answers at the end of the block.

        What gRPC has received but not handed to us when a server is stopped, it cancels. Clients that wait for answers send
        nothing new; and those that learn before their answer that this server is leaving send their next request elsewhere.
        """
        self._farewell = asyncio.Event()
        loop = asyncio.get_running_loop()
        ends = loop.time() + FAREWELL_S
        arrived = -1
        while arrived != self._arrived and loop.time() < ends:
            arrived = self._arrived
            await asyncio.sleep(QUIET_S)
        try:
            yield
        finally:
            self._farewell.set()

    def _handler(self, name: str, session: Session) -> Found:
        """Raises MethodUnsupported."""
        if name == "ModelInfer":
            return grpc.unary_unary_rpc_method_handler(self._guarded(self._infer, session))
        if name == "ModelStreamInfer":
            return grpc.stream_stream_rpc_method_handler(self._guarded(self._infer_stream, session))
        method = METHODS.get(name)
        if method is None:
            raise unsupported(name)
        return grpc.unary_unary_rpc_method_handler(self._guarded(partial(self._answer, method), session))

    def _guarded(self, handler: Handler, session: Session) -> Callable[[Any, Context], Awaitable[bytes | None]]:
        """`handler` for `session`, whose errors become statuses."""

        async def guarded(request: Any, context: Context) -> bytes | None:
            try:
                session.admit(partial(_address, context))
                return await handler(session, request, context)
            except HeadraceError as error:
                self._host.count_refusal(error.status)
                await abort(context, error)
            except (grpc.aio.AbortError, asyncio.CancelledError):
                raise
            except Exception:
                logger.exception("an RPC failed")
                await abort(context, CallFailed())

        return guarded

    async def _infer(self, session: Session, data: bytes, context: Context) -> bytes | None:
        call = self._begin(session, data)
        answer = await call.answered
        if self._farewell is not None:
            await self._farewell.wait()
        metadata = metadata_of(call.headers)
        if isinstance(answer, HeadraceError):
            await abort(context, answer, metadata)
            return None
        context.set_trailing_metadata(metadata)
        return answer

    async def _infer_stream(self, session: Session, _requests: Any, context: Context) -> None:
        stream = InferStream(context, partial(self._begin_in_stream, session))
        self._streams.add(stream)
        if self._is_ending:
            stream.end()
        try:
            await stream.run()
        finally:
            self._streams.discard(stream)

    async def _answer(self, method: Method, session: Session, data: bytes, _context: Context) -> bytes:
        answer = await method.answer(session, parse(method.request, data))
        return answer.SerializeToString()

    def _begin(self, session: Session, data: bytes) -> GrpcCall:
        """Raises RequestMalformed or Full."""
        size = len(data)
        if self._held_bytes + size > MAX_HELD_BYTES:
            raise Full("too much waits for answers already; try again")
        call = GrpcCall(data)
        self._held_bytes += size
        call.answered.add_done_callback(lambda _: self._release(size))
        session.begin(call, call.wire.message.model_name, call.wire.model_version)
        return call

    def _begin_in_stream(self, session: Session, data: bytes) -> GrpcCall:
        """As `_begin`, where a refusal ends no RPC."""
        try:
            return self._begin(session, data)
        except HeadraceError as error:
            self._host.count_refusal(error.status)
            raise

    def _release(self, size: int) -> None:
        self._held_bytes -= size

    def _health(self, name: str) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def answer(_request: bytes, _context: Context) -> bytes:
            is_fine = name == "ServerLive" or self.is_ready()
            fields = {"live" if name == "ServerLive" else "ready": is_fine}
            return message(f"{name}Response")(**fields).SerializeToString()

        return answer


async def _refuse(error: HeadraceError, _requests: Any, context: Context) -> None:
    """Answer an RPC whose message is never received."""
    await abort(context, error)


def _address(context: Context) -> str:
    """The client's IP address; empty if it has none. gRPC says `ipv4:127.0.0.1:80` or `ipv6:%5B::1%5D:80`."""
    family, _, place = unquote(context.peer()).partition(":")
    return place.rpartition(":")[0].strip("[]") if family in ("ipv4", "ipv6") else ""


def _authorization(metadata: Any) -> bytes:
    """The value of `authorization`; empty if there is none."""
    for name, value in metadata:
        if name == "authorization":
            return value.encode()
    return b""
