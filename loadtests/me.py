"""`GET /api/v1/me` of control beside the same in FastAPI and SQLAlchemy, in turns, on one database: for `make bench`."""

import sys
import tempfile
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Final

from loadtests.control_plane import API, SECRET, Client, running_control
from loadtests.load import Measurement, load_get, median
from loadtests.seed import OWNER, Size
from loadtests.subjects import Subject, fastapi_me

PATH: Final = f"{API}/me"
SIZE: Final = Size().scaled(0.05)
CONNECTIONS: Final = 32
WARM_UP_S: Final = 1


def measure_me(seconds: int, rounds: int, pinned: tuple[int | None, int | None]) -> dict[str, Measurement]:
    """Medians by server, the reference first. PostgreSQL runs on the clients' core: in production it has its own machine.

    Raises NotStarted; RuntimeError if the two do not answer the same.
    """
    server_core, client_core = pinned
    with (
        tempfile.TemporaryDirectory(prefix="hr-") as name,
        running_control(folder := Path(name), SIZE, server_core, client_core) as control,
        fastapi_me(folder, control.database_url, SECRET, server_core) as reference,
    ):
        client = Client(control.address)
        token = client.log_in(OWNER)
        subjects = [
            replace(reference, key=token, path=PATH),
            Subject("headrace control", control.address, token, (control.pid,), PATH),
        ]
        check_same(client, Client(reference.address))
        runs: dict[str, list[Measurement]] = {it.name: [] for it in subjects}
        for it in subjects:
            load_get(it, CONNECTIONS, WARM_UP_S, client_core)
        for number in range(rounds):
            for it in subjects:
                found = load_get(it, CONNECTIONS, seconds, client_core)
                runs[it.name].append(found)
                print(f"round {number + 1}: {PATH}: {it.name}: {found.requests_per_s:,.0f}/s", file=sys.stderr)
    return {server: median(it) for server, it in runs.items()}


def check_same(control: Client, reference: Client) -> None:
    """Raises RuntimeError unless both say the same about the caller of `control`."""
    reference.headers = control.headers
    ours, theirs = control.get(PATH), reference.get(PATH)
    for it in (ours, theirs):
        it["organizations"].sort(key=itemgetter("id"))
    if ours != theirs:
        raise RuntimeError(f"{PATH} answers {ours}, the reference {theirs}")
