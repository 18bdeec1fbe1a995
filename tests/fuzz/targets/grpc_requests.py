"""ModelInferRequests: whatever bytes come, they are a request that fits the model, or a fault of the caller."""

from typing import Any

import numpy as np

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.datatypes import DTYPES
from serving.grpc.messages import ModelInferRequest
from serving.grpc.requests import WireRequest
from serving.requests import RequestDecoder
from tests.fuzz.refusals import demand_callers_fault
from tests.fuzz.source import Source

OUTPUTS = (Tensor("y", "FP32", (-1, 2)),)
DATATYPES = sorted(DTYPES)
SIGNATURES = [(Tensor("x", it, (-1, 2)), Tensor("z", "BYTES", (-1,)))[: 1 + (it == "INT64")] for it in DATATYPES]
DECODERS = [RequestDecoder(it, OUTPUTS, is_batched=True) for it in SIGNATURES]
CONTENTS = (
    "bool_contents", "int_contents", "int64_contents", "uint_contents", "uint64_contents", "fp32_contents", "fp64_contents",
    "bytes_contents",
)  # fmt: skip


def _seed(index: int) -> bytes:
    tensor = SIGNATURES[index][0]
    blob = bytes(8) if tensor.datatype == "BYTES" else bytes(2 * DTYPES[tensor.datatype].itemsize)
    request = ModelInferRequest(model_name="m", raw_input_contents=[blob])
    request.inputs.add(name="x", datatype=tensor.datatype, shape=[1, 2])
    return bytes([1, index]) + request.SerializeToString()


SEEDS = [*(_seed(it) for it in range(len(DATATYPES))), b"\x00\x03\x01\x02\x02\x00\x05\x04\x03\x02\x01"]


def check(data: bytes) -> None:
    """Raises if a message breaks the decoder, or decodes to what does not fit the model."""
    source = Source(data)
    is_whole, index = source.below(2), source.below(len(DECODERS))
    message = source.rest() if is_whole else _built(source, SIGNATURES[index])
    try:
        request = WireRequest(message).decode(DECODERS[index])
    except HeadraceError as error:
        demand_callers_fault(error)
        return
    for tensor, array in zip(SIGNATURES[index], request.inputs.values(), strict=True):
        assert array.dtype == DTYPES[tensor.datatype]
        assert array.shape[1:] == tensor.shape[1:]
        assert array.shape[0] == request.rows
    again = WireRequest(message).decode(DECODERS[index])
    for name, array in request.inputs.items():
        np.testing.assert_array_equal(array, again.inputs[name])


def _built(source: Source, signature: tuple[Tensor, ...]) -> bytes:
    request: Any = ModelInferRequest(model_name="m", id=source.take(3).decode("latin-1"))
    for tensor in signature:
        rows = source.number() if not source.below(6) else source.below(3)
        shape = [max(-(2**63), min(2**63 - 1, rows)), *tensor.shape[1:]]
        datatype = source.pick(DATATYPES) if not source.below(9) else tensor.datatype
        given = request.inputs.add(name=tensor.name, datatype=datatype, shape=shape)
        if source.below(3):
            size = max(0, min(rows, 4)) * (2 if len(shape) > 1 else 1) * DTYPES[tensor.datatype].itemsize
            request.raw_input_contents.append(bytes(source.byte() for _ in range(size)) + source.take(3 * (not source.below(6))))
        if not source.below(2):
            _fill(getattr(given.contents, source.pick(CONTENTS)), source)
    if not source.below(5):
        output = request.outputs.add(name=source.pick(("y", "q")))
        output.parameters["classification"].int64_param = source.below(5) - 1
    if not source.below(5):
        key = source.pick(("priority", "timeout", "binary_data_output", "other"))
        request.parameters[key].string_param = source.take(3).decode("latin-1")
    message = bytearray(request.SerializeToString())
    if message and not source.below(4):
        message[source.byte() % len(message)] = source.byte()
    return bytes(message)


def _fill(values: Any, source: Source) -> None:
    for _ in range(source.below(5)):
        try:
            values.append(source.pick((0, 1, -1, 200, 2**33, 2**63, 0.5, True, b"a", "text")))
        except (TypeError, ValueError, OverflowError):  # not of this field's kind
            values.extend(values[:1])
