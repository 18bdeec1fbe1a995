"""Inference requests with binary tensors, and bodies that are one tensor: no byte beyond the body is read, none is left over."""

import json
import struct

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.datatypes import DTYPES
from serving.requests import RequestDecoder
from serving.responses import ResponseEncoder
from tests.fuzz.refusals import demand_callers_fault
from tests.fuzz.source import Source

DATATYPES = sorted(DTYPES)
SEEDS = [
    b"\x01\x0a\x01\x02" + bytes(range(40)),
    b"\x00\x02\x01\x01" + struct.pack("<I", 3) + b"abc" + struct.pack("<I", 0),
    b"\x02\x05" + bytes(16),
    b"\x03" + b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}12345678',
]


def check(data: bytes) -> None:
    """Raises if a request breaks the decoder, or if what was decoded is not what was sent."""
    source = Source(data)
    mode, datatype = source.below(4), source.pick(DATATYPES)
    signature = (Tensor("x", datatype, (-1, 2)), Tensor("z", "INT16", (-1,)))[: 1 + (mode == 1)]
    outputs = (Tensor("x", datatype, (-1, 2)),)
    decoder = RequestDecoder(signature, outputs, is_batched=True)
    if mode == 2:
        length, body = b"0", source.rest()
    elif mode == 3:
        length = source.take(6)
        body = source.rest()
    else:
        rows = source.number() if not source.below(6) else source.below(4)
        header, blobs = _announced(source, signature, rows)
        length = source.take(4) if not source.below(10) else b"%d" % len(header)
        body = header + blobs + (source.take(2) if not source.below(6) else b"")
    try:
        request = decoder.decode(body, length)
    except HeadraceError as error:
        demand_callers_fault(error)
        return
    array = request.inputs["x"]
    assert array.dtype == DTYPES[datatype]
    assert array.nbytes <= len(body) or datatype == "BYTES"
    pieces, _, _ = ResponseEncoder("m", "1", outputs).encode(request, [array] * len(request.outputs))
    blob = pieces if isinstance(pieces, bytes) else pieces[-1]
    if all(request.binary):
        assert mode == 2 or bytes(blob) in body


def _announced(source: Source, signature: tuple[Tensor, ...], rows: int) -> tuple[bytes, bytes]:
    blobs = b""
    inputs: list[dict[str, object]] = []
    for it in signature:
        shape = [rows, *it.shape[1:]]
        size = max(0, rows) * (2 if len(shape) > 1 else 1) * DTYPES[it.datatype].itemsize
        if it.datatype == "BYTES":
            texts = [source.take(6) for _ in range(min(2 * max(0, rows), 8))]
            blob = b"".join(struct.pack("<I", source.number() % 2**32 if not source.below(9) else len(t)) + t for t in texts)
        else:
            blob = source.take() if not source.below(6) else bytes(source.byte() for _ in range(min(size, 64)))
        declared = source.value() if not source.below(9) else len(blob)
        blobs += blob
        inputs.append({"name": it.name, "shape": shape, "datatype": it.datatype, "parameters": {"binary_data_size": declared}})
    return json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode(), blobs
