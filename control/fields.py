"""Types of fields that several features take or give."""

from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar.params import QueryParameter
from msgspec import Meta

from contracts.errors import Invalid

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$(?!\n)"
"""(Python's `$` also matches before a final line break.)"""

IS_NAME: Final = "is a name"
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$(?!\n)",
        extra={IS_NAME: True},
    ),
]
"""What people call a thing: one line, no space at either end; `control.names` looks at its letters."""
Description = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")]
Email = Annotated[str, Meta(max_length=254, pattern=r"^\s*[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\s*$")]
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="How many items to answer at most.")]
Cursor = Annotated[UUID | None, QueryParameter(description="`next_cursor` of the page before; absent for the first page.")]
DEFAULT_LIMIT: Final = 50
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)


def read_time(text: str | None) -> datetime | None:
    """The time in a query, which Litestar would also take as a number. Raises Invalid unless it says its offset from UTC."""
    if text is None:
        return None
    try:
        time = msgspec.convert(text, datetime)
    except msgspec.ValidationError as error:
        raise Invalid(f"{text!r} is no time like 2030-01-31T12:00:00Z") from error
    if time.tzinfo is None:
        raise Invalid(f"{text} lacks its offset from UTC, like Z or +01:00")
    if not EARLIEST <= time < LATEST:
        raise Invalid(f"{text} is not between {EARLIEST.year} and {LATEST.year}")
    return time


def unique(items: list[str]) -> list[str]:
    """In their order, each once."""
    return list(dict.fromkeys(items))
