"""The protocol's messages, in a descriptor pool of their own.

protobuf's default pool takes each name once, and Triton's client registers the same ones there: beside it, in one process, these
classes could otherwise not exist.
"""

from pathlib import Path
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from serving.errors import RequestMalformed

PACKAGE: Final = "inference"
SERVICE: Final = f"{PACKAGE}.GRPCInferenceService"
DESCRIPTORS: Final = Path(__file__).with_name("inference.binpb")
"""What inference.proto was compiled to."""


def _load() -> DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file:
        pool.Add(file)  # type: ignore[attr-defined]
    for module in (health_pb2, reflection_pb2):  # reflection answers for these services too
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    return pool


POOL: Final = _load()


def message(name: str) -> Any:
    """The class of the message `inference.<name>`."""
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))


InferParameter: Final = message("InferParameter")
ModelInferRequest: Final = message("ModelInferRequest")
ModelInferResponse: Final = message("ModelInferResponse")
ModelStreamInferResponse: Final = message("ModelStreamInferResponse")


def parse(kind: Any, data: bytes) -> Any:
    """The message of class `kind` in `data`. Raises RequestMalformed."""
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise RequestMalformed(f"the request is no {kind.DESCRIPTOR.full_name}: {error}") from error


def parameters_of(fields: Any) -> dict[str, Any]:
    """A map of InferParameter as plain values; a parameter without a value is left out."""
    choices = ((name, it, it.WhichOneof("parameter_choice")) for name, it in fields.items())
    return {name: getattr(it, choice) for name, it, choice in choices if choice is not None}
