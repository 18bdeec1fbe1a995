"""Decisions drawn from a fuzzer's bytes, so that what it finds can be run again without it."""

import json
from collections.abc import Sequence
from typing import Any, Final, TypeVar

Choice = TypeVar("Choice")

ODD_NUMBERS: Final = (0, -1, 1, 2, 127, 128, 300, 2**31, 2**40, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**4000)
ODD_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    "",
    "x",
    0.5,
    1e39,
    5e-324,
    [],
    {},
    [[]],
    "\ud800",
    float("nan"),
    float("inf"),
)


class Source:
    """Takes bytes from the front; when they are used up every draw is 0 or empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1]

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1; `limit` is at most 256."""
        return self.byte() % limit

    def pick(self, options: Sequence[Choice]) -> Choice:
        return options[self.below(len(options))]

    def take(self, limit: int = 255) -> bytes:
        """Up to `limit` bytes."""
        size = min(self.byte(), limit)
        self._at += size
        return self._data[self._at - size : self._at]

    def rest(self) -> bytes:
        """All that is left."""
        found, self._at = self._data[self._at :], len(self._data)
        return found

    def number(self) -> int:
        return self.below(20) if self.below(3) else self.pick(ODD_NUMBERS)

    def value(self, depth: int = 0) -> Any:
        """Anything that JSON has a form for, and a little more."""
        match self.below(6 if depth < 4 else 4):
            case 0 | 1:
                return self.number()
            case 2:
                return self.pick(ODD_VALUES)
            case 3:
                return self.take(8).decode("latin-1")
            case 4:
                return [self.value(depth + 1) for _ in range(self.below(5))]
            case _:
                return {self.take(4).decode("latin-1"): self.value(depth + 1) for _ in range(self.below(3))}

    def json(self, value: Any) -> bytes:
        """`value` in JSON, at times with one byte changed, cut off, or followed by another."""
        text = json.dumps(value).encode()
        match self.below(8):
            case 0:
                at = self.byte() % max(1, len(text))
                return text[:at] + bytes([self.byte()]) + text[at + 1 :]
            case 1:
                return text[: self.byte() % max(1, len(text))]
            case 2:
                return text + self.take(3)
            case _:
                return text
