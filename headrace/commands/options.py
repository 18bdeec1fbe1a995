"""Options and settings that several commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from contracts.settings import CommandSettings, load_settings
from headrace.client import ApiClient
from headrace.errors import CommandFailed
from headrace.instance import Instance
from headrace.session import KeptSession, refreshed

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


def inference_url(api_url: str) -> str:
    """Where the control plane at `api_url` says that inference is served."""
    return str(ApiClient(api_url).get("/api/v1/system")["inference_url"])


def session_file() -> Path:
    """Where `login` and `signup` keep the session."""
    return instance().data / "session.json"


class SignedIn(Struct, frozen=True):
    """Whom a command acts for: a client of `api_url` with a fresh access token, and the project it works in."""

    client: ApiClient
    api_url: str
    project_id: str


def signed_in() -> SignedIn:
    """Whoever `HEADRACE_TOKEN` belongs to, or who signed in here. Raises CommandFailed if nobody did."""
    if token := settings().token:
        url = api_url()
        client = ApiClient(url, token)
        return SignedIn(client, url, _first_project(client))
    url = _address_of(KeptSession.load(session_file()))
    session = refreshed(session_file(), url)
    return SignedIn(ApiClient(url, session.access_token), url, session.project_id)


def _address_of(session: KeptSession) -> str:
    """Where the session is valid: its tokens are shown to nobody else."""
    wanted = settings().api_url
    home = session.api_url or instance().state().console_url
    if wanted and wanted.rstrip("/") != home.rstrip("/"):
        raise CommandFailed(f"HEADRACE_API_URL is {wanted}, and {session.email} signed in at {home}; run `headrace login` there")
    return home


def _first_project(client: ApiClient) -> str:
    for organization in client.get("/api/v1/me")["organizations"]:
        for project in client.items(f"/api/v1/organizations/{organization['id']}/projects"):
            return project["id"]
    raise CommandFailed("the account of HEADRACE_TOKEN has no project")
