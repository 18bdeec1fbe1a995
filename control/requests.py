"""The request as handlers meet it: what callers get wrong about its body is their fault, not Litestar's failure."""

from collections.abc import AsyncGenerator
from typing import Any

from litestar import Request
from litestar.exceptions import InternalServerException

from contracts.errors import HeadraceError, Invalid


class RequestIncomplete(HeadraceError):
    """The client left before the whole request was there."""

    status = 408
    title = "Request incomplete"


class ControlRequest(Request[Any, Any, Any]):
    """Litestar's request; it blames the server if the client leaves, and lets two errors escape from its JSON parser."""

    async def stream(self) -> AsyncGenerator[bytes]:
        """The body as it comes. Raises RequestIncomplete."""
        try:
            async for chunk in super().stream():
                yield chunk
        except InternalServerException as error:
            raise RequestIncomplete("the request ended before the whole body was there") from error

    async def json(self) -> Any:
        """Raises Invalid if the body is not UTF-8 or is nested too deeply; what is no JSON otherwise is Litestar's to refuse."""
        try:
            return await super().json()
        except UnicodeDecodeError as error:
            raise Invalid("the request is not valid UTF-8") from error
        except RecursionError as error:
            raise Invalid("the request is nested too deeply") from error
