"""A control plane with a real gateway behind it."""

import asyncio
from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar

from contracts.settings import ControlSettings
from control.database import connected
from tests.gateway.breakable import BreakableValkey
from tests.gateway.running import RunningGateway


@pytest.fixture(scope="session")
def gateway(service_directory: Path) -> Generator[RunningGateway]:
    """A gateway with a Valkey of its own, started by the first test that needs it."""
    directory = service_directory / "gateway"
    directory.mkdir()
    valkey = BreakableValkey(directory)
    valkey.start()
    running = RunningGateway(directory, valkey)
    yield running
    running.close()
    valkey.kill()


@pytest.fixture(autouse=True)
def no_jobs(database_url: str) -> None:
    """Jobs are everybody's to run, so those of earlier tests must be gone."""

    async def delete_all() -> None:
        async with connected(database_url) as connection:
            await connection.execute("DELETE FROM batch_jobs")

    asyncio.run(delete_all())


@pytest.fixture(autouse=True)
def looked_for_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new job is found at once."""
    monkeypatch.setattr("control.batch_jobs.dispatch.LOOK_S", 0.05)


@pytest.fixture
def settings(settings: ControlSettings, gateway: RunningGateway) -> ControlSettings:
    """Control and the gateway share Valkey and model files."""
    return msgspec.structs.replace(
        settings,
        redis_url=gateway.valkey.url,
        artifacts=str(gateway.artifacts),
        gateway_url=gateway.url,
        batch_job_memory_bytes=1 << 30,
    )


@pytest.fixture
async def serving(app: Litestar, gateway: RunningGateway) -> RunningGateway:
    """The gateway, ready, which it is once control has published what to serve."""
    if not gateway.is_running:
        await asyncio.to_thread(gateway.start)
    return gateway
