"""RFC 9457 problem details for the Litestar programs: one handler for the whole error family."""

import logging
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import UNSET, Struct, UnsetType

from contracts.errors import HeadraceError

logger = logging.getLogger(__name__)

PROBLEM_MEDIA_TYPE = "application/problem+json"


class FieldProblem(Struct, frozen=True):
    """One thing wrong with one field of the request."""

    field: str
    message: str


class Problem(Struct, frozen=True):
    """An error as callers of `/api` see it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    """Path of the request that failed."""
    request_id: str | UnsetType = UNSET
    errors: list[FieldProblem] | UnsetType = UNSET


def answer_with_problem(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Turn any exception into `application/problem+json`; what nobody foresaw is logged once and shown as 500."""
    problem = _describe(request, error)
    if isinstance(error, HeadraceError) and problem.status >= 500:
        logger.warning("%s %s: %s: %s", request.method, request.url.path, type(error).__name__, error)
    elif problem.status >= 500:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if (retry_after := getattr(error, "retry_after_s", None)) is not None:
        headers["Retry-After"] = str(max(1, round(retry_after)))
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=MediaType.JSON,
        headers={"Content-Type": PROBLEM_MEDIA_TYPE, **headers},
    )


def _describe(request: Request[Any, Any, Any], error: Exception) -> Problem:
    status, title, detail, name = 500, "Internal error", "something went wrong on our side", "InternalError"
    errors: list[FieldProblem] | UnsetType = UNSET
    if isinstance(error, HeadraceError):
        status, title, name = error.status, error.title, type(error).__name__
        detail = str(error) if status < 500 or hasattr(error, "retry_after_s") else detail
    elif isinstance(error, ValidationException):
        status, title, detail, name = 422, "Invalid", error.detail, "Invalid"
        errors = [
            FieldProblem(str(it.get("key", "")), str(it.get("message", ""))) for it in _extra_items(error) if isinstance(it, dict)
        ]
    elif isinstance(error, HTTPException):
        status, detail, name = error.status_code, error.detail, type(error).__name__.removesuffix("Exception")
        title = detail if status >= 500 else name
    return Problem(
        type=f"urn:headrace:problem:{name}",
        title=title,
        status=status,
        detail=detail,
        instance=request.url.path,
        request_id=getattr(request.state, "request_id", UNSET),
        errors=errors,
    )


def _extra_items(error: ValidationException) -> list[Any]:
    return error.extra if isinstance(error.extra, list) else []
