"""One running system with the sample project, shared by the tests that do not break it."""

import json
import re
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.control.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, serving
from tests.e2e.post import PostOffice, open_post_office
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
def post_office() -> Generator[PostOffice]:
    """The mail server of `system`."""
    with open_post_office() as post_office:
        yield post_office


@pytest.fixture(scope="session")
def provider() -> Generator[OidcProvider]:
    """Where people of `system` may sign in."""
    with serving() as provider:
        yield provider


@pytest.fixture(scope="session")
def system(post_office: PostOffice, provider: OidcProvider) -> Generator[System]:
    """A running Headrace."""
    corporate = {"name": "corporate", "label": "Corporate login", "issuer": provider.issuer}
    secret = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    settings = {"HEADRACE_SMTP_URL": post_office.url, "HEADRACE_OIDC": json.dumps([corporate | secret])}
    with tempfile.TemporaryDirectory(prefix="hr-") as folder, running(Path(folder), settings) as system:
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


NewPage = Callable[[], Page]


@pytest.fixture
def new_page(browser: Browser, system: System) -> Generator[NewPage]:
    """Opens a fresh browser profile at every call; the test fails if a page logged an error."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page() -> Page:
        contexts.append(browser.new_context(base_url=system.facts["console_url"], viewport={"width": 1440, "height": 900}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: _keep_error(message, errors))
        return page

    yield open_page
    for it in contexts:
        it.close()
    assert errors == []


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A fresh browser profile."""
    return new_page()


def _keep_error(message: ConsoleMessage, errors: list[str]) -> None:
    is_refusal = re.search(r"responded with a status of 4\d\d", message.text)  # the browser logs every one; the page answers it
    if message.type == "error" and not is_refusal:
        errors.append(message.text)
