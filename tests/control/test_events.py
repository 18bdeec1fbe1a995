"""Events: told after the commit to the pages they are for, again to who comes back, and to nobody whose session has ended."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
import redis
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from msgspec import Struct

from contracts.settings import ControlSettings
from control.events import feed as feed_module
from control.events.announcing import Event, announce
from control.events.feed import (
    EPOCH_KEY,
    LOST,
    MAX_STREAMS_OF_ONE,
    MAX_WAITING,
    Feed,
    Position,
    Stream,
    Told,
    TooManyStreams,
    parse_position,
)
from control.resources import Resources
from tests.control import processes
from tests.control.conftest import PASSWORD, Account
from tests.control.test_members import join
from tests.services import wait_until

WAIT_S = 20
NUMBERS = st.integers(0, 2**63 - 1)


class Heard(Struct, frozen=True):
    """One message of a stream."""

    kind: str
    id: str
    data: dict[str, str | None]
    comment: str


@pytest.fixture
def settings(settings: ControlSettings) -> ControlSettings:
    return msgspec.structs.replace(settings, event_stream_s=60)


@pytest.fixture
async def url(app: Litestar) -> AsyncGenerator[str]:
    """The application on a real port, because a stream is read while it is written."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=5))
    serving = asyncio.create_task(server.serve([listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    app.state.resources.feed.end_all()
    server.should_exit = True
    await serving


@pytest.fixture
def resources(app: Litestar) -> Resources:
    return app.state.resources


async def messages(answer: httpx.Response) -> AsyncIterator[Heard]:
    fields = {"event": "", "id": "", "data": "{}", "": ""}
    current = dict(fields)
    async for line in answer.aiter_lines():
        if not line:
            yield Heard(current["event"], current["id"], json.loads(current["data"]), current[""])
            current = dict(fields)
        else:
            name, _, value = line.partition(": ")
            current[name] = value


@asynccontextmanager
async def listening(url: str, account: Account, last: str = "", of: str = "") -> AsyncGenerator[AsyncIterator[Heard]]:
    """The messages of the account's project, or `of` something else of its organization, from after `last` on."""
    headers = account.headers | ({"Last-Event-ID": last} if last else {})
    path = f"{url}/api/v1/{of or f'projects/{account.project_id}'}/events"
    async with (
        asyncio.timeout(WAIT_S),
        httpx.AsyncClient(timeout=WAIT_S) as client,
        client.stream("GET", path, headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield messages(answer)


async def next_change(url: str, account: Account, last: str) -> Heard:
    """The next change after `last`, as a browser hears it: one that comes back when its stream ends."""
    async with asyncio.timeout(WAIT_S):
        while True:
            async with listening(url, account, last) as heard:
                async for it in heard:
                    if it.kind == "change":
                        return it
            await asyncio.sleep(0.05)


async def create_key(account: Account) -> str:
    body = {"name": "checkout", "scopes": ["infer"]}
    answer = await account.client.post(f"/api/v1/projects/{account.project_id}/keys", json=body)
    return answer.json()["key"]["id"]


async def place(resources: Resources, account: Account, count: int) -> str:
    """What a page says that knows the newest event of the account's organization, once it has `count`."""
    key, seen = f"headrace:events:{account.organization_id}", b"0-0"
    for _ in range(count):
        found: Any = await resources.redis.xread({key: seen}, count=1, block=WAIT_S * 1000)
        seen = found[0][1][0][0]
    return f"{seen.decode()}.{await first_epoch(resources)}"


async def first_epoch(resources: Resources) -> int:
    """Which epoch it is, once one has begun: control begins one as soon as it listens."""
    deadline = time.monotonic() + WAIT_S
    while (epoch := await resources.redis.get(EPOCH_KEY)) is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    return int(epoch)


async def test_a_change_is_told_to_an_open_page(url: str, account: Account, resources: Resources):
    last = await place(resources, account, 2)
    telling = asyncio.create_task(next_change(url, account, last))
    key = await create_key(account)
    heard = await telling
    assert heard.data == {"type": "key.create", "target": key}
    assert parse_position(heard.id) != LOST


async def test_who_comes_back_hears_what_they_missed_in_order(url: str, account: Account, resources: Resources):
    last = await place(resources, account, 2)
    keys = [await create_key(account) for _ in range(3)]
    await place(resources, account, 5)
    async with listening(url, account, last) as heard:
        opened = await anext(heard)
        found = [await anext(heard) for _ in range(3)]
    assert (opened.kind, [it.data["target"] for it in found]) == ("open", keys)
    async with listening(url, account, found[1].id) as heard:
        await anext(heard)
        assert (await anext(heard)).data["target"] == keys[2]


UNKNOWN = ["1-1.1", "0-0.1", "1-1", "1-1.7", "nonsense", "9" * 26 + "-0.1", "9223372036854775808-0.1", "-1-0.1"]


@pytest.mark.parametrize("last", UNKNOWN)
async def test_who_says_what_nobody_knows_is_told_to_load_anew(url: str, account: Account, resources: Resources, last: str):
    now = await place(resources, account, 2)
    async with listening(url, account, last) as heard:
        first = await anext(heard)
    assert (first.kind, first.id) == ("reset", now)


async def test_after_a_loss_everybody_loads_anew_once(url: str, account: Account, resources: Resources):
    last = await place(resources, account, 2)
    await resources.redis.incr(EPOCH_KEY)
    async with listening(url, account, last) as heard:
        first = await anext(heard)
    async with listening(url, account, first.id) as heard:
        second = await anext(heard)
    assert (first.kind, second.kind, second.id) == ("reset", "open", first.id)


@given(st.builds(Position, st.tuples(NUMBERS, NUMBERS), NUMBERS))
def test_a_position_is_read_as_it_was_written(position: Position):
    assert parse_position(str(position)) == position


@given(st.text())
def test_any_text_is_read_as_some_position(text: str):
    assert parse_position(text).epoch >= LOST.epoch


async def test_what_is_undone_is_told_to_nobody(url: str, account: Account, resources: Resources):
    last = await place(resources, account, 2)

    async def fail() -> None:
        async with resources.pool.across_tenants.transaction() as connection:
            await announce(connection, account.organization_id, account.project_id, "key.create", "never")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    key = await create_key(account)
    assert (await next_change(url, account, last)).data["target"] == key


async def test_other_projects_and_strangers_hear_nothing_of_it(
    url: str, account: Account, stranger: Account, resources: Resources
):
    path = f"/api/v1/organizations/{account.organization_id}/projects"
    other = (await account.client.post(path, json={"name": "other"})).json()["id"]
    last = await place(resources, account, 3)
    await create_key(account)
    third = (await account.client.post(path, json={"name": "third"})).json()["id"]
    await place(resources, account, 5)
    async with listening(url, account, last, f"projects/{other}") as heard:
        await anext(heard)
        found = await anext(heard)
    refused = await stranger.client.get(f"/api/v1/projects/{account.project_id}/events")
    assert found.data == {"type": "project.create", "target": None}
    assert third not in json.dumps(found.data)
    assert refused.status_code == 404


async def test_a_stream_ends_with_the_session(url: str, account: Account, resources: Resources):
    await place(resources, account, 2)
    login = await account.client.post("/api/v1/auth/login", json={"email": account.email, "password": PASSWORD})
    other = msgspec.structs.replace(account, access_token=login.json()["access_token"])
    async with listening(url, other) as heard:
        await anext(heard)
        async with httpx.AsyncClient(base_url=url, headers=other.headers) as client:
            assert (await client.post("/api/v1/auth/logout")).status_code == 204
        assert [it.kind async for it in heard] == ["end"]


async def test_an_organizations_pages_hear_of_people_and_of_the_projects_one_may_see(
    url: str, account: Account, stranger: Account, database_url: str, resources: Resources
):
    viewer = await join(database_url, account, stranger, "viewer")
    of = f"organizations/{account.organization_id}"
    hidden = (await account.client.post(f"/api/v1/{of}/projects", json={"name": "hidden"})).json()["id"]
    private = await account.client.put(f"/api/v1/projects/{hidden}/visibility", json={"visibility": "private"})
    assert private.status_code == 200, private.text
    async with listening(url, viewer, of=of) as heard:
        await anext(heard)
        await create_key(account)
        for project_id in (hidden, account.project_id):
            changed = await account.client.patch(f"/api/v1/projects/{project_id}", json={"description": "new"})
            assert changed.status_code == 200, changed.text
        assert (await anext(heard)).data == {"type": "project.update", "target": str(account.project_id)}


async def test_who_is_removed_hears_no_more(
    url: str, account: Account, stranger: Account, database_url: str, resources: Resources
):
    viewer = await join(database_url, account, stranger, "viewer")
    of, project = f"organizations/{account.organization_id}", f"projects/{account.project_id}"
    async with listening(url, viewer, of=project) as in_project, listening(url, viewer, of=of) as in_organization:
        for heard in (in_project, in_organization):
            await anext(heard)
        gone = await account.client.delete(f"/api/v1/{of}/members/{viewer.user_id}")
        assert gone.status_code == 204
        for heard in (in_project, in_organization):
            assert [it.kind async for it in heard if it.kind] == ["end"]


async def test_a_quiet_stream_has_a_heartbeat_and_an_end(
    url: str, account: Account, resources: Resources, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("control.events.routes.HEARTBEAT_S", 0.05)
    await place(resources, account, 2)
    async with listening(url, account) as heard:
        await anext(heard)
        assert (await anext(heard)).comment == "nothing happened"


def told(number: int, account: Account) -> Told:
    return Told((number, 0), Event(uuid4(), account.organization_id, account.project_id, "key.create", "x"))


async def test_a_page_too_far_behind_is_let_go(account: Account):
    feed, stream = Feed(), Stream(account.organization_id, account.project_id, account.user_id)
    with feed.opened(stream):
        for number in range(MAX_WAITING):
            feed.tell(told(number, account))
        assert not stream.is_over
        feed.tell(told(MAX_WAITING, account))
        assert stream.is_over


async def test_one_person_has_so_many_streams_and_no_more(url: str, account: Account, resources: Resources):
    streams = [Stream(account.organization_id, account.project_id, account.user_id) for _ in range(MAX_STREAMS_OF_ONE)]
    opened = [resources.feed.opened(it) for it in streams]
    for it in opened:
        it.__enter__()
    with pytest.raises(TooManyStreams):
        resources.feed.check_room(account.user_id)
    resources.feed.check_room(uuid4())
    refused = await account.client.get(f"/api/v1/projects/{account.project_id}/events")
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    for it in opened:
        it.__exit__(None, None, None)
    resources.feed.check_room(account.user_id)


async def test_an_event_that_two_processes_hear_is_stored_once(account: Account, resources: Resources):
    await place(resources, account, 2)
    event = Event(uuid4(), account.organization_id, account.project_id, "key.create", "x")
    payload = msgspec.json.encode(event).decode()
    keys = f"headrace:events:{account.organization_id}", f"headrace:event:{event.id}"
    redis: Any = resources.redis
    stored = [await redis.eval(feed_module.STORE_ONCE, 2, *keys, payload, "c", 60, 10, 60) for _ in range(2)]
    assert stored == [1, 0]


def test_open_streams_do_not_hold_up_the_end(database_url: str, redis_url: str, tmp_path: Path):
    log = tmp_path / "log"
    with processes.serving(database_url, log, redis_url) as (process, client):
        person = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "name": "Ada"}
        session = client.post("/api/v1/auth/register", json=person).json()
        headers = {"Authorization": f"Bearer {session['access_token']}"}
        with client.stream("GET", f"/api/v1/projects/{session['project_id']}/events", headers=headers) as answer:
            assert next(answer.iter_bytes())
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=4) == 0
    assert "Cancel" not in log.read_text()


def sign_up(client: httpx.Client) -> tuple[str, dict[str, str]]:
    """A new person's project, and the headers of their calls."""
    person = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "name": "Ada"}
    session = client.post("/api/v1/auth/register", json=person).json()
    return f"/api/v1/projects/{session['project_id']}", {"Authorization": f"Bearer {session['access_token']}"}


def wait_for_epoch(redis_url: str, number: int) -> None:
    """Every process begins one as soon as it listens, which ends the streams of before."""
    with redis.Redis.from_url(redis_url) as client:
        wait_until(lambda: int(client.get(EPOCH_KEY) or 0) >= number, f"epoch {number}")


def make_key(client: httpx.Client, project: str, headers: dict[str, str]) -> str:
    return client.post(f"{project}/keys", json={"name": "checkout", "scopes": ["infer"]}, headers=headers).json()["key"]["id"]


def hear(client: httpx.Client, project: str, headers: dict[str, str], until: str, last: str = "") -> list[tuple[str, str]]:
    """Ids and targets of what comes after `last`, up to `until`; the first thing that comes is `open` or `reset`."""
    found: list[tuple[str, str]] = []
    id = ""
    with client.stream("GET", f"{project}/events", headers=headers | ({"Last-Event-ID": last} if last else {})) as answer:
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            id = value if name == "id" else id
            if name == "event" and value != "change":
                found.append((id, value))
            if name == "data" and (target := json.loads(value).get("target")):
                found.append((id, target))
            if found and found[-1][1] == until:
                return found
    raise AssertionError(f"the stream has ended after {found}")


def test_who_follows_a_process_that_is_killed_goes_on_at_another(database_url: str, redis_url: str, tmp_path: Path):
    with (
        processes.serving(database_url, tmp_path / "first", redis_url) as (_, other),
        processes.serving(database_url, tmp_path / "second", redis_url) as (process, client),
    ):
        wait_for_epoch(redis_url, 2)
        own = sign_up(client)
        [(start, _)] = hear(client, *own, "open")
        last = hear(client, *own, make_key(client, *own), start)[-1][0]
        process.kill()
        process.wait()
        rest = [make_key(other, *own) for _ in range(3)]
        assert [target for _, target in hear(other, *own, rest[-1], last)] == ["open", *rest]


def test_after_a_time_without_any_process_everything_is_loaded_anew(database_url: str, redis_url: str, tmp_path: Path):
    with processes.serving(database_url, tmp_path / "first", redis_url) as (process, client):
        wait_for_epoch(redis_url, 1)
        own = sign_up(client)
        [(last, _)] = hear(client, *own, "open")
        process.kill()
    with processes.serving(database_url, tmp_path / "second", redis_url) as (_, client):
        wait_for_epoch(redis_url, 2)
        [(now, _)] = hear(client, *own, "reset", last)
        key = make_key(client, *own)
        assert [target for _, target in hear(client, *own, key, now)] == ["open", key]
