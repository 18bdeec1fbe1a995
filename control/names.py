"""Names that pass for one another: one spelling of each, without letters that nobody sees, or that only look like others'.

Every field of a request's body whose type is `control.fields.Name` comes through here (`control.requests`), so that no feature
can forget it. Slugs and e-mail domains are plain ASCII by their own patterns.
"""

import re
import unicodedata
from functools import cache
from itertools import pairwise
from typing import Any, Final

from msgspec.inspect import Metadata, StructType, Type, UnionType, type_info

from contracts.errors import Invalid
from control.fields import IS_NAME

UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode's categories of what shows nothing of its own: controls, zero-width and direction marks, private letters."""
BLANK: Final = frozenset(map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800)))
"""What shows nothing though its category is that of letters, marks or symbols: joiners, fillers, the empty pattern of Braille."""
VARIATIONS: Final = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
"""They choose among the shapes of what they follow, mostly of no difference."""
AS_EMOJI: Final = "\ufe0f"
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
    if unseen := next((it for before, it in pairwise(f" {text}") if is_unseen(it, before)), None):
        raise NameUnfit(f"a name may not contain U+{ord(unseen):04X}, which nobody sees")
    for word in re.findall(r"[^\W\d_]+", without_marks(text)):
        if len(scripts := scripts_of(word)) > 1:
            raise NameUnfit(f"{word!r} mixes {' and '.join(sorted(scripts))}, whose letters look alike; write it in one script")
    return text


def is_unseen(letter: str, before: str) -> bool:
    """Whether nobody sees `letter`; a symbol `before` it may be asked to show as an emoji."""
    if letter == AS_EMOJI and unicodedata.category(before) == "So":
        return False
    return letter in BLANK or letter in VARIATIONS or unicodedata.category(letter) in UNSEEN


def without_marks(text: str) -> str:
    """The letters alone, so that an accent does not end a word."""
    return "".join(it for it in text if not unicodedata.category(it).startswith("M"))


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
