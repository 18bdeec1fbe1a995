"""The classification extension: instead of an output's numbers the highest of them, each with its index and its label.

Source: Triton's classification extension. Every row of a batched model is classified by itself.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from serving.errors import RequestMalformed, TensorInvalid
from serving.tensors import Array

logger = logging.getLogger(__name__)

LABELS_KEY: Final = "headrace.labels"
"""Key of the file's metadata under which it may bring its class names, as a JSON list."""
MAX_TEXTS: Final = 65_536
"""Of one answer: each is made on the event loop, in about a microsecond."""


def labels_of(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The class names that a model's file brings, in the order of their indexes; none if what it brings is no list of them."""
    text = metadata.get(LABELS_KEY)
    if text is None:
        return ()
    try:
        labels: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        logger.warning("the file's %s is not JSON: %s", LABELS_KEY, error)
        return ()
    if not isinstance(labels, list):
        logger.warning("the file's %s is no list", LABELS_KEY)
        return ()
    return tuple(map(str, labels))


def check_classification(name: str, datatype: str, count: int, rows: int) -> None:
    """Raises TensorInvalid for an output that has no order, RequestMalformed for a `count` that cannot be."""
    if datatype == "BYTES":
        raise TensorInvalid(f"output {name!r} is BYTES; classification takes numbers")
    if count < 1:
        raise RequestMalformed(f"classification of output {name!r} is {count}; it must be 1 or more")
    if count * rows > MAX_TEXTS:
        raise RequestMalformed(f"classification of {rows} rows gives at most {MAX_TEXTS // rows} classes each, not {count}")


def classify(array: Array, count: int, labels: Sequence[str], *, is_batched: bool) -> Array:
    """The `count` highest of `array`, or of each of its rows: texts `score:index` or `score:index:label`, the highest first.

    `array` is of any shape; the answer is [count], or [rows, count]. With fewer numbers than `count` all of them are given. Of
    equal numbers the earlier comes first; NaN comes last. `labels` are used where there is one for each number.
    """
    is_batched = is_batched and array.ndim > 0
    rows = array.reshape(len(array), -1) if is_batched else array.reshape(1, -1)
    known = labels if len(labels) == rows.shape[1] else ()
    order = np.argsort(_descending(rows), axis=1, kind="stable")[:, :count]
    texts = np.empty(order.shape, np.object_)
    for row, indexes in enumerate(order.tolist()):
        texts[row] = [_text(rows[row, it].item(), it, known) for it in indexes]
    return texts if is_batched else texts[0]


def _descending(rows: Array) -> Array:
    """Numbers whose ascending order is the descending one of `rows`, exactly."""
    return ~rows if rows.dtype.kind in "iub" else -rows  # ~ is -1 - x: no integer overflows


def _text(score: float, index: int, labels: Sequence[str]) -> str:
    number = f"{score:f}" if isinstance(score, float) else str(int(score))
    return f"{number}:{index}:{labels[index]}" if labels else f"{number}:{index}"
