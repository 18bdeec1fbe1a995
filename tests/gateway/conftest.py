"""The services that gateway tests run against."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.gateway.breakable import BreakableValkey
from tests.gateway.running import RunningGateway


@pytest.fixture
def valkey(short_tmp: Path) -> Generator[BreakableValkey]:
    """A running Valkey of the test's own."""
    server = BreakableValkey(short_tmp)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def gateway(short_tmp: Path, valkey: BreakableValkey) -> Generator[RunningGateway]:
    """A gateway that is not started yet."""
    running = RunningGateway(short_tmp, valkey)
    yield running
    running.close()
