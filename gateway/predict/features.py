"""From a model's signature and its file's metadata to the columns of a row."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct

from contracts.signature import Tensor
from serving.datatypes import DTYPES
from serving.models import Model

logger = logging.getLogger(__name__)

FEATURES_KEY: Final = "headrace.features"
"""Key of the file's metadata: a JSON list of feature names, or of objects with `name`, `description` and `type`."""
MAX_ROWS: Final = 4096
"""Rows of one call: as many as the largest batch may have."""

Kind = Literal["number", "integer", "boolean", "string"]
KINDS: Final[dict[str, Kind]] = {"f": "number", "i": "integer", "u": "integer", "b": "boolean", "O": "string"}
"""By the letter numpy has for it."""
NARROWED: Final[dict[Kind, tuple[Kind, ...]]] = {
    "number": ("integer", "boolean"),
    "integer": ("boolean",),
    "boolean": (),
    "string": (),
}
"""What a feature's `type` can make of its tensor's datatype."""


class Feature(Struct, frozen=True):
    """One entry of `headrace.features`."""

    name: str
    description: str = ""
    type: Kind | None = None


class Column(Struct, frozen=True):
    """One value of a row."""

    name: str
    datatype: str
    """The protocol's word for what it becomes."""
    kind: Kind
    shape: tuple[int, ...] = ()
    """Of the nested lists it is; () is a single value, and -1 a free length."""
    description: str = ""

    @property
    def is_nullable(self) -> bool:
        """Whether null may stand for a value that is missing: NaN."""
        return DTYPES[self.datatype].kind == "f"


class Block(Struct, frozen=True):
    """The columns that become one input: single values side by side, or one column of nested lists."""

    tensor: Tensor
    columns: tuple[Column, ...]

    @property
    def is_nested(self) -> bool:
        return self.columns[0].shape != ()


class Features(Struct, frozen=True):
    """What a row of a model is."""

    blocks: tuple[Block, ...]
    """In the order of the signature."""
    has_rows: bool
    """The inputs' first dimension counts rows, and is no part of the cells. Otherwise a cell is a whole input."""
    max_rows: int
    is_rowwise: bool
    """The outputs can be handed out row by row."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Of all blocks, from left to right."""
        return tuple(column for block in self.blocks for column in block.columns)


def features_of(model: Model) -> Features:
    """How `model` takes rows.

    Where its rows are known to depend on each other, or its inputs have no first dimension in common, it takes one row at a time.
    """
    has_rows = all(it.shape and it.shape[0] in (-1, 1) for it in model.inputs)
    is_free = has_rows and all(it.shape[0] == -1 for it in model.inputs)
    is_rowwise = bool(model.inputs) and (model.joins or (is_free and not model.example))
    described = _described(model.metadata.get(FEATURES_KEY))
    blocks = tuple(_block(it, has_rows, described, len(model.inputs) == 1) for it in model.inputs)
    names = [column.name for block in blocks for column in block.columns]
    if len(set(names)) < len(names):
        logger.warning("the features of %s have names that occur twice; they are called by their inputs instead", model.name)
        blocks = tuple(_block(it, has_rows, (), is_only=False) for it in model.inputs)
    return Features(blocks, has_rows, MAX_ROWS if is_rowwise else 1, is_rowwise)


def _block(tensor: Tensor, has_rows: bool, described: Sequence[Feature], is_only: bool) -> Block:
    shape = tensor.shape[1:] if has_rows else tensor.shape
    if is_only and described and (len(described),) == (shape or (1,)):
        return Block(tensor, tuple(_column(tensor, it) for it in described))
    by_name: Mapping[str, Feature] = {it.name: it for it in described}
    feature = by_name.get(tensor.name, Feature(tensor.name))
    if shape in ((), (1,)):
        return Block(tensor, (_column(tensor, feature),))
    kind = KINDS[DTYPES[tensor.datatype].kind]
    return Block(tensor, (Column(tensor.name, tensor.datatype, kind, shape, feature.description),))


def _column(tensor: Tensor, feature: Feature) -> Column:
    kind = KINDS[DTYPES[tensor.datatype].kind]
    if feature.type in NARROWED[kind]:
        kind = feature.type
    return Column(feature.name, tensor.datatype, kind, (), feature.description)


def _described(text: str | None) -> Sequence[Feature]:
    if text is None:
        return ()
    try:
        entries = msgspec.json.decode(text, type=list[str | Feature])
    except (msgspec.DecodeError, RecursionError) as error:
        logger.warning("the file's %s is not as it should be: %s", FEATURES_KEY, error)
        return ()
    return [Feature(it) if isinstance(it, str) else it for it in entries]
