"""One running system with the sample project, shared by the tests that do not break it."""

import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.system import System, running

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("e2e")
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def system() -> Generator[System]:
    """A running Headrace."""
    with tempfile.TemporaryDirectory(prefix="hr-") as folder, running(Path(folder)) as system:
        yield system


@pytest.fixture(scope="session")
def demo(system: System) -> dict[str, Any]:
    """What `headrace demo --json` printed."""
    return system.ask("demo")


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    """Headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
