"""Types of fields that several features take or give."""

from typing import Annotated, Final
from uuid import UUID

from litestar.params import QueryParameter
from msgspec import Meta

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$(?!\n)"
"""(Python's `$` also matches before a final line break.)"""

Name = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$(?!\n)")
]
"""What people call a thing: one line, no space at either end."""
Description = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")]
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="How many items to answer at most.")]
Cursor = Annotated[UUID | None, QueryParameter(description="`next_cursor` of the page before; absent for the first page.")]
DEFAULT_LIMIT: Final = 50
