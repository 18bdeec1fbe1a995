"""From a model's outputs to predictions: one object for each row, with labels and scores by name."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import orjson

from contracts.errors import Invalid
from contracts.signature import Tensor
from gateway.predict.features import KINDS, Features
from serving.datatypes import DTYPES
from serving.tensors import Array

LABEL: Final = "label"
LABEL_WORDS: Final = ("label", "class")
"""An output of one whole number a row is taken for a class if its name has one of these in it."""
Schema = dict[str, Any]
"""A JSON Schema."""
NUMPY: Final = orjson.OPT_SERIALIZE_NUMPY


class RowsMixed(Invalid):
    """What the model gave cannot be told apart by rows."""

    title = "Rows mixed"

    def __init__(self, output: str, rows: int, got: tuple[int, ...]) -> None:
        super().__init__(f"output {output!r} has the shape {list(got)} for {rows} rows; call the model by /v2 instead")


class Field(ABC):
    """One entry of a prediction."""

    def __init__(self, name: str, schema: Schema) -> None:
        self.name, self.schema = name, schema

    @abstractmethod
    def values(self, array: Array) -> Sequence[Any]:
        """One for each row of `array`, of a kind orjson writes."""


class Values(Field):
    """One value a row, as it is. `array` may be [rows] or [rows, 1]."""

    def values(self, array: Array) -> Sequence[Any]:
        values = array.ravel()
        return list(values) if values.dtype.kind == "f" else values.tolist()  # float32 is written with its own few digits


class Lists(Field):
    """Nested lists."""

    def values(self, array: Array) -> Sequence[Any]:
        return array.tolist() if array.dtype.kind == "O" else list(np.ascontiguousarray(array))


class Classes(Field):
    """The label whose index the model gives. `array` may be [rows] or [rows, 1]."""

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        super().__init__(name, {"type": "string", "examples": list(labels)})
        self._labels = labels

    def values(self, array: Array) -> Sequence[Any]:
        labels = self._labels
        return [labels[it] if 0 <= it < len(labels) else str(it) for it in array.ravel().tolist()]


class Scores(Field):
    """A number for each label. `array` is [rows, labels]."""

    def __init__(self, name: str, labels: Sequence[str], number: Schema) -> None:
        super().__init__(name, {"type": "object", "properties": dict.fromkeys(labels, number), "required": list(labels)})
        self._labels = labels

    def values(self, array: Array) -> Sequence[Any]:
        return [dict(zip(self._labels, row, strict=True)) for row in array]


class Best(Field):
    """The label of the highest score. `array` is [rows, labels]."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(LABEL, {"type": "string", "enum": list(labels)})
        self._labels = labels

    def values(self, array: Array) -> Sequence[Any]:
        return [self._labels[it] for it in array.argmax(axis=1).tolist()]


class AnswerEncoder:
    """Encodes the answers of one model."""

    def __init__(self, version: str, outputs: Sequence[Tensor], labels: Sequence[str], features: Features) -> None:
        """`labels` are the classes' names by index; none where the file brings none."""
        self._outputs = [(it.name, _has_rows(it, features)) for it in outputs]
        labels = labels if len(set(labels)) == len(labels) else ()
        pairs = list(enumerate(_field(it, labels, has_rows=has) for it, (_, has) in zip(outputs, self._outputs, strict=True)))
        scores = next((index for index, it in pairs if isinstance(it, Scores)), None)
        if scores is not None and all(it.name.lower() != LABEL and not isinstance(it, Classes) for _, it in pairs):
            pairs.insert(0, (scores, Best(labels)))
        self._sources = [index for index, _ in pairs]
        self.fields = [it for _, it in pairs]
        """Of each prediction, in order."""
        self._names = [it.name for it in self.fields]
        self._tail = b',"model_version":%s}' % orjson.dumps(version)

    def encode(self, arrays: Sequence[Array], rows: int) -> bytes:
        """The answer of which `arrays` are all outputs, in the signature's order. Raises RowsMixed."""
        parts = [self._by_row(index, it, rows) for index, it in enumerate(arrays)]
        columns = [field.values(parts[source]) for field, source in zip(self.fields, self._sources, strict=True)]
        predictions = [dict(zip(self._names, row, strict=True)) for row in zip(*columns, strict=True)]
        return b'{"predictions":%s%s' % (orjson.dumps(predictions, option=NUMPY), self._tail)

    def _by_row(self, index: int, array: Array, rows: int) -> Array:
        name, has_rows = self._outputs[index]
        if not has_rows:
            return array[np.newaxis]
        if len(array) != rows:
            raise RowsMixed(name, rows, array.shape)
        return array


def _has_rows(output: Tensor, features: Features) -> bool:
    """Whether its first dimension counts rows; otherwise it is, as a whole, the one row's."""
    return features.is_rowwise or (features.has_rows and output.shape[:1] == (1,))


def _field(output: Tensor, labels: Sequence[str], *, has_rows: bool) -> Field:
    kind = KINDS[DTYPES[output.datatype].kind]
    value: Schema = {"type": ["number", "null"] if kind == "number" else kind}
    shape = output.shape[1:] if has_rows else output.shape
    if kind == "number" and labels and shape == (len(labels),):
        return Scores(output.name, labels, value)
    if shape not in ((), (1,)):
        return Lists(output.name, nested(value, shape))
    if kind == "integer" and labels and any(it in output.name.lower() for it in LABEL_WORDS):
        return Classes(output.name, labels)
    return Values(output.name, value)


def nested(value: Schema, shape: Sequence[int]) -> Schema:
    """The schema of lists of such a shape; -1 is any length."""
    for extent in reversed(shape):
        bounds = {} if extent == -1 else {"minItems": extent, "maxItems": extent}
        value = {"type": "array", "items": value, **bounds}
    return value
