"""From a ModelInferRequest to numpy arrays that fit the model; what holds of every protocol is checked where it is for HTTP."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from serving.errors import RequestMalformed, TensorInvalid
from serving.grpc.contents import from_contents
from serving.grpc.messages import ModelInferRequest, parameters_of, parse
from serving.grpc.wire import split_raw
from serving.requests import InferRequest, OutputIn, OutputParameters, RequestDecoder, RequestIn, RequestParameters, TensorIn
from serving.tensors import Array, from_bytes

SHARED_MEMORY: Final = "shared_memory_region"

Kind = TypeVar("Kind", bound=msgspec.Struct)


class WireRequest:
    """A ModelInferRequest as it came: parsed, but for its raw contents, which are `raw` pieces (offset, size) of `data`."""

    __slots__ = ("data", "message", "raw")

    def __init__(self, data: bytes) -> None:
        """Raises RequestMalformed."""
        rest, self.raw = split_raw(data)
        self.data = data
        self.message: Any = parse(ModelInferRequest, rest)

    @property
    def model_version(self) -> str | None:
        return self.message.model_version or None

    def decode(self, decoder: RequestDecoder) -> InferRequest:
        """Its arrays, checked against the model that `decoder` knows. Raises RequestMalformed."""
        request = _declared(self.message)
        if self.raw and len(self.raw) != len(request.inputs):
            raise RequestMalformed(f"{len(request.inputs)} inputs take as many raw_input_contents, {len(self.raw)} were given")
        arrays: dict[str, Array] = {}
        for index, tensor in enumerate(request.inputs):
            decoder.expect(tensor, arrays)
            arrays[tensor.name] = self._array(index, tensor)
        return decoder.complete(request, arrays)

    def _array(self, index: int, tensor: TensorIn) -> Array:
        given = self.message.inputs[index]
        if self.raw:
            if given.HasField("contents") and given.contents.ByteSize():  # MLServer sends empty ones along
                raise TensorInvalid(f"input {tensor.name!r} has contents, and the request raw_input_contents")
            return from_bytes(tensor.name, tensor.datatype, tensor.shape, self.data, *self.raw[index])
        if SHARED_MEMORY in given.parameters:
            raise TensorInvalid(f"input {tensor.name!r} lies in shared memory, which is not supported; send its values")
        return from_contents(tensor.name, tensor.datatype, tensor.shape, given.contents)


def _declared(message: Any) -> RequestIn:
    """What a request says of its tensors, without their values."""
    return RequestIn(
        inputs=[TensorIn(it.name, list(it.shape), it.datatype) for it in message.inputs],
        outputs=_outputs(message.outputs),
        id=message.id or None,
        parameters=_converted(message.parameters, RequestParameters, "the request"),
    )


def _outputs(wanted: Sequence[Any]) -> list[OutputIn]:
    for it in wanted:
        if SHARED_MEMORY in it.parameters:
            raise TensorInvalid(f"output {it.name!r} is to go to shared memory, which is not supported")
    return [OutputIn(it.name, _converted(it.parameters, OutputParameters, f"output {it.name!r}")) for it in wanted]


def _converted(parameters: Any, kind: type[Kind], where: str) -> Kind:
    if not parameters:
        return kind()
    try:
        return msgspec.convert(parameters_of(parameters), kind)
    except msgspec.ValidationError as error:
        raise RequestMalformed(f"parameters of {where}: {error}") from error
