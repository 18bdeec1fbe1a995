"""The service `grpc.health.v1.Health`, which load balancers and Kubernetes ask."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.grpc.messages import SERVICE

SERVICES: Final = ("", SERVICE)
"""What can be asked for: the server as a whole, or the service."""
LOOK_EVERY_S: Final = 0.5

Response: Final[Any] = health_pb2.HealthCheckResponse  # type: ignore[attr-defined]


class Health(health_pb2_grpc.HealthServicer):
    """Serving as long as `is_ready()` says so."""

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        self._is_ready = is_ready
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Let nobody watch any longer: a server that waits for its RPCs would wait for ever."""
        self._ending.set()

    async def Check(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: N802 - gRPC's name
        """The status now."""
        if request.service not in SERVICES:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service here")
        return Response(status=self._status())

    async def Watch(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:  # noqa: N802
        """The status now, and each other one from then on."""
        told = None
        while not self._ending.is_set():
            status = self._status() if request.service in SERVICES else Response.SERVICE_UNKNOWN
            if status != told:
                told = status
                yield Response(status=status)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._ending.wait()
        yield Response(status=Response.NOT_SERVING)

    def _status(self) -> Any:
        return Response.SERVING if self._is_ready() else Response.NOT_SERVING
