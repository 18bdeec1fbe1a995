"""Prediction requests: rows by name become inputs that fit the model, or every problem is said to be the caller's."""

import json
from types import SimpleNamespace
from typing import Any, cast

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from gateway.predict.features import features_of
from gateway.predict.rows import RowsDecoder
from serving.datatypes import DTYPES
from serving.models import Model
from tests.fuzz.refusals import demand_callers_fault
from tests.fuzz.source import Source

SEEDS = [
    b"\x01" + b'{"rows":[{"amount":12.5,"country":"CH"},{"amount":1,"country":"DE"}]}',
    b"\x03" + b'{"rows":[{"a":1,"b":true,"c":-5}]}',
    b"\x04" + b'{"rows":[{"x":[[1,2],[3,4]]}]}',
    b"\x80\x01\x03\x02\x01\x00\x05",
]


def _decoder(*inputs: Tensor, joins: bool = True, features: object = None) -> tuple[RowsDecoder, tuple[Tensor, ...]]:
    metadata = {} if features is None else {"headrace.features": json.dumps(features)}
    model = SimpleNamespace(name="m", inputs=inputs, joins=joins, example={}, metadata=metadata)
    return RowsDecoder(features_of(cast("Model", model))), inputs


DECODERS = [
    _decoder(Tensor("amount", "FP32", (-1,)), Tensor("country", "BYTES", (-1, 1))),
    _decoder(Tensor("amount", "FP64", (-1, 1)), Tensor("country", "BYTES", (-1, 1)), Tensor("n", "UINT64", (-1,))),
    _decoder(Tensor("x", "FP16", (-1, 3)), features=["a", {"name": "b", "type": "boolean"}, {"name": "c", "type": "integer"}]),
    _decoder(Tensor("x", "INT8", (-1, 2, -1))),
    _decoder(Tensor("x", "FP32", (2, -1)), joins=False),
    _decoder(Tensor("flag", "BOOL", (-1,)), Tensor("small", "INT8", (-1,))),
]
NAMES = ("amount", "country", "n", "a", "b", "c", "x", "flag", "small", "é")


def check(data: bytes) -> None:
    """Raises if rows break the decoder, or become what does not fit the model."""
    source = Source(data)
    choice = source.byte()
    decoder, inputs = DECODERS[choice % 64 % len(DECODERS)]
    body = source.json(_request(source)) if choice >= 64 else source.rest()
    try:
        arrays, rows = decoder.decode(body)
    except HeadraceError as error:
        demand_callers_fault(error)
        return
    assert rows > 0
    assert list(arrays) == [it.name for it in inputs]
    for tensor, array in zip(inputs, arrays.values(), strict=True):
        assert array.dtype == DTYPES[tensor.datatype]
        assert len(array.shape) == len(tensor.shape)
        assert all(wanted in (-1, size) for wanted, size in zip(tensor.shape, array.shape, strict=True))
        assert tensor.shape[0] != -1 or array.shape[0] == rows


def _request(source: Source) -> object:
    rows: list[Any] = [_row(source) for _ in range(source.below(4))]
    request: dict[str, Any] = {"rows": rows}
    if not source.below(8):
        request[source.pick(("rows", "row", "id", "parameters"))] = source.value()
    return request if source.below(16) else source.value()


def _row(source: Source) -> object:
    if not source.below(16):
        return source.value()
    return {source.pick(NAMES): source.value() if source.below(2) else source.number() for _ in range(source.below(5))}
