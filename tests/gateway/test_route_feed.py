"""Which tables the feed takes, and that it gets them from wherever there is one."""

import asyncio
import stat
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from redis.asyncio.client import PubSub
from redis.exceptions import TimeoutError as RedisTimeout

from contracts.routes import RouteTable, decode_routes, encode_routes
from gateway.redis_client import connect
from gateway.route_feed import NOT_TRIED, RouteFeed, is_newer
from tests.gateway.breakable import BreakableValkey
from tests.gateway.tables import publish
from tests.gateway.waiting import until


class Taken(list[RouteTable]):
    """The tables the feed took, and a way to wait for one."""

    async def until(self, version: int) -> float:
        """Seconds until `version` was taken."""
        started = time.monotonic()
        await until(lambda: bool(self) and self[-1].version == version, f"table {version}")
        return time.monotonic() - started


def contents(folder: Path) -> dict[str, int]:
    """Mode of each file in `folder`, by name."""
    return {it.name: stat.S_IMODE(it.stat().st_mode) for it in folder.iterdir()}


@asynccontextmanager
async def feeding(url: str, kept: Path, taken: Taken) -> AsyncGenerator[RouteFeed]:
    client = connect(url)
    feed = RouteFeed(client, kept, taken.append)
    feed.start_from_disk()
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await client.aclose()


@pytest.mark.parametrize(
    ("table", "held", "newer"),
    [
        (RouteTable(1), None, True),
        (RouteTable(8), RouteTable(7), True),
        (RouteTable(7), RouteTable(7), False),
        (RouteTable(6), RouteTable(7), False),
    ],
)
def test_only_a_newer_table_is_taken(table: RouteTable, held: RouteTable | None, newer: bool) -> None:
    assert is_newer(table, held) is newer


async def test_an_announced_table_is_taken_at_once_and_kept_on_disk(valkey: BreakableValkey, tmp_path: Path) -> None:
    taken, kept = Taken(), tmp_path / "routes.msgpack"
    with valkey.client() as client:
        publish(client, RouteTable(1))
        async with feeding(valkey.url, kept, taken) as feed:
            await taken.until(1)
            publish(client, RouteTable(2))
            assert await taken.until(2) < 1
            await until(lambda: kept.exists() and decode_routes(kept.read_bytes()).version == 2, "the table on disk")
            assert (feed.version, feed.problem) == (2, "")
    assert contents(tmp_path) == {"routes.msgpack": 0o600}


async def test_a_table_whose_announcement_was_lost_is_found_by_looking(valkey: BreakableValkey, tmp_path: Path) -> None:
    taken = Taken()
    with valkey.client() as client:
        publish(client, RouteTable(1))
        async with feeding(valkey.url, tmp_path / "routes", taken):
            await taken.until(1)
            client.set("headrace:routes", encode_routes(RouteTable(2)))
            await taken.until(2)


async def test_the_table_on_disk_serves_while_redis_is_away(valkey: BreakableValkey, tmp_path: Path) -> None:
    taken, kept = Taken(), tmp_path / "routes"
    kept.write_bytes(encode_routes(RouteTable(5)))
    valkey.kill()
    async with feeding(valkey.url, kept, taken) as feed:
        assert taken == [RouteTable(5)]
        await until(lambda: feed.problem not in ("", NOT_TRIED), "the failure")
        valkey.start()
        with valkey.client() as client:
            publish(client, RouteTable(6))
        await taken.until(6)
        assert feed.problem == ""


async def test_redis_may_die_and_come_back(valkey: BreakableValkey, tmp_path: Path) -> None:
    taken = Taken()
    async with feeding(valkey.url, tmp_path / "routes", taken) as feed:
        await until(lambda: feed.problem == "", "the connection")
        valkey.kill()
        await until(lambda: feed.problem != "", "the failure")
        valkey.start()
        with valkey.client() as client:
            publish(client, RouteTable(1))
        await taken.until(1)


async def test_a_damaged_table_changes_nothing(valkey: BreakableValkey, tmp_path: Path) -> None:
    taken, kept = Taken(), tmp_path / "routes"
    kept.write_bytes(b"\xc1 no table")
    with valkey.client() as client:
        async with feeding(valkey.url, kept, taken) as feed:
            assert not feed.has_table
            publish(client, RouteTable(1))
            await taken.until(1)
            client.set("headrace:routes", b"\xc1")
            client.publish("headrace:routes:changed", "2")
            publish(client, RouteTable(3))
            await taken.until(3)
    assert [it.version for it in taken] == [1, 3]


async def test_it_ends_when_told_to_even_if_closing_the_connection_fails(
    valkey: BreakableValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(valkey.url)
    feed = RouteFeed(client, tmp_path / "routes", Taken().append)
    task = asyncio.create_task(feed.run())
    await until(lambda: feed.problem == "", "the connection")

    async def fail(_: PubSub) -> None:
        raise RedisTimeout("closing took too long")

    monkeypatch.setattr(PubSub, "aclose", fail)
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.done()
    await client.aclose()
