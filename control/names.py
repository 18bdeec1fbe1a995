"""Names that pass for one another: one spelling of each, without letters that nobody sees, or that only look like others'.

Every field of a request's body whose type is `control.fields.Name` comes through here (`control.requests`), so that no feature
can forget it. Slugs and e-mail domains are plain ASCII by their own patterns.
"""

import re
import unicodedata
from functools import cache
from typing import Any, Final

from msgspec.inspect import Metadata, StructType, Type, UnionType, type_info

from contracts.errors import Invalid
from control.fields import IS_NAME

UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode's categories of what shows nothing of its own: controls, zero-width and direction marks, private letters."""
ALIKE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "COPTIC", "CHEROKEE", "LISU"})
"""Scripts with letters that look the same. Words of each may stand side by side; one word is of one of them."""


class NameUnfit(Invalid):
    title = "Name unfit"


def with_names_normalised(body: Any, type: Any) -> Any:
    """The decoded JSON `body` with one spelling for its names (NFKC), if it is the object it should be. Raises NameUnfit."""
    if not isinstance(body, dict):
        return body
    fields: dict[str, Any] = body
    return {key: normalised(it) if key in names_in(type) and isinstance(it, str) else it for key, it in fields.items()}


@cache
def names_in(type: Any) -> frozenset[str]:
    """The keys of a body's names."""
    info = type_info(type)
    if not isinstance(info, StructType):
        return frozenset()
    return frozenset(it.encode_name for it in info.fields if _is_name(it.type))


def normalised(name: str) -> str:
    """Raises NameUnfit for letters that nobody sees, and for words of several scripts with letters that look the same."""
    text = unicodedata.normalize("NFKC", name)
    if unseen := next((it for it in text if unicodedata.category(it) in UNSEEN), None):
        raise NameUnfit(f"a name may not contain U+{ord(unseen):04X}, which nobody sees")
    for word in re.findall(r"[^\W\d_]+", text):
        if len(scripts := scripts_of(word)) > 1:
            raise NameUnfit(f"{word!r} mixes {' and '.join(sorted(scripts))}, whose letters look alike; write it in one script")
    return text


def scripts_of(word: str) -> set[str]:
    """Those of `ALIKE` that the word has letters of."""
    scripts = {unicodedata.name(it, "").partition(" ")[0] for it in word if it.isalpha()}
    return {it.title() for it in scripts & ALIKE}


def _is_name(type: Type) -> bool:
    match type:
        case Metadata(extra=extra):
            return bool(extra) and IS_NAME in extra
        case UnionType(types=types):
            return any(map(_is_name, types))
        case _:
            return False
