"""From output arrays to an encoded ModelInferResponse. As with Triton, outputs always go out in raw_output_contents."""

from collections.abc import Sequence

from serving.datatypes import datatype_of
from serving.grpc.messages import ModelInferResponse, ModelStreamInferResponse
from serving.grpc.wire import INFER_RESPONSE, RAW_OUTPUT_CONTENTS, head
from serving.models import Model
from serving.requests import InferRequest
from serving.responses import packed
from serving.tensors import Array

FINAL_RESPONSE = "triton_final_response"


def encode(model: Model, request: InferRequest, outputs: Sequence[Array], *, is_marked_final: bool = False) -> bytes:
    """The answer to `request`: `outputs` are those it asked for, in its order."""
    arrays = model.encoder.classified(request, outputs) if request.classes else outputs
    message = ModelInferResponse(model_name=model.name, model_version=model.version, id=request.id or "")
    if is_marked_final:
        message.parameters[FINAL_RESPONSE].bool_param = True
    pieces: list[bytes | memoryview] = [b""]
    for name, array in zip(request.outputs, arrays, strict=True):
        message.outputs.add(name=name, datatype=datatype_of(array.dtype), shape=array.shape)
        blob = _raw(array)
        pieces += (head(RAW_OUTPUT_CONTENTS, memoryview(blob).nbytes), blob)
    pieces[0] = message.SerializeToString()
    return b"".join(pieces)


def in_stream(response: bytes) -> bytes:
    """A ModelStreamInferResponse around an encoded ModelInferResponse."""
    return head(INFER_RESPONSE, len(response)) + response


def stream_error(text: str, request_id: str) -> bytes:
    """The ModelStreamInferResponse that tells what went wrong with one request."""
    return ModelStreamInferResponse(error_message=text, infer_response=ModelInferResponse(id=request_id)).SerializeToString()


def _raw(array: Array) -> bytes | memoryview:
    """A binary tensor; the array's own memory where that is what goes out."""
    return array.data if array.flags.c_contiguous and array.dtype.kind != "O" and array.ndim else packed(array)
