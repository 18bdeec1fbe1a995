"""Servers and models for the tests of serving."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Protocol

import hypothesis
import pytest
import uvloop

from serving.http import Application, Limits, Server, listen
from serving.models import Model, load_model
from tests.serving.wire import Wire

hypothesis.settings.register_profile("serving", deadline=None)  # on a busy machine one example may take any time
hypothesis.settings.load_profile("serving")

LOAD_KEYWORDS = ("settings", "digest", "cache", "intra_op_threads", "queue_rows", "timeout_s", "tuning_budget_s")
Load = Callable[..., Model]
Dial = Callable[[Server], Awaitable[Wire]]


class Serve(Protocol):
    """Starts a server: `await serve(application, idle_timeout_s=…)`; the keywords are those of Limits."""

    def __call__(self, application: Application, **limits: float) -> Awaitable[Server]: ...


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that serves in production."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def serve() -> AsyncGenerator[Serve]:
    """Servers, drained when the test is over."""
    servers: list[Server] = []

    async def start(application: Application, **limits: float) -> Server:
        servers.append(await listen(application, Limits(**limits)))  # type: ignore[arg-type]
        return servers[-1]

    yield start
    for server in servers:
        await server.drain(1.0)


@pytest.fixture
async def dial() -> AsyncGenerator[Dial]:
    """Opens raw connections: `wire = await dial(server)`."""
    wires: list[Wire] = []

    async def open_wire(server: Server) -> Wire:
        wires.append(Wire(*await asyncio.open_connection("127.0.0.1", server.port)))
        return wires[-1]

    yield open_wire
    for wire in wires:
        await wire.close()


@pytest.fixture
async def load(tmp_path: Path) -> AsyncGenerator[Load]:
    """Makes and loads models: `load(sum_model, width=3)`, `load(sum_model, timeout_s=0.1)`; both take their own keywords."""
    loaded: list[Model] = []

    def make(build: Callable[..., Path], *arguments: object, **keywords: object) -> Model:
        own = {it: keywords.pop(it) for it in LOAD_KEYWORDS if it in keywords}
        path = build(tmp_path / f"{len(loaded)}.onnx", *arguments, **keywords)
        loaded.append(load_model(path, name=build.__name__.removesuffix("_model"), version="1", **own))  # type: ignore[arg-type]
        return loaded[-1]

    yield make
    for model in loaded:
        await asyncio.to_thread(model.close)
