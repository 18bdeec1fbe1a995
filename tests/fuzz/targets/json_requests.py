"""Inference requests in JSON, and generate requests: only what the protocol says is taken, and by both ways alike."""

import numpy as np

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.datatypes import DTYPES
from serving.generate import as_infer_body
from serving.requests import InferRequest, RequestDecoder
from tests.fuzz.refusals import demand_callers_fault
from tests.fuzz.source import Source

OUTPUTS = (Tensor("y", "FP32", (-1, 2)), Tensor("label", "BYTES", (-1,)))
SEEDS = [
    b"\x01" + b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1.5,2]}]}',
    b"\x02" + b'{"id":"a","inputs":[{"name":"x","shape":[2],"datatype":"INT8","data":[-128,127]}],"outputs":[{"name":"y"}]}',
    b"\x03" + b'{"x":["a","b"],"id":"7","parameters":{"a":1}}',
    b"\x00\x06\x00\x00\x01\x02\x00\x03\x02",
]
SIGNATURES: list[tuple[Tensor, ...]] = [
    (Tensor("x", datatype, shape),)
    for shape in ((-1, 2), (-1,), (2, -1), (-1, -1, 2), ())
    for datatype in ("FP32", "INT8", "UINT64", "BOOL", "BYTES", "FP16", "FP64", "INT64")
]
DECODERS = [RequestDecoder(it, OUTPUTS, is_batched=bool(it[0].shape) and it[0].shape[0] == -1) for it in SIGNATURES]
TWO = (Tensor("x", "FP32", (-1, 2)), Tensor("z", "BYTES", (-1,)))
DECODERS.append(RequestDecoder(TWO, OUTPUTS, is_batched=True))
SIGNATURES.append(TWO)


def check(data: bytes) -> None:
    """Raises if a request breaks the decoder, or decodes to what it does not say."""
    source = Source(data)
    mode, index = source.below(4), source.below(len(DECODERS))
    if mode == 0:
        body = source.json(_request(source, SIGNATURES[index]))
    elif mode == 3:
        body = _generated(source.rest(), SIGNATURES[index])
    else:
        body = source.rest()
    request = _decode(DECODERS[index], body)
    if request is None:
        return
    _check_arrays(request, SIGNATURES[index])
    spaced = _decode(DECODERS[index], body + b" " * 2000)  # too long for the quick way
    assert spaced is not None
    for name, array in request.inputs.items():
        np.testing.assert_array_equal(array, spaced.inputs[name])
    assert (request.rows, request.outputs, request.id) == (spaced.rows, spaced.outputs, spaced.id)


def _decode(decoder: RequestDecoder, body: bytes) -> InferRequest | None:
    try:
        return decoder.decode(body)
    except HeadraceError as error:
        demand_callers_fault(error)
        return None


def _check_arrays(request: InferRequest, signature: tuple[Tensor, ...]) -> None:
    assert list(request.inputs) == [it.name for it in signature]
    for tensor, array in zip(signature, request.inputs.values(), strict=True):
        assert array.dtype == DTYPES[tensor.datatype]
        assert len(array.shape) == len(tensor.shape)
        assert all(wanted in (-1, size) for wanted, size in zip(tensor.shape, array.shape, strict=True))


def _request(source: Source, signature: tuple[Tensor, ...]) -> object:
    inputs = [_tensor(source, it) for it in signature]
    request = {"inputs": source.value() if not source.below(16) else inputs}
    for key in ("id", "outputs", "parameters"):
        if not source.below(4):
            request[key] = source.value()
    if not source.below(6):
        outputs = [{"name": "y", "parameters": {"classification": source.number(), "binary_data": bool(source.below(2))}}]
        request["outputs"] = outputs
    return request


def _tensor(source: Source, tensor: Tensor) -> object:
    shape = [source.number() if not source.below(8) else source.below(4) if it == -1 else it for it in tensor.shape]
    declared = {"name": tensor.name, "shape": shape, "datatype": tensor.datatype, "data": _data(source, shape)}
    for key in tuple(declared):
        if not source.below(12):
            declared[key] = source.value()
    if not source.below(8):
        declared["parameters"] = {"binary_data_size": source.value()}
    return declared


def _data(source: Source, shape: list[int]) -> object:
    count = 1
    for it in shape:
        count = min(200, max(0, count * it))
    values = [source.value(4) if not source.below(12) else source.byte() - 128 for _ in range(count)]
    if source.below(2) and len(shape) == 2 and shape[1] > 0:
        return [values[at : at + shape[1]] for at in range(0, count, shape[1])]
    return values


def _generated(body: bytes, signature: tuple[Tensor, ...]) -> bytes:
    try:
        return as_infer_body(body, signature)
    except HeadraceError as error:
        demand_callers_fault(error)
        return b""
