"""A person's way through the console in a real browser: sign up, upload, deploy, try it, see the request in the chart."""

import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from playwright.sync_api import Page, expect

from tests.e2e.console import deploy, sign_up, upload
from tests.e2e.system import System
from tests.models import mlp_model, picture_model


def fill_row(page: Page, values: list[float]) -> None:
    """Into the grid of the input."""
    for column, value in enumerate(values, start=1):
        page.get_by_label(f"input, row 1, column {column}").fill(str(value))


def test_from_signing_up_to_the_first_request_in_the_chart(page: Page, tmp_path: Path) -> None:
    file = mlp_model(tmp_path / "fraud.onnx")
    sign_up(page, "ada@example.com")
    upload(page, file, "fraud")
    expect(page.get_by_role("heading", name="fraud")).to_be_visible()
    expect(page.get_by_text("probabilities").first).to_be_visible()

    deploy(page, "fraud")
    fill_row(page, [0.1, 0.2, 0.3, 0.4])
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_text(f"{likeliest(file):.2%}").first).to_be_visible()

    page.get_by_role("tab", name="Requests").click()
    expect(page.get_by_role("img", name=re.compile("Requests per minute"))).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="View Requests per minute as table").click()
    row = page.get_by_role("table", name="Requests per minute").get_by_role("row").nth(1)
    expect(row).to_contain_text("1")


def test_two_deployments_are_compared_and_a_changed_setting_takes_effect(page: Page, tmp_path: Path) -> None:
    sign_up(page, "mary@example.com")
    for name, hidden in [("narrow", 16), ("wide", 64)]:
        upload(page, mlp_model(tmp_path / f"{name}.onnx", hidden=hidden), name)
        deploy(page, name)

    page.get_by_role("button", name="Compare").click()
    page.get_by_role("menuitemcheckbox", name=re.compile("^narrow")).click()
    fill_row(page, [0.1, 0.2, 0.3, 0.4])
    page.get_by_role("button", name="Send to 2").click()
    answers = page.get_by_role("table", name="Answers")
    for name in ("wide", "narrow"):
        expect(answers).to_contain_text(f"{likeliest(tmp_path / f'{name}.onnx'):.2%}")
    expect(answers.get_by_text(re.compile("values differ, at most by"))).to_be_visible()
    timings = page.get_by_role("table", name="Timings")
    for part in ("Decode", "Queue", "Model", "Encode", "Network"):
        expect(timings.get_by_role("row", name=re.compile(f"^{part}"))).to_contain_text(re.compile("[µm]s.*[µm]s"))
    page.reload()
    expect(page.get_by_role("button", name="Send to 2")).to_be_visible()

    page.get_by_role("tab", name="Settings").click()
    page.get_by_label(re.compile("^Batch size")).fill("3")
    page.get_by_role("button", name="Review changes").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("list", name="Changes")).to_contain_text("Headrace chooses")
    dialog.get_by_role("button", name="Make revision 2").click()
    served = page.get_by_role("table", name="How it is served").get_by_role("row", name=re.compile("^Batch size"))
    expect(served).to_contain_text(re.compile("3 rows.*Pinned"), timeout=20_000)
    expect(page.get_by_text("revision 2", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Time of a run"))).to_be_visible()


def test_a_picture_reaches_the_model_in_its_colours(page: Page, tmp_path: Path) -> None:
    sign_up(page, "rosalind@example.com")
    upload(page, picture_model(tmp_path / "colours.onnx"), "colours")
    deploy(page, "colours")
    page.get_by_label("Choose a picture for image").set_input_files(one_colour(tmp_path / "orange.png", 255, 102, 0))
    expect(page.get_by_role("img", name="orange.png")).to_be_visible()
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("table", name="Answer")).to_contain_text("1, 0.4, 0")
    page.get_by_label("Values").select_option("0 to 255")
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("table", name="Answer")).to_contain_text("255, 102, 0")


def test_a_file_that_is_not_onnx_is_refused_with_the_reason_and_nothing_is_kept(page: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.onnx").write_text("this is no model")
    sign_up(page, "grace@example.com")
    upload(page, tmp_path / "notes.onnx", "notes")
    expect(page.get_by_role("dialog")).to_contain_text("not ONNX")
    page.get_by_role("button", name="Cancel").click()
    page.reload()
    expect(
        page.get_by_text("No versions yet").or_(page.get_by_text("No models yet")).or_(page.get_by_text("–")).first
    ).to_be_visible()


def test_another_account_does_not_see_it(page: Page, system: System, demo: dict[str, Any]) -> None:
    sign_up(page, "eve@example.com")
    with system.client(demo["access_token"]) as client:
        deployment = client.get(f"/api/v1/projects/{demo['project_id']}/deployments").json()["items"][0]
        mine = client.get(f"/api/v1/projects/{demo['project_id']}").json()
    page.goto(f"/o/{mine['organization_slug']}/p/{mine['slug']}/deployments/{deployment['id']}")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    expect(page.get_by_text(deployment["name"], exact=True)).to_have_count(0)


def likeliest(file: Path) -> float:
    """The largest probability of the row that the tests send."""
    inputs = {"input": np.array([[0.1, 0.2, 0.3, 0.4]], np.float32)}
    return float(np.max(_first(onnxruntime.InferenceSession(str(file)).run(None, inputs))))


def one_colour(path: Path, *rgb: int) -> Path:
    """A PNG file of 8 x 8 pixels, all of one colour."""
    rows = (b"\0" + bytes(rgb) * 8) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b""))
    return path


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _first(outputs: Any) -> "np.ndarray[Any, np.dtype[np.float32]]":
    return outputs[0]
