"""What a session is used with, as far as the request tells."""

from typing import Any, Final

from litestar import Request

from control.identity.schemas import Device

LONGEST_AGENT: Final = 256


def device_of(request: Request[Any, Any, Any]) -> Device:
    """The caller's program and address; unprintable characters are left out."""
    agent = "".join(filter(str.isprintable, request.headers.get("user-agent", "")[:LONGEST_AGENT]))
    return Device(agent, request.client.host if request.client else "")
