"""The HTTP client: whatever a server does, a command ends with one line and an exit status that says whose fault it was."""

from pathlib import Path
from typing import Any

import pytest

from headrace.client import ApiClient
from headrace.errors import CommandFailed, Refused, Unreachable
from headrace.exits import Exit
from tests.headrace.control_plane import serving
from tests.services import free_port


def test_a_refusal_carries_the_servers_words_and_status() -> None:
    with serving({"GET /x": (409, {"detail": "taken"})}) as fake, pytest.raises(Refused, match=r"^taken$") as refused:
        ApiClient(fake.url).get("/x")
    assert (refused.value.answered, refused.value.exit) == (409, Exit.REFUSED)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((404, b"<html>"), Refused, "answered 404, not as Headrace would"),
        ((400, ["a list"]), Refused, "answered 400"),
        ((200, b"<html>"), CommandFailed, "answered 200, not as Headrace would"),
        ((302, b""), CommandFailed, "answered 302"),
        ((500, {"detail": "broken"}), CommandFailed, r"^broken$"),
        ((503, {"error": "loading"}), CommandFailed, r"^loading$"),
    ],
)
def test_an_answer_that_is_not_headraces_is_said_to_be_none(
    answer: tuple[int, Any], kind: type[CommandFailed], words: str
) -> None:
    with serving({"GET /x": answer}) as fake, pytest.raises(kind, match=words):
        ApiClient(fake.url).get("/x", secret="not shown")


@pytest.mark.parametrize("url", ["http://[", "nonsense", "http://127.0.0.1:{port}"])
def test_an_address_where_nothing_answers_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable) as error:
        ApiClient(url.replace("{port}", str(free_port()))).get("/x")
    assert error.value.exit == Exit.NOT_RUNNING


def test_a_list_is_read_page_by_page() -> None:
    pages = [(200, {"items": [1, 2], "next_cursor": "c"}), (200, {"items": [3], "next_cursor": None})]
    with serving({"GET /list": pages}) as fake:
        assert list(ApiClient(fake.url).items("/list")) == [1, 2, 3]


def test_a_file_is_sent_whole_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"x" * 3_000_000)
    with serving({"POST /versions": (201, {"number": 1})}) as fake:
        assert ApiClient(fake.url).upload("/versions", tmp_path / "m.onnx") == {"number": 1}
    assert fake.made("POST /versions") == [b"x" * 3_000_000]


def test_a_file_is_fetched_whole_or_not_at_all(tmp_path: Path) -> None:
    with serving({"GET /results": (200, b"x" * 3_000_000), "GET /none": (404, {"detail": "there are none"})}) as fake:
        assert ApiClient(fake.url).download("/results", tmp_path / "results.csv").read_bytes() == b"x" * 3_000_000
        with pytest.raises(Refused, match="there are none"):
            ApiClient(fake.url).download("/none", tmp_path / "none.csv")
    assert [it.name for it in tmp_path.iterdir()] == ["results.csv"]
