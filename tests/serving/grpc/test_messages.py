"""The protocol's messages: what is shipped is what is written, and what is written is the protocol."""

import subprocess
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from serving.grpc.messages import DESCRIPTORS, PACKAGE, POOL

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from tritonclient.grpc import model_config_pb2, service_pb2

FILE: Any = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file[0]


def test_the_shipped_descriptors_are_those_of_the_source(tmp_path: Path) -> None:
    compiled = tmp_path / "inference.binpb"
    command = ["-m", "grpc_tools.protoc", f"-I{DESCRIPTORS.parent}", f"--descriptor_set_out={compiled}", "inference.proto"]
    subprocess.run([sys.executable, *command], check=True, timeout=60)
    assert compiled.read_bytes() == DESCRIPTORS.read_bytes(), "compile serving/grpc/inference.proto again: it says how"


def described(messages: Iterable[Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for it in messages:
        yield prefix + it.name, it
        yield from described(it.nested_type, f"{prefix}{it.name}.")


def theirs(name: str) -> Any:
    """Triton's message of that name, from where its client registers it."""
    first, *rest = name.split(".")
    files: Any = (service_pb2.DESCRIPTOR, model_config_pb2.DESCRIPTOR)
    found = next(it.message_types_by_name[first] for it in files if first in it.message_types_by_name)
    for part in rest:
        found = found.nested_types_by_name[part]
    return found


def kind(field: Any) -> tuple[Any, ...]:
    of = field.message_type or field.enum_type
    return field.number, field.type, field.is_repeated, of.full_name if of else ""


@pytest.mark.parametrize("name", [name for name, _ in described(FILE.message_type)])
def test_a_message_s_fields_are_those_of_the_protocol(name: str) -> None:
    ours = POOL.FindMessageTypeByName(f"{PACKAGE}.{name}")
    known = theirs(name).fields_by_name
    assert {it.name: kind(it) for it in ours.fields} == {it.name: kind(known[it.name]) for it in ours.fields}


def test_methods_are_those_of_the_protocol() -> None:
    files: Any = (POOL.FindFileByName("inference.proto"), service_pb2.DESCRIPTOR)
    ours, known = (it.services_by_name["GRPCInferenceService"] for it in files)
    for method in ours.methods:
        same = known.methods_by_name[method.name]
        assert method.input_type.full_name == same.input_type.full_name
        assert method.output_type.full_name == same.output_type.full_name
        assert (method.client_streaming, method.server_streaming) == (same.client_streaming, same.server_streaming)
