"""The console's files and its start page."""

from pathlib import Path

import pytest
from httpx import AsyncClient

from contracts.settings import ControlSettings

PAGE = '<!doctype html><script type="module" src="/assets/app-1a2b.js"></script>'


@pytest.fixture
def built(settings: ControlSettings) -> Path:
    """A built console."""
    directory = settings.console_directory
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text(PAGE)
    (directory / "favicon.svg").write_text("<svg/>")
    (directory / "assets" / "app-1a2b.js").write_text("run()")
    (directory.parent / "secret.txt").write_text("keep out")
    return directory


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/ada/default/models", "/login?next=/x", "/nothing.js", "/%00", "/" + "x" * 5000]
)
async def test_every_address_of_the_console_gets_its_start_page(client: AsyncClient, path: str):
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.text == PAGE
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.usefixtures("built")
async def test_hashed_files_are_kept_forever_and_others_checked(client: AsyncClient):
    script, icon = await client.get("/assets/app-1a2b.js"), await client.get("/favicon.svg")
    assert script.text == "run()"
    assert "javascript" in script.headers["content-type"]
    assert "immutable" in script.headers["cache-control"]
    assert (icon.status_code, icon.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.usefixtures("built")
async def test_a_missing_asset_is_not_found(client: AsyncClient):
    assert (await client.get("/assets/old-9f.js")).status_code == 404


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "//secret.txt"])
async def test_nothing_outside_the_console_is_served(client: AsyncClient, path: str):
    answer = await client.get(path)
    assert "keep out" not in answer.text
    assert answer.status_code in (200, 404)


async def test_an_unbuilt_console_says_so(client: AsyncClient):
    answer = await client.get("/")
    assert answer.status_code == 404
    assert "not built" in answer.json()["detail"]
