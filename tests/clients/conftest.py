"""A real gateway, with its HTTP and its gRPC port, that other people's clients call."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.clients.tensors import every_datatype
from tests.gateway.breakable import BreakableValkey
from tests.gateway.running import RunningGateway
from tests.gateway.tables import authorization, deployment, revision, store_model
from tests.models import sum_model
from tests.services import free_port


class Address(NamedTuple):
    """Where a gateway is called."""

    http: str
    """Host and port."""
    grpc: str

    @property
    def key(self) -> str:
        return authorization()["Authorization"].removeprefix("Bearer ")


Start = Callable[[dict[str, Path]], Address]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Generator[Start]:
    """Starts a gateway that serves model files by name."""
    directory = tmp_path_factory.mktemp("clients")
    valkey = BreakableValkey(directory)
    valkey.start()
    gateway = RunningGateway(directory, valkey)

    def run(files: dict[str, Path]) -> Address:
        port = free_port()
        gateway.publish(*[deployment(name, revision(store_model(gateway.artifacts, it))) for name, it in files.items()])
        gateway.start(grpc_port=port)
        return Address(f"127.0.0.1:{gateway.port}", f"127.0.0.1:{port}")

    yield run
    gateway.close()
    valkey.kill()


@pytest.fixture(scope="module")
def address(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Address:
    """Of a gateway that serves `everything`, one input of each datatype, `typed`, the same but for FP16, and `sum`, whose `y` [N]
    is the sum of `x` [N, 4]."""
    directory = tmp_path_factory.mktemp("models")
    return start(
        {
            "everything": every_datatype(directory / "everything.onnx"),
            "typed": every_datatype(directory / "typed.onnx", but="FP16"),
            "sum": sum_model(directory / "sum.onnx"),
        }
    )
