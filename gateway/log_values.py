"""The values of logged requests, from the arrays of their runs to what the request log keeps: numbers and texts."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from serving.outcomes import Outcome

logger = logging.getLogger(__name__)

MAX_LOGGED_TEXT: Final = 64 * 1024
"""Characters of text values logged of one request; one with more is logged without values."""
FLOAT64: Final = np.dtype("<f8")

Array = NDArray[Any]
Stretch = tuple[Outcome | None, int, list[int]]
"""Neighbouring records whose rows follow one another in one outcome: that, the first row, and the rows of each record.

Without an outcome, one record without values.
"""


class Values:
    """Values of records, one record after the other."""

    __slots__ = ("number_counts", "numbers", "text_counts", "texts")

    def __init__(self, number_counts: list[int], numbers: list[bytes], text_counts: list[int], texts: list[str]) -> None:
        self.number_counts, self.text_counts = number_counts, text_counts
        """How many of each kind a record has."""
        self.numbers, self.texts = numbers, texts
        """The numbers are packed float64, in pieces."""

    @classmethod
    def none(cls, records: int) -> Self:
        """No values, for so many records."""
        return cls([0] * records, [], [0] * records, [])

    def extend(self, more: "Values") -> None:
        """Take over the values of further records."""
        self.number_counts += more.number_counts
        self.numbers += more.numbers
        self.text_counts += more.text_counts
        self.texts += more.texts


def values_of(outcomes: Sequence[Outcome | None], begins: Sequence[int], rows: Sequence[int]) -> tuple[Values, Values]:
    """Inputs and outputs of records, each of which owns `rows` of its outcome's from `begins` on."""
    inputs, outputs = Values.none(0), Values.none(0)
    for stretch in _stretches(outcomes, begins, rows):
        for values, more in zip((inputs, outputs), _both(stretch), strict=True):
            values.extend(more)
    return inputs, outputs


def _stretches(outcomes: Sequence[Outcome | None], begins: Sequence[int], rows: Sequence[int]) -> Iterator[Stretch]:
    current: Outcome | None = None
    first = end = 0
    counts: list[int] = []
    for outcome, begin, count in zip(outcomes, begins, rows, strict=True):
        if outcome is current and begin == end and outcome is not None:
            counts.append(count)
            end += count
            continue
        if counts:
            yield current, first, counts
        current, first, end, counts = outcome, begin, begin + count, [count]
    if counts:
        yield current, first, counts


def _both(stretch: Stretch) -> tuple[Values, Values]:
    """Inputs and outputs of the records of `stretch`."""
    outcome, begin, counts = stretch
    if outcome is None:
        return Values.none(1), Values.none(1)
    if len(counts) > 1:
        with suppress(TypeError, ValueError):
            rows = sum(counts)
            return (
                _together(_rows(outcome, outcome.inputs, begin, rows), counts),
                _together(_rows(outcome, outcome.outputs, begin, rows), counts),
            )
    inputs, outputs = Values.none(0), Values.none(0)
    for count in counts:
        own = _alone(_rows(outcome, outcome.inputs, begin, count), _rows(outcome, outcome.outputs, begin, count))
        begin += count
        inputs.extend(own[0])
        outputs.extend(own[1])
    return inputs, outputs


def _rows(outcome: Outcome, arrays: Sequence[Array], begin: int, count: int) -> Sequence[Array]:
    return arrays if count == outcome.rows else [it[begin : begin + count] for it in arrays]


def _together(arrays: Sequence[Array], counts: list[int]) -> Values:
    """The numbers of records that own so many rows. Raises TypeError or ValueError if they must be packed one by one."""
    if not arrays:
        return Values.none(len(counts))
    if any(it.dtype.kind == "O" for it in arrays):
        raise TypeError("text is counted by record")
    rows = sum(counts)
    if len(arrays) > 1 and rows > len(counts):
        raise ValueError("a record's rows of one array come before those of the next")
    table = np.concatenate([it.reshape(rows, -1) for it in arrays], axis=1, dtype=FLOAT64, casting="unsafe")
    width = table.shape[1]
    return Values([it * width for it in counts], [table.tobytes()], [0] * len(counts), [])


def _alone(inputs: Sequence[Array], outputs: Sequence[Array]) -> tuple[Values, Values]:
    """The values of one record; none if one of them is odd."""
    try:
        return _of_one(inputs), _of_one(outputs)
    except (TypeError, ValueError):
        logger.exception("the values of a request cannot be logged")
        return Values.none(1), Values.none(1)


def _of_one(arrays: Sequence[Array]) -> Values:
    texts = _texts(arrays)
    if sum(map(len, texts)) > MAX_LOGGED_TEXT:
        return Values.none(1)
    numbers = [np.asarray(it, FLOAT64).tobytes() for it in arrays if it.dtype.kind != "O"]
    return Values([sum(map(len, numbers)) // FLOAT64.itemsize], numbers, [len(texts)], texts)


def _texts(arrays: Iterable[Array]) -> list[str]:
    return [_text(value) for it in arrays if it.dtype.kind == "O" for value in it.ravel()]


def _text(value: Any) -> str:
    blob = value if isinstance(value, bytes) else str(value).encode(errors="backslashreplace")
    return blob.decode(errors="backslashreplace")
