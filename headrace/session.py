"""Who is signed in here: what `signup` and `login` keep, and a client that acts for them."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from headrace.client import ApiClient, Json
from headrace.errors import CommandFailed, Refused
from headrace.instance import write_private


class KeptSession(Struct, kw_only=True):
    """One person's session with one control plane, readable by its owner alone."""

    api_url: str
    """Set where it was named (`HEADRACE_API_URL`); empty means the instance of this data directory, wherever it listens now."""
    email: str
    access_token: str
    refresh_token: str
    organization_id: str
    project_id: str
    api_key: str = ""

    @staticmethod
    def load(path: Path) -> "KeptSession":
        """Raises CommandFailed if nobody is signed in."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=KeptSession)
        except (FileNotFoundError, msgspec.DecodeError) as error:
            raise CommandFailed("nobody is signed in here; run `headrace signup` or `headrace login` first") from error

    def keep(self, path: Path) -> None:
        """Write to `path`, making its directory if this is the first thing kept there."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, msgspec.json.encode(self))


def refreshed(path: Path, api_url: str) -> KeptSession:
    """The session kept in `path`, with an access token that `api_url` takes. Raises CommandFailed if nobody is signed in."""
    session = KeptSession.load(path)
    if _is_taken(session, api_url):
        return session
    with _alone(
        path
    ):  # a refresh token used twice ends the session: of two commands at once, the second finds what the first got
        session = KeptSession.load(path)
        if not _is_taken(session, api_url):
            renewed = _refresh(session, api_url)
            session.access_token, session.refresh_token = renewed["access_token"], renewed["refresh_token"]
            session.keep(path)
    return session


def _is_taken(session: KeptSession, api_url: str) -> bool:
    try:
        ApiClient(api_url, session.access_token).get("/api/v1/me")
    except Refused:
        return False
    return True


def _refresh(session: KeptSession, api_url: str) -> Json:
    try:
        return ApiClient(api_url).post("/api/v1/auth/refresh", {"refresh_token": session.refresh_token})
    except Refused as error:
        raise Refused(f"the session of {session.email} is over ({error}); run `headrace login`", error.answered) from error


@contextmanager
def _alone(path: Path) -> Generator[None]:
    with path.with_suffix(".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
