"""Slugs: names made fit for URLs and command lines, and told apart where two names make the same one."""

import re
import secrets
import unicodedata
from collections.abc import Collection, Iterator
from typing import Final

MAX_LENGTH: Final = 48
ATTEMPTS: Final = 8
"""With four random characters each, eight collisions in a row mean something else is wrong."""


def slug_of(name: str, otherwise: str) -> str:
    """`name` in lower-case ASCII letters, digits and single dashes; `otherwise` if nothing is left of it."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    dashed = re.sub(r"[^a-z0-9]+", "-", ascii_name.replace("'", ""))
    return dashed[:MAX_LENGTH].strip("-") or otherwise


def candidate_slugs(name: str, otherwise: str, reserved: Collection[str] = ()) -> Iterator[str]:
    """The slug of `name` unless it is `reserved`, then the same with random endings, for trying until one is free."""
    slug = slug_of(name, otherwise)
    if slug not in reserved:
        yield slug
    for _ in range(ATTEMPTS):
        yield f"{slug}-{secrets.token_hex(2)}"
