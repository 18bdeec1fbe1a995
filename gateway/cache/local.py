"""Answers in this worker's own memory: the least recently used go first."""

from collections import OrderedDict
from time import monotonic_ns
from typing import Final

from msgspec import Struct

from serving.tensors import Array

LARGEST_SHARE: Final = 4
"""An answer that takes more than one part in so many of the room is not kept: it would push out too much."""
ENTRY_OVERHEAD: Final = 300
"""Bytes that an entry takes beside its arrays."""


class Answer(Struct, eq=False):
    """Read-only outputs in the order asked for, valid until `ends_ns` by `time.monotonic_ns`."""

    outputs: list[Array]
    size_bytes: int
    ends_ns: int


class LocalStore:
    """At most `max_bytes` of answers."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._answers: OrderedDict[bytes, Answer] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._answers)

    def takes(self, size_bytes: int) -> bool:
        """Whether an answer of this size is kept."""
        return (size_bytes + ENTRY_OVERHEAD) * LARGEST_SHARE <= self._max_bytes

    def get(self, key: bytes) -> list[Array] | None:
        """The outputs kept under `key`, if they are still valid."""
        answer = self._answers.get(key)
        if answer is None:
            return None
        if answer.ends_ns <= monotonic_ns():
            self._drop(key)
            return None
        self._answers.move_to_end(key)
        return answer.outputs

    def put(self, key: bytes, answer: Answer) -> None:
        """Keep `answer` if it is not too large, and forget as many others as that takes."""
        if key in self._answers:
            self._drop(key)
        if not self.takes(answer.size_bytes):
            return
        self._answers[key] = answer
        self.size_bytes += answer.size_bytes + ENTRY_OVERHEAD
        while self.size_bytes > self._max_bytes:
            self._drop(next(iter(self._answers)))

    def _drop(self, key: bytes) -> None:
        self.size_bytes -= self._answers.pop(key).size_bytes + ENTRY_OVERHEAD
