"""Options and settings that several commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

from contracts.settings import CommandSettings, load_settings
from headrace.client import ApiClient, KeptSession
from headrace.errors import Refused
from headrace.instance import Instance

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for scripts.")]
Password = Annotated[str, typer.Option(help="At least 10 characters.", envvar="HEADRACE_PASSWORD", prompt=True, hide_input=True)]


def settings() -> CommandSettings:
    """The `HEADRACE_*` variables, read once a command."""
    return load_settings(os.environ, CommandSettings)


def instance() -> Instance:
    """The instance under `HEADRACE_DATA`."""
    return Instance(settings().data.expanduser().absolute())


def api_url() -> str:
    """`HEADRACE_API_URL`, or the console address of the running instance. Raises NotRunning."""
    return settings().api_url or instance().state().console_url


def inference_url() -> str:
    """Where the control plane says that inference is served."""
    return str(ApiClient(api_url()).get("/api/v1/system")["inference_url"])


def session_file() -> Path:
    """Where `login` and `signup` keep the session."""
    return instance().data / "session.json"


def signed_in() -> tuple[ApiClient, KeptSession]:
    """A client with a fresh access token, and the session it belongs to. Raises CommandFailed if nobody is signed in."""
    session = KeptSession.load(session_file())
    if token := settings().token:
        session.access_token = token
        return ApiClient(api_url(), token), session
    return ApiClient(api_url(), _fresh_token(session)), session


def _fresh_token(session: KeptSession) -> str:
    try:
        ApiClient(session.api_url, session.access_token).get("/api/v1/me")
    except Refused:
        renewed = ApiClient(session.api_url).post("/api/v1/auth/refresh", {"refresh_token": session.refresh_token})
        session.access_token, session.refresh_token = renewed["access_token"], renewed["refresh_token"]
        session.keep(session_file())
    return session.access_token
