"""From output arrays to the bytes of an answer, in JSON or with binary tensors.

JSON has no NaN and no infinity: all three become null, as JavaScript would have it. Who needs to tell them apart asks for binary
output, which is exact.
"""

from collections.abc import Sequence
from typing import Final

import orjson

from contracts.signature import Tensor
from serving.classification import classify
from serving.http import JSON, OCTETS
from serving.outcomes import Outcome, Rendered
from serving.requests import InferRequest
from serving.tensors import Array
from serving.tickets import Ticket

Answer = tuple[bytes | list[bytes], bytes, bytes]
"""Body, content type, further header lines."""

MAX_RENDERED: Final = 64 * 1024
"""Numbers that are written at once for all requests of a run."""
NUMPY: Final = orjson.OPT_SERIALIZE_NUMPY


class ResponseEncoder:
    """Encodes answers of one model; what is the same in all of them is rendered once."""

    def __init__(
        self, name: str, version: str, outputs: Sequence[Tensor], labels: Sequence[str] = (), *, is_batched: bool = False
    ) -> None:
        """`labels` are the class names of a classification; `is_batched`: each row of an output is classified by itself."""
        self._head = b'{"model_name":%s,"model_version":%s' % (orjson.dumps(name), orjson.dumps(version))
        self._tensors = {it.name: _opening(it.name, it.datatype) for it in outputs}
        self._labels, self._is_batched = labels, is_batched

    def encode_ticket(self, ticket: Ticket) -> Answer:
        """The answer to a ticket that has an outcome."""
        request, outcome = ticket.request, ticket.outcome
        assert outcome is not None
        if outcome.rows == request.rows or request.binary[0] or request.classes:
            return self.encode(request, ticket.outputs)
        rendered = outcome.rendered or _render(outcome)
        if rendered is None:
            return self.encode(request, ticket.outputs)
        tail, rows = rendered
        begin, count = ticket.begin, request.rows
        data = rows[begin] if count == 1 else b",".join(rows[begin : begin + count])
        head = self._head if request.id is None else self._head_of(request.id)
        return b'%s,"outputs":[%s[%d%s,"data":[%s]}]}' % (head, self._tensors[request.outputs[0]], count, tail, data), JSON, b""

    def encode(self, request: InferRequest, arrays: Sequence[Array]) -> Answer:
        """The answer to `request`: `arrays` are the outputs it asked for, in its order."""
        head = self._head if request.id is None else self._head_of(request.id)
        openings = self._tensors
        if request.classes:
            arrays, openings = self.classified(request, arrays), self._openings_of(request)
        if len(arrays) == 1 and not request.binary[0]:
            (array,) = arrays
            tensor = openings[request.outputs[0]]
            return b'%s,"outputs":[%s%s,"data":%s}]}' % (head, tensor, orjson.dumps(array.shape), _json_values(array)), JSON, b""
        tensors: list[bytes] = []
        blobs: list[bytes] = []
        for name, array, is_binary in zip(request.outputs, arrays, request.binary, strict=True):
            if is_binary:
                blob = packed(array)
                blobs.append(blob)
                content = b'"parameters":{"binary_data_size":%d}' % len(blob)
            else:
                content = b'"data":%s' % _json_values(array)
            tensors.append(b"%s%s,%s}" % (openings[name], orjson.dumps(array.shape), content))
        header = b'%s,"outputs":[%s]}' % (head, b",".join(tensors))
        if not blobs:
            return header, JSON, b""
        return [header, *blobs], OCTETS, b"inference-header-content-length: %d\r\n" % len(header)

    def classified(self, request: InferRequest, arrays: Sequence[Array]) -> list[Array]:
        """`arrays`, but the highest classes in place of those outputs for which `request` asks for them."""
        return [
            classify(array, count, self._labels, is_batched=self._is_batched) if count else array
            for array, count in zip(arrays, request.classes, strict=True)
        ]

    def _head_of(self, request_id: str) -> bytes:
        return b'%s,"id":%s' % (self._head, orjson.dumps(request_id))

    def _openings_of(self, request: InferRequest) -> dict[str, bytes]:
        classes = zip(request.outputs, request.classes, strict=True)
        return {name: _opening(name, "BYTES") if count else self._tensors[name] for name, count in classes}


def _opening(name: str, datatype: str) -> bytes:
    return b'{"name":%s,"datatype":"%s","shape":' % (orjson.dumps(name), datatype.encode())


def _json_values(array: Array) -> bytes:
    if array.dtype.kind == "O":
        return orjson.dumps(array.ravel().tolist())
    return orjson.dumps(array.ravel(), option=NUMPY)


def _render(outcome: Outcome) -> Rendered | None:
    """`outcome` in JSON, kept with it; None unless it is one output of numbers, and not so large that few may want it so."""
    array = outcome.outputs[0]
    if len(outcome.outputs) > 1 or array.dtype.kind == "O" or not 0 < array.size <= MAX_RENDERED:
        return None
    rows = orjson.dumps(array.reshape(outcome.rows, -1), option=NUMPY)[2:-2].split(b"],[")
    outcome.rendered = orjson.dumps(["", *array.shape[1:]])[3:], rows
    return outcome.rendered


def packed(array: Array) -> bytes:
    """A binary tensor."""
    if array.dtype.kind != "O":
        return array.tobytes()
    values: list[bytes] = [it.encode() for it in array.ravel().tolist()]
    return b"".join([len(it).to_bytes(4, "little") + it for it in values])
