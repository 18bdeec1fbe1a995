"""From the bytes of an inference request to numpy arrays: the protocol's JSON, and its binary tensor extension.

Nothing is allocated from a number in the request before that number was checked against the bytes that are there. Sources:
kserve/open-inference-protocol, and Triton's binary data extension.
"""

import math
import zlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
import simdjson
from msgspec import Raw, Struct

from contracts.errors import TooLarge
from contracts.signature import Tensor
from serving.datatypes import DTYPES, INTEGER_RANGES
from serving.errors import EncodingUnsupported, RequestMalformed, ShapeMismatch, TensorInvalid

Array = np.ndarray[Any, np.dtype[Any]]

SMALL_DATA_BYTES: Final = 512
"""Up to here msgspec builds the list faster; above it simdjson's buffer wins (784 floats: 11 µs against 32 µs)."""
MAX_RANK: Final = 32


class RequestedOutput(Struct, frozen=True):
    """One output the caller wants, in binary or not; `parameters` come as they were sent."""

    name: str
    parameters: dict[str, Any] = {}


class _TensorIn(Struct):
    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: Raw = Raw()
    """Undecoded; empty if it was not given."""


class _RequestIn(Struct):
    inputs: list[_TensorIn]
    outputs: list[RequestedOutput] = []
    id: str | None = None
    parameters: dict[str, Any] = {}


class InferRequest:
    """A decoded request. `inputs` are by name, checked against the model's signature; `rows` is their common first dimension."""

    __slots__ = ("binary_output", "id", "inputs", "outputs", "rows")

    def __init__(
        self, inputs: dict[str, Array], rows: int, outputs: tuple[RequestedOutput, ...], request_id: str | None, binary: bool
    ) -> None:
        self.inputs = inputs
        self.rows = rows
        self.outputs = outputs
        """Empty means all."""
        self.id = request_id
        self.binary_output = binary
        """Whether outputs go out in binary unless one says otherwise."""


