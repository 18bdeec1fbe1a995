"""The request as handlers meet it."""

from typing import Any

from litestar import Request

from contracts.errors import Invalid


class ControlRequest(Request[Any, Any, Any]):
    """A request whose body cannot make Litestar fail: it lets these two escape from its JSON parser."""

    async def json(self) -> Any:
        """Raises Invalid if the body is not UTF-8 or is nested too deeply; what is no JSON otherwise is Litestar's to refuse."""
        try:
            return await super().json()
        except UnicodeDecodeError as error:
            raise Invalid("the request is not valid UTF-8") from error
        except RecursionError as error:
            raise Invalid("the request is nested too deeply") from error
