"""The request as handlers meet it: what callers get wrong about its body is their fault, not Litestar's failure."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException

from contracts.errors import HeadraceError, Invalid
from control.names import with_names_normalised


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
        """Raises Invalid if the body is not UTF-8, is nested too deeply, or has a value or a name that is not quite right.

        What is no JSON otherwise, or does not fit at all, is Litestar's to refuse.
        """
        try:
            value = await super().json()
        except UnicodeDecodeError as error:
            raise Invalid("the request is not valid UTF-8") from error
        except RecursionError as error:
            raise Invalid("the request is nested too deeply") from error
        if body := self.route_handler.parsed_data_field:
            value = with_names_normalised(value, body.annotation)
            check_strictly(value, body.annotation)
        return value


def check_strictly(value: Any, type: Any) -> None:
    """Raises Invalid for what Litestar would take for something else: `0` for false, `"1"` for a number."""
    try:
        msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        with suppress(msgspec.ValidationError):
            msgspec.convert(value, type, strict=False)
            raise Invalid(str(error)) from error
