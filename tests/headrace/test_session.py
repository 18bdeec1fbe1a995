"""A kept session: private, renewed once however many commands want it, and shown to no other server."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headrace.commands import options
from headrace.errors import CommandFailed, Refused
from headrace.session import KeptSession, refreshed
from tests.headrace.control_plane import Answer, Fake, serving

UNKNOWN: Answer = (401, {"detail": "the token has expired"})
RENEWED: Answer = (200, {"access_token": "new", "refresh_token": "second"})


def session(api_url: str = "") -> KeptSession:
    return KeptSession(
        api_url=api_url, email="a@b.c", access_token="old", refresh_token="first", organization_id="o", project_id="p"
    )


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "session.json"
    session().keep(path)
    return path


def test_it_is_kept_for_its_owner_alone_in_a_directory_that_was_not_there(kept: Path) -> None:
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert KeptSession.load(kept) == session()


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"api_url": 1'])
def test_without_one_the_person_is_told_to_sign_in(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "session.json").write_bytes(content)
    with pytest.raises(CommandFailed, match="headrace login"):
        KeptSession.load(tmp_path / "session.json")


class Renewing(Fake):
    """Takes the access token `new` alone, and the refresh token `first` once."""

    def answer(self, call: str, token: str, body: object) -> Answer:
        if call == "GET /api/v1/me":
            return (200, {}) if token == "new" else UNKNOWN
        return super().answer(call, token, body)


def test_commands_that_run_at_once_renew_it_once(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.headrace.control_plane.Fake", Renewing)
    with (
        serving({"POST /api/v1/auth/refresh": [RENEWED, (401, {"detail": "used twice"})]}) as fake,
        ThreadPoolExecutor(4) as pool,
    ):
        sessions = list(pool.map(refreshed, [kept] * 4, [fake.url] * 4))
    assert [it.access_token for it in sessions] == ["new"] * 4
    assert fake.made("POST /api/v1/auth/refresh") == [{"refresh_token": "first"}]
    assert KeptSession.load(kept).refresh_token == "second"


def test_one_that_is_over_says_what_to_do(kept: Path) -> None:
    over: Answer = (401, {"detail": "the session has ended"})
    with (
        serving({"GET /api/v1/me": UNKNOWN, "POST /api/v1/auth/refresh": over}) as fake,
        pytest.raises(Refused, match=r"session of a@b\.c is over .*headrace login"),
    ):
        refreshed(kept, fake.url)


def test_its_tokens_are_not_shown_to_another_server(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATA", str(kept.parent))
    with serving({}) as home, serving({}) as other:
        session(home.url).keep(kept)
        monkeypatch.setenv("HEADRACE_API_URL", other.url)
        with pytest.raises(CommandFailed, match="headrace login"):
            options.signed_in()
    assert other.calls == []


def test_a_session_with_a_server_elsewhere_needs_no_instance_here(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATA", str(kept.parent))
    with serving({"GET /api/v1/me": (200, {})}) as home:
        session(home.url).keep(kept)
        me = options.signed_in()
    assert (me.api_url, me.project_id) == (home.url, "p")


def test_a_token_of_the_environment_needs_no_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATA", str(tmp_path))
    monkeypatch.setenv("HEADRACE_TOKEN", "given")
    answers: dict[str, Answer | list[Answer]] = {
        "GET /api/v1/me": (200, {"organizations": [{"id": "o"}]}),
        "GET /api/v1/organizations/o/projects": (200, {"items": [{"id": "q"}], "next_cursor": None}),
    }
    with serving(answers) as fake:
        monkeypatch.setenv("HEADRACE_API_URL", fake.url)
        assert options.signed_in().project_id == "q"
    assert {token for _, token, _ in fake.calls} == {"given"}
