"""Errors as callers of `/v1` see them: RFC 9457 problem details, which name the row and the column."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from contracts.errors import HeadraceError, Invalid, Unauthenticated
from gateway.routing import CHALLENGE
from serving.http import Exchange

PROBLEM: Final = b"application/problem+json"


class CellProblem(Struct, frozen=True):
    """One thing wrong with the rows."""

    message: str
    row: int | None = None
    """From 0; None if it is none of the rows."""
    column: str | None = None
    """None if it is the row as a whole."""


class Problem(Struct, frozen=True):
    """The body of an answer that is no prediction."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    """Path of the request that failed."""
    request_id: str
    errors: Sequence[CellProblem] | UnsetType = UNSET


class RowsInvalid(Invalid):
    """The rows do not fit the model; `problems` says where, as far as the checking went."""

    title = "Rows invalid"

    def __init__(self, problems: Sequence[CellProblem], *, are_all: bool = True) -> None:
        count = f"{len(problems)}" if are_all else f"more than {len(problems)}"
        others = "" if len(problems) == 1 and are_all else f" ({count} problems in all)"
        super().__init__(f"{_sentence(problems[0])}{others}")
        self.problems = problems


class MethodNotAllowed(HeadraceError):
    status = 405
    title = "Method not allowed"

    def __init__(self, wanted: str, got: str) -> None:
        super().__init__(f"this path takes {wanted}, not {got}")
        self.allowed = wanted


def refuse(exchange: Exchange, error: HeadraceError, request_id: str, headers: bytes = b"") -> None:
    """Answer with `error` as a problem."""
    body = Problem(
        type=f"urn:headrace:problem:{type(error).__name__}",
        title=error.title,
        status=error.status,
        detail=_writable(str(error)),
        instance=_writable(exchange.path),
        request_id=request_id,
        errors=error.problems if isinstance(error, RowsInvalid) else UNSET,
    )
    retry_after = getattr(error, "retry_after_s", None)
    if retry_after is not None:
        headers += b"retry-after: %d\r\n" % max(1, round(retry_after))
    if isinstance(error, Unauthenticated):
        headers += CHALLENGE
    if isinstance(error, MethodNotAllowed):
        headers += b"allow: %s\r\n" % error.allowed.encode()
    exchange.respond(error.status, msgspec.json.encode(body), PROBLEM, headers)


def _sentence(problem: CellProblem) -> str:
    row = "" if problem.row is None else f"row {problem.row}: " if problem.column is None else f"row {problem.row}, "
    column = "" if problem.column is None else f"column {problem.column!r}: "
    return f"{row}{column}{problem.message}"


def _writable(text: str) -> str:
    return text.encode(errors="replace").decode()