class RequestDecoder:
    """Decodes requests to one model, whose signature it holds."""

    def __init__(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> None:
        self._inputs = {it.name: it for it in inputs}
        self._outputs = {it.name for it in outputs}
        self._decoder = msgspec.json.Decoder(_RequestIn)

    def decode(self, body: bytes | bytearray, header_length: bytes | None = None) -> InferRequest:
        """Decode `body`; `header_length` is the header Inference-Header-Content-Length. Raises RequestMalformed."""
        header, offset = (body, len(body)) if header_length is None else _split(body, header_length)
        request = self._parse(header)
        arrays: dict[str, Array] = {}
        for tensor in request.inputs:
            wanted = self._inputs.get(tensor.name)
            if wanted is None:
                raise TensorInvalid(f"the model has no input {tensor.name!r}; it takes {', '.join(map(repr, self._inputs))}")
            if tensor.name in arrays:
                raise TensorInvalid(f"input {tensor.name!r} is given twice")
            _check_declaration(tensor, wanted)
            arrays[tensor.name], offset = _read(tensor, body, offset)
        if offset != len(body):
            raise RequestMalformed(f"{len(body) - offset} bytes follow the last binary tensor")
        if len(arrays) != len(self._inputs):
            missing = next(name for name in self._inputs if name not in arrays)
            raise TensorInvalid(f"input {missing!r} is missing")
        self._check_outputs(request.outputs)
        rows = next((int(it.shape[0]) if it.ndim else 1 for it in arrays.values()), 1)
        binary = request.parameters.get("binary_data_output", False) is True
        return InferRequest(arrays, rows, tuple(request.outputs), request.id, binary)

    def _parse(self, header: bytes | bytearray) -> _RequestIn:
        try:
            return self._decoder.decode(header)
        except msgspec.ValidationError as error:
            raise RequestMalformed(f"the request is not one of the protocol: {error}") from error
        except msgspec.DecodeError as error:
            raise RequestMalformed(f"the request is not JSON: {error}") from error
        except UnicodeDecodeError as error:
            raise RequestMalformed(f"the request is not UTF-8 at byte {error.start}") from error
        except RecursionError as error:
            raise RequestMalformed("the request is nested too deeply") from error

    def _check_outputs(self, outputs: list[RequestedOutput]) -> None:
        seen = set[str]()
        for output in outputs:
            if output.name not in self._outputs:
                raise TensorInvalid(
                    f"the model has no output {output.name!r}; it gives {', '.join(map(repr, sorted(self._outputs)))}"
                )
            if output.name in seen:
                raise TensorInvalid(f"output {output.name!r} is asked for twice")
            if "classification" in output.parameters:
                raise RequestMalformed("the classification extension is not supported")
            seen.add(output.name)


def decompress(body: bytes, encoding: bytes, limit: int) -> bytes:
    """The body behind a Content-Encoding, at most `limit` bytes. Raises EncodingUnsupported, RequestMalformed or TooLarge."""
    if encoding in (b"gzip", b"x-gzip"):
        window = 16 + zlib.MAX_WBITS
    elif encoding == b"deflate":
        window = zlib.MAX_WBITS
    else:
        raise EncodingUnsupported(f"Content-Encoding {encoding.decode('latin-1')!r} is not supported; use gzip or deflate")
    stream = zlib.decompressobj(window)
    try:
        plain = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise RequestMalformed(f"the body is not {encoding.decode()}: {error}") from error
    if len(plain) > limit:
        raise TooLarge(f"the decompressed body is larger than {limit} bytes")
    if not stream.eof or stream.unused_data:
        raise RequestMalformed(f"the {encoding.decode()} body is cut off or followed by other bytes")
    return plain


def _split(body: bytes | bytearray, header_length: bytes) -> tuple[bytes | bytearray, int]:
    if not header_length.isdigit() or len(header_length) > 12:
        raise RequestMalformed("Inference-Header-Content-Length is not a number of bytes")
    length = int(header_length)
    if length > len(body):
        raise RequestMalformed(f"Inference-Header-Content-Length is {length}, the body has {len(body)} bytes")
    return body[:length], length


def _check_declaration(tensor: _TensorIn, wanted: Tensor) -> None:
    if tensor.datatype != wanted.datatype:
        known = "" if tensor.datatype in DTYPES else "; that is no datatype this server knows"
        raise TensorInvalid(f"input {tensor.name!r} is {wanted.datatype}, not {tensor.datatype!r}{known}")
    if len(tensor.shape) != len(wanted.shape):
        raise ShapeMismatch(f"input {tensor.name!r} takes shape {list(wanted.shape)}, {len(tensor.shape)} dimensions were given")
    for given, expected in zip(tensor.shape, wanted.shape, strict=True):
        if given < 0:
            raise ShapeMismatch(f"input {tensor.name!r} has a negative dimension: {given}")
        if expected not in (-1, given):
            raise ShapeMismatch(f"input {tensor.name!r} takes shape {list(wanted.shape)}, not {tensor.shape}")


def _read(tensor: _TensorIn, body: bytes | bytearray, offset: int) -> tuple[Array, int]:
    """The tensor's array, and where the next binary tensor begins."""
    size = tensor.parameters.get("binary_data_size")
    if size is None:
        if not bytes(tensor.data):
            raise TensorInvalid(f"input {tensor.name!r} has neither data nor binary_data_size")
        return _from_json(tensor, tensor.data), offset
    if bytes(tensor.data):
        raise TensorInvalid(f"input {tensor.name!r} has both data and binary_data_size")
    if type(size) is not int or size < 0 or size > len(body) - offset:
        raise RequestMalformed(
            f"binary_data_size of input {tensor.name!r} is {size!r}, {len(body) - offset} bytes are left in the body"
        )
    return _from_bytes(tensor, body, offset, size), offset + size


def _from_bytes(tensor: _TensorIn, body: bytes | bytearray, offset: int, size: int) -> Array:
    count = math.prod(tensor.shape)
    dtype = DTYPES[tensor.datatype]
    if tensor.datatype == "BYTES":
        return _strings_from_bytes(tensor, memoryview(body)[offset : offset + size], count)
    if count * dtype.itemsize != size:
        raise ShapeMismatch(
            f"input {tensor.name!r}, {tensor.datatype} of shape {tensor.shape}, takes {count * dtype.itemsize} bytes, not {size}"
        )
    array = np.frombuffer(body, dtype, count, offset) if count else np.empty(0, dtype)
    if count and tensor.datatype == "BOOL" and array.view(np.uint8).max() > 1:
        raise TensorInvalid(f"input {tensor.name!r} is BOOL; its bytes must be 0 or 1")
    return _shaped(tensor, array)


def _strings_from_bytes(tensor: _TensorIn, data: memoryview, count: int) -> Array:
    if count * 4 > len(data):
        raise ShapeMismatch(f"input {tensor.name!r} of shape {tensor.shape} has too few bytes for {count} strings")
    values: list[bytes] = []
    position = 0
    while position < len(data):
        end = position + 4
        length = int.from_bytes(data[position:end], "little")
        if end > len(data) or length > len(data) - end:
            raise RequestMalformed(f"string {len(values)} of input {tensor.name!r} runs past the tensor's bytes")
        values.append(bytes(data[end : end + length]))
        position = end + length
    return _filled(tensor, values, count)


def _from_json(tensor: _TensorIn, data: Raw) -> Array:
    raw = bytes(data)
    kind = DTYPES[tensor.datatype].kind
    values = _decode_flat(raw, kind) if raw.count(b"[") == 1 or kind == "O" else None
    if values is None:
        values = _flatten(tensor, _decode_any(tensor, raw))
    count = math.prod(tensor.shape)
    if len(values) != count:
        raise ShapeMismatch(f"input {tensor.name!r} of shape {tensor.shape} takes {count} values, {len(values)} were given")
    return _typed(tensor, values, count)


def _decode_flat(raw: bytes, kind: str) -> "list[Any] | Array | None":
    """The values of a flat array of the expected kind, or None: then the slow way finds out what is wrong, if anything is."""
    try:
        if kind == "f" and len(raw) > SMALL_DATA_BYTES:
            return np.frombuffer(simdjson.Parser().parse(raw).as_buffer(of_type="d"), np.float64)  # type: ignore[union-attr]
        return msgspec.json.decode(raw, type=_LISTS[kind])
    except (msgspec.MsgspecError, ValueError, TypeError, AttributeError, RecursionError):
        return None


_LISTS: Final[Mapping[str, Any]] = {"f": list[float], "i": list[int], "u": list[int], "b": list[bool], "O": list[str]}


def _decode_any(tensor: _TensorIn, raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except RecursionError as error:
        raise RequestMalformed(f"the data of input {tensor.name!r} is nested too deeply") from error
    except msgspec.DecodeError as error:
        raise RequestMalformed(f"the data of input {tensor.name!r} is not JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise RequestMalformed(f"the data of input {tensor.name!r} is not UTF-8 at byte {error.start}") from error


def _flatten(tensor: _TensorIn, data: Any) -> list[Any]:
    """Flat values of flat or nested `data`; nested data must have exactly the declared shape."""
    if not isinstance(data, list):
        data = [data]
    if not any(isinstance(it, list) for it in data):
        return data
    level: list[Any] = [data]
    for depth, size in enumerate(tensor.shape):
        below: list[Any] = []
        for it in level:
            if not isinstance(it, list) or len(it) != size:
                raise ShapeMismatch(
                    f"the data of input {tensor.name!r} is not nested as shape {tensor.shape} says, in dimension {depth}"
                )
            below.extend(it)
        level = below
    return level


def _typed(tensor: _TensorIn, values: "list[Any] | Array", count: int) -> Array:
    datatype, dtype = tensor.datatype, DTYPES[tensor.datatype]
    if isinstance(values, np.ndarray):
        return _shaped(tensor, _narrowed(tensor, values, dtype))
    wanted = _ELEMENTS[dtype.kind]
    for index, value in enumerate(values):
        if type(value) not in wanted:
            shown = msgspec.json.encode(value).decode()[:40]
            raise TensorInvalid(f"value {index} of input {tensor.name!r} is {shown}; {datatype} takes {_WORDS[dtype.kind]}")
    if dtype.kind == "O":
        return _filled(tensor, values, count)
    if dtype.kind in "iu" and values:
        _check_range(tensor, values)
    try:
        array = np.array(values, np.float64 if dtype.kind == "f" else dtype)
    except OverflowError as error:
        raise TensorInvalid(f"input {tensor.name!r} holds a number too large for {datatype}") from error
    return _shaped(tensor, _narrowed(tensor, array, dtype))


_ELEMENTS: Final = {"f": (float, int), "i": (int,), "u": (int,), "b": (bool,), "O": (str,)}
_WORDS: Final = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "true and false", "O": "strings"}


def _check_range(tensor: _TensorIn, values: list[Any]) -> None:
    low, high = INTEGER_RANGES[tensor.datatype]
    for extreme in (min(values), max(values)):
        if not low <= extreme <= high:
            raise TensorInvalid(f"value {extreme} of input {tensor.name!r} is outside of {tensor.datatype}: {low} to {high}")


def _narrowed(tensor: _TensorIn, array: Array, dtype: np.dtype[Any]) -> Array:
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore"):
        narrow = array.astype(dtype)
    if dtype.kind == "f" and not np.isfinite(narrow).all():
        raise TensorInvalid(f"input {tensor.name!r} holds a number too large for {tensor.datatype}")
    return narrow


def _filled(tensor: _TensorIn, values: list[Any], count: int) -> Array:
    if len(values) != count:
        raise ShapeMismatch(f"input {tensor.name!r} of shape {tensor.shape} takes {count} strings, {len(values)} were given")
    array = np.empty(count, np.object_)
    array[:] = values
    return _shaped(tensor, array)


def _shaped(tensor: _TensorIn, array: Array) -> Array:
    try:
        return array.reshape(tensor.shape)
    except ValueError as error:  # a zero beside dimensions whose product no array can have
        raise ShapeMismatch(f"input {tensor.name!r} cannot have shape {tensor.shape}") from error
