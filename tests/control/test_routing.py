"""The route table in Redis: the truth of Postgres, moments after every commit."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
import pytest
from litestar import Litestar
from redis.asyncio import Redis

from contracts.routes import ROUTES_CHANNEL, ROUTES_KEY, Batching, RouteTable, decode_routes
from contracts.settings import ControlSettings
from control.app import create_app
from control.database import Database, Pool
from control.keys.secrets import console_key
from control.resources import open_redis
from control.routing import publisher
from control.routing.publisher import VERSION_KEY, publish_if_newer
from control.routing.queries import bump_routes, find_route_version
from tests.control.conftest import SECRET, Account, started
from tests.control.registry import create_version, deploy, model_file, project

SOON_S = 0.9
"""Less than `publisher.INTERVAL_S`: only an announcement is this quick."""


@pytest.fixture
async def redis(redis_url: str) -> AsyncGenerator[Redis]:
    """A client of the emptied Redis."""
    async with open_redis(redis_url) as redis:
        yield redis


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """A pool without the application around it."""
    pool = Pool(database_url, 3)
    await pool.open()
    yield pool.across_tenants
    await pool.close()


async def table(redis: Redis) -> RouteTable:
    blob = await redis.get(ROUTES_KEY)
    return decode_routes(blob) if isinstance(blob, bytes) else RouteTable(0)


async def eventually(redis: Redis, condition: Callable[[RouteTable], bool], within_s: float = 10.0) -> RouteTable:
    """The first table of which `condition` holds; listens for announcements rather than asking again and again."""
    async with redis.pubsub() as announcements, asyncio.timeout(within_s):
        await announcements.subscribe(ROUTES_CHANNEL)
        while not condition(found := await table(redis)):
            await announcements.get_message(timeout=0.05)
    return found


def key_ids(routes: RouteTable) -> set[str]:
    return {it.key_id for it in routes.keys}


async def test_a_deployment_is_routed(account: Account, redis: Redis, tmp_path: Path):
    version = await create_version(account, model_file(tmp_path))
    made = await deploy(account, version, settings={"batching": {"max_batch_size": 8, "max_delay_us": 100}})
    routes = await eventually(redis, lambda it: any(str(d.deployment_id) == made["id"] for d in it.deployments), SOON_S)
    [routed] = [it for it in routes.deployments if str(it.deployment_id) == made["id"]]
    [revision] = routed.revisions
    assert (routed.name, routed.project_id, routed.organization_id) == (made["name"], account.project_id, account.organization_id)
    assert (str(revision.revision_id), str(revision.version_id)) == (made["revision"]["id"], version["id"])
    assert (revision.model_name, revision.version, revision.weight) == (version["model_name"], 1, 100)
    assert (revision.artifact.digest, revision.artifact.size_bytes) == (version["digest"], version["size_bytes"])
    assert revision.settings.batching == Batching(8, 100)


async def test_only_the_current_revision_is_routed_and_nothing_after_the_deletion(account: Account, redis: Redis, tmp_path: Path):
    made = await deploy(account, await create_version(account, model_file(tmp_path)))
    path = f"{project(account)}/deployments/{made['id']}"
    changed = (await account.client.patch(path, json={})).json()

    def revisions(routes: RouteTable) -> list[str]:
        return [str(r.revision_id) for d in routes.deployments if str(d.deployment_id) == made["id"] for r in d.revisions]

    await eventually(redis, lambda it: revisions(it) == [changed["revision"]["id"]], SOON_S)
    await account.client.delete(path)
    await eventually(redis, lambda it: revisions(it) == [], SOON_S)


async def test_a_key_is_routed_without_its_secret_and_gone_when_it_is_revoked(account: Account, redis: Redis):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    body = {"name": "app", "scopes": ["infer"], "expires_at": tomorrow.isoformat()}
    made = (await account.client.post(f"{project(account)}/keys", json=body)).json()
    key_id = made["key"]["key_id"]
    routes = await eventually(redis, lambda it: key_id in key_ids(it), SOON_S)
    [key] = [it for it in routes.keys if it.key_id == key_id]
    blob = await redis.get(ROUTES_KEY)
    assert (str(key.key_uuid), key.project_id, key.organization_id) == (
        made["key"]["id"],
        account.project_id,
        account.organization_id,
    )
    assert (key.scopes, key.expires_at) == (("infer",), pytest.approx(tomorrow.timestamp(), abs=1e-3))
    assert isinstance(blob, bytes)
    assert made["secret"].rpartition("_")[2].encode() not in blob
    await account.client.delete(f"{project(account)}/keys/{made['key']['id']}")
    await eventually(redis, lambda it: key_id not in key_ids(it), SOON_S)


async def test_the_console_can_call_a_new_project_at_once(account: Account, redis: Redis):
    secret = console_key(SECRET, account.project_id)
    routes = await eventually(redis, lambda it: secret.key_id in key_ids(it), SOON_S)
    assert [it.secret_sha256 for it in routes.keys if it.key_id == secret.key_id] == [secret.sha256]


async def test_an_expired_key_is_not_routed(account: Account, database: Database, redis: Redis):
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    body = {"name": "app", "scopes": ["infer"], "expires_at": later}
    key = (await account.client.post(f"{project(account)}/keys", json=body)).json()["key"]
    async with database.transaction() as connection:
        await connection.execute("UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE id = $1", UUID(key["id"]))
        await bump_routes(connection)
    await eventually(redis, lambda it: key["key_id"] not in key_ids(it))


async def test_a_redis_that_lost_everything_gets_the_table_again(app: Litestar, account: Account, redis: Redis):
    console = console_key(SECRET, account.project_id).key_id
    before = await eventually(redis, lambda it: console in key_ids(it))
    await redis.flushall()
    assert await eventually(redis, lambda it: it.version > 0) == before


async def test_a_redis_that_lost_the_table_alone_gets_it_again(database: Database, redis: Redis):
    assert await publish_if_newer(database, redis)
    await redis.delete(ROUTES_KEY)
    assert await publish_if_newer(database, redis)
    assert (await table(redis)).version > 0


async def test_nothing_is_published_twice(database: Database, redis: Redis):
    assert await publish_if_newer(database, redis)
    assert await publish_if_newer(database, redis) is None


async def test_an_older_table_does_not_replace_a_newer_one(database: Database, redis: Redis):
    version = await publish_if_newer(database, redis)
    assert version is not None
    assert not await publisher._store(redis, RouteTable(version - 1))  # pyright: ignore[reportPrivateUsage]
    assert (await table(redis)).version == version


async def test_a_database_that_went_back_goes_on_above_what_gateways_have_seen(database: Database, redis: Redis):
    version = await publish_if_newer(database, redis)
    assert version is not None
    await database.run(lambda it: it.execute("UPDATE route_version SET version = 1"))
    again = await publish_if_newer(database, redis)
    assert again is not None
    assert again > version
    assert (await table(redis)).version == await database.run(find_route_version) == again


async def test_every_version_is_above_the_one_before_and_tells_the_time(database: Database):
    versions: list[int] = []
    for _ in range(3):
        async with database.transaction() as connection:
            await bump_routes(connection)
        versions.append(await database.run(find_route_version))
    assert versions == sorted(set(versions))
    assert abs(versions[-1] / 1e6 - time.time()) < 60


async def test_a_change_that_is_rolled_back_is_not_announced(database: Database, redis: Redis):
    version = await publish_if_newer(database, redis)

    async def change() -> None:
        async with database.transaction() as connection:
            await bump_routes(connection)
            raise LookupError

    with pytest.raises(LookupError):
        await change()
    assert await publish_if_newer(database, redis) is None
    assert (await table(redis)).version == version


async def test_two_control_planes_do_not_get_in_each_others_way(settings: ControlSettings, account: Account, redis: Redis):
    other = create_app(settings)
    async with started(other):
        body = {"name": "app", "scopes": ["infer"]}
        answers = await asyncio.gather(*(account.client.post(f"{project(account)}/keys", json=body) for _ in range(8)))
        made = {it.json()["key"]["key_id"] for it in answers}
        routes = await eventually(redis, lambda it: made <= key_ids(it))
    assert int(await redis.get(VERSION_KEY) or 0) == routes.version


KILL_ALL: Final = """
    SELECT pg_terminate_backend(pid)
    FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database()
"""


async def test_a_publisher_that_lost_its_connections_goes_on(account: Account, database_url: str, redis: Redis):
    connection = await asyncpg.connect(database_url)
    assert len(await connection.fetch(KILL_ALL)) >= 2
    await connection.close()
    made = await first_success(lambda: account.client.post(f"{project(account)}/keys", json={"name": "app", "scopes": ["infer"]}))
    await eventually(redis, lambda it: made["key"]["key_id"] in key_ids(it))
    path = f"{project(account)}/keys/{made['key']['id']}"
    assert (await account.client.delete(path)).status_code == 204
    await eventually(redis, lambda it: made["key"]["key_id"] not in key_ids(it))


async def first_success(call: Callable[[], Awaitable[httpx.Response]]) -> dict[str, Any]:
    """The first answer that is no 503: each connection the pool still holds is found dead once."""
    async with asyncio.timeout(10):
        while (answer := await call()).status_code == 503:
            continue
    assert answer.status_code == 201, answer.text
    return answer.json()
