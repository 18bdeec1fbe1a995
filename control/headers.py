"""Headers that every answer carries: the request's id and what browsers must not do."""

from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response
from litestar.datastructures import MutableScopeHeaders
from litestar.routes import HTTPRoute
from litestar.status_codes import HTTP_204_NO_CONTENT
from litestar.types import Message, Scope

from contracts.problems import answer_with_problem

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""Styles may be inline, since chart and overlay libraries position by them; scripts may not."""

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
}


def name_request(scope: Scope) -> str:
    """The id of a request, made the first time somebody asks."""
    return scope["state"].setdefault("request_id", uuid4().hex)


async def add_headers(message: Message, scope: Scope) -> None:
    """Litestar's `before_send`: set what the handler has not set itself."""
    if message["type"] != "http.response.start" or scope["type"] != "http":
        return
    headers = MutableScopeHeaders.from_message(message)
    headers["X-Request-Id"] = name_request(scope)
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if scope["method"] == "OPTIONS" and message["status"] == HTTP_204_NO_CONTENT:
        headers["Allow"] = ", ".join(sorted(methods_of(scope)))  # Litestar's own forgets handlers that came later
    if scope["path"].startswith("/api/"):
        headers.setdefault("Cache-Control", "no-store")


def methods_of(scope: Scope) -> set[str]:
    """What the path of a request may be called with."""
    routes = [it for it in scope["litestar_app"].routes if isinstance(it, HTTPRoute)]
    return {method for it in routes if it.path_format == scope["path_template"] for method in it.methods}


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The app's one exception handler.

    Litestar puts what a dependency raises while it is cleaned up (a lost database) into a group of one.
    """
    name_request(request.scope)
    if isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        return answer_error(request, error.exceptions[0])
    return answer_with_problem(request, error)
