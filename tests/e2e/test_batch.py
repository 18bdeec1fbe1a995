"""A file of rows predicted whole: by the command, and in the console."""

import csv
import json
import re
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.console import PASSWORD, deploy, sign_up, upload
from tests.e2e.system import Json, System
from tests.models import sum_model

ROWS = 3000
BAD = 1500
"""The row whose value is none."""


@pytest.fixture(scope="module")
def sums(system: System, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A deployment of `y` = `x_0` + … + `x_3` in an account of its own, which the command is signed in to."""
    system.ask("signup", "--email", "batch@example.com", "--password", PASSWORD)
    deployed = system.ask("deploy", str(sum_model(tmp_path_factory.mktemp("batch") / "sums.onnx")), "--name", "sums")
    return deployed["deployment"]["name"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Rows of which one is wrong."""
    path = tmp_path / "rows.csv"
    lines = [f"{it},{it},1,1,1" if it != BAD else f"{it},none,1,1,1" for it in range(1, ROWS + 1)]
    path.write_text("\n".join(["id,x_0,x_1,x_2,x_3", *lines]))
    return path


@pytest.fixture
def page(browser: Browser, system: System) -> Generator[Page]:
    context = browser.new_context(base_url=system.facts["console_url"])
    yield context.new_page()
    context.close()


def sums_of(file: Path) -> dict[int, float]:
    with file.open() as lines:
        return {int(it["id"]): float(it["y"]) for it in csv.DictReader(lines)}


EXPECTED = {it: it + 3.0 for it in range(1, ROWS + 1) if it != BAD}


def test_the_command_brings_results_and_failed_rows(system: System, sums: str, table: Path) -> None:
    done: Json = system.ask("batch", sums, str(table))
    assert (done["job"]["rows_done"], done["job"]["rows_failed"]) == (ROWS - 1, 1)
    assert done["files"]["results"] == str(table.with_name("rows-results.csv"))
    assert sums_of(table.with_name("rows-results.csv")) == EXPECTED
    failed = json.loads(Path(done["files"]["failed_rows"]).read_text())
    assert (failed["row"], failed["error"]) == (BAD, "column 'x_0': 'none' is not a number")


def test_the_command_says_what_is_wrong_with_a_file(system: System, sums: str, table: Path) -> None:
    table.write_text("a,b\n1,2\n")
    done = system.headrace("batch", sums, str(table))
    assert done.returncode == 6
    assert "no column 'x_0'" in " ".join(done.stderr.split())
    assert system.headrace("batch", "nothing", str(table)).returncode == 1


def test_a_file_dropped_in_the_console_comes_back_with_results(page: Page, table: Path, tmp_path: Path) -> None:
    sign_up(page, "marie@example.com")
    upload(page, sum_model(tmp_path / "sums.onnx"), "sums")
    deploy(page, "sums")
    page.get_by_role("link", name="Batch jobs").first.click()
    page.get_by_role("button", name="New batch job").click()
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(table)
    page.get_by_role("button", name="Start job").click()
    expect(page.get_by_role("heading", name="rows.csv")).to_be_visible()
    expect(page.get_by_text("Succeeded", exact=True)).to_be_visible(timeout=30_000)
    bar = page.get_by_role("progressbar", name=re.compile("rows.csv"))
    expect(bar).to_have_attribute("aria-valuetext", f"{ROWS:,} of {ROWS:,} rows")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download results").click()
    assert downloading.value.suggested_filename == "rows-results.csv"
    assert sums_of(downloading.value.path()) == EXPECTED
    page.get_by_role("link", name="Batch jobs").first.click()
    expect(page.get_by_role("row", name=re.compile("rows.csv"))).to_contain_text("Succeeded")
