"""Answers shared through a real Redis: found together, and never waited for when it is stopped, killed, slow or full."""

import asyncio
import time
from collections.abc import AsyncGenerator

import numpy as np
import pytest
import uvloop

from gateway.cache import link, storing
from gateway.cache.lookups import MAX_KEYS
from gateway.cache.shared import PREFIX, SharedStore
from gateway.cache.storing import MAX_VALUE_BYTES, has_room_by
from serving.tensors import Array
from tests.gateway.breakable import BreakableValkey
from tests.gateway.waiting import until

HELD_S = 0.005
NUMBER = np.array([[1.5, -2.0]], np.float32)
TEXT = np.array(["Ōsaka", ""], object)


def pytest_asyncio_loop_factories() -> dict[str, type[asyncio.AbstractEventLoop]]:
    """The loop that serves in production."""
    return {"uvloop": uvloop.Loop}


def key(number: int) -> bytes:
    return number.to_bytes(32, "little")


@pytest.fixture
async def store(valkey: BreakableValkey) -> AsyncGenerator[SharedStore]:
    """Connected."""
    made = SharedStore(valkey.url)
    keeping = asyncio.create_task(made.run())
    await until(lambda: is_up(made), "the connections")
    yield made
    keeping.cancel()
    await asyncio.wait([keeping], timeout=5)
    assert keeping.cancelled()


def is_up(store: SharedStore) -> bool:
    return store.lookups.is_up and store.storing.is_up


class Asked:
    """What one look-up found, and how long it was held."""

    def __init__(self, store: SharedStore, number: int) -> None:
        self._began = time.monotonic()
        self.held_s: float | None = None
        self.outputs: list[Array] | None = None
        self.left_s = 0.0
        self.was_sent = store.ask(key(number), self._found)

    def _found(self, found: tuple[list[Array], float] | None) -> None:
        assert self.held_s is None, "told twice"
        self.held_s = time.monotonic() - self._began
        if found is not None:
            self.outputs, self.left_s = found


async def look_up(store: SharedStore, *numbers: int) -> list[Asked]:
    asked = [Asked(store, it) for it in numbers]
    await until(lambda: all(it.held_s is not None for it in asked if it.was_sent), "the look-ups")
    return asked


async def find(store: SharedStore, number: int) -> Asked:
    """As `look_up`, again and again until it is found: where others use the machine too, any Redis is late at times."""
    deadline = time.monotonic() + 15
    while True:
        (asked,) = await look_up(store, number)
        if asked.outputs is not None:
            return asked
        assert time.monotonic() < deadline, "never found"
        await asyncio.sleep(0.005)


class Lag:
    """The longest time between two turns of the loop, during a `with` block."""

    def __enter__(self) -> "Lag":
        self.longest_s = 0.0
        self._task = asyncio.create_task(self._watch())
        return self

    def __exit__(self, *_: object) -> None:
        self._task.cancel()

    async def _watch(self) -> None:
        before = time.monotonic()
        while True:
            await asyncio.sleep(0)
            now = time.monotonic()
            self.longest_s, before = max(self.longest_s, now - before), now


async def put(store: SharedStore, number: int, *outputs: Array, ttl_s: float = 60.0) -> None:
    before = store.storing.stored
    store.put(key(number), outputs, ttl_s)
    await until(lambda: store.storing.stored == before + 1, "the answer to be stored")


async def test_an_answer_is_found_by_another_gateway(store: SharedStore, valkey: BreakableValkey) -> None:
    await put(store, 1, NUMBER, TEXT)
    other = SharedStore(valkey.url)
    keeping = asyncio.create_task(other.run())
    await until(lambda: other.lookups.is_up, "the other's connection")
    asked = await find(other, 1)
    keeping.cancel()
    assert asked.outputs is not None
    assert [it.tolist() for it in asked.outputs] == [NUMBER.tolist(), TEXT.tolist()]
    assert 50 < asked.left_s <= 60


async def test_the_look_ups_of_a_tick_go_out_as_one_command(store: SharedStore, valkey: BreakableValkey) -> None:
    await put(store, 3, NUMBER)
    with valkey.client() as client:
        await find(store, 3)
        client.config_resetstat()
        asked = await look_up(store, *range(MAX_KEYS))
        statistics: dict[str, dict[str, int]] = client.info("commandstats")  # type: ignore[assignment]
    assert statistics["cmdstat_mget"]["calls"] == 1
    assert {number for number, it in enumerate(asked) if it.outputs is not None} <= {3}


async def test_many_look_ups_are_split(store: SharedStore) -> None:
    await put(store, MAX_KEYS + 3, NUMBER)
    found: set[int] = set()
    deadline = time.monotonic() + 15
    while not found:
        asked = await look_up(store, *range(3 * MAX_KEYS))
        found = {number for number, it in enumerate(asked) if it.outputs is not None}
        assert time.monotonic() < deadline
        await asyncio.sleep(0)
    assert found == {MAX_KEYS + 3}


async def test_an_answer_ends_in_redis_too(store: SharedStore, valkey: BreakableValkey) -> None:
    await put(store, 1, NUMBER, ttl_s=30)
    with valkey.client() as client:
        assert 29_000 < client.pttl(PREFIX + key(1)) <= 30_000  # type: ignore[operator]


async def test_an_answer_whose_time_is_over_is_none_even_if_redis_has_it(store: SharedStore, valkey: BreakableValkey) -> None:
    await put(store, 1, NUMBER, ttl_s=0.05)
    store.put(key(1), [NUMBER], 0.05)
    with valkey.client() as client:
        blob = client.get(PREFIX + key(1))
        assert isinstance(blob, bytes)
        client.set(PREFIX + key(1), blob)
    began = time.monotonic()
    await until(lambda: time.monotonic() > began + 0.06, "its end")
    (asked,) = await look_up(store, 1)
    assert (asked.was_sent, asked.outputs) == (True, None)


@pytest.mark.parametrize("foreign", [b"", b"hello", b"\0" * 500])
async def test_what_somebody_else_wrote_is_a_miss(store: SharedStore, valkey: BreakableValkey, foreign: bytes) -> None:
    with valkey.client() as client:
        client.set(PREFIX + key(1), foreign)
        client.rpush(PREFIX + key(2), foreign)
    asked = await look_up(store, 1, 2)
    assert [it.outputs for it in asked] == [None, None]


async def test_a_stopped_redis_holds_nobody_for_longer_than_it_may(store: SharedStore, valkey: BreakableValkey) -> None:
    await put(store, 1, NUMBER)
    held: list[float] = []
    with valkey.stalled(), Lag() as lag:
        began = time.monotonic()
        while time.monotonic() < began + 1:
            (asked,) = await look_up(store, 1)
            assert asked.outputs is None
            held.append(asked.held_s or 0.0)
            await asyncio.sleep(0)
            store.put(key(2), [NUMBER], 60)
    held_long = [it for it in held if it > 0.001]
    assert len(held_long) == 1, "once it is known to be slow, nobody waits for it"
    assert held_long[0] - 2 * lag.longest_s < HELD_S + 0.001
    assert len(held) > 100
    await find(store, 1)


async def test_a_redis_that_stays_away_is_dialled_again(
    store: SharedStore, valkey: BreakableValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "PATIENCE_S", 0.1)
    with valkey.stalled():
        await look_up(store, 1)
        await until(lambda: not store.lookups.is_connected, "the connection to be given up")
        assert not Asked(store, 1).was_sent
    await until(lambda: is_up(store), "the connections")
    await put(store, 1, NUMBER)
    await find(store, 1)


async def test_a_killed_redis_is_a_miss_at_once_and_comes_back(store: SharedStore, valkey: BreakableValkey) -> None:
    await put(store, 1, NUMBER)
    valkey.kill()
    (asked,) = await look_up(store, 1)
    assert asked.outputs is None
    await until(lambda: not Asked(store, 1).was_sent, "nobody to be asked any more")
    store.put(key(2), [NUMBER], 60)
    assert store.storing.dropped == 1
    valkey.start()
    await until(lambda: is_up(store), "the connections")
    await put(store, 3, NUMBER)
    await find(store, 3)


async def test_a_late_loop_is_not_a_late_redis(store: SharedStore) -> None:
    await put(store, 1, NUMBER)
    asked = Asked(store, 1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    time.sleep(0.02)  # noqa: ASYNC251 - what a long run on the loop does to the timers
    await until(lambda: asked.held_s is not None, "the look-up")
    assert asked.outputs is not None
    assert store.lookups.late == 0


async def test_a_wall_of_answers_is_dropped_not_queued(store: SharedStore, valkey: BreakableValkey) -> None:
    large = np.zeros(MAX_VALUE_BYTES // 4 - 100, np.float32)
    with valkey.stalled():
        for number in range(64):
            store.put(key(number), [large], 60)
        assert store.storing.dropped > 30
    await until(lambda: store.storing.stored + store.storing.dropped == 64, "the others")


async def test_a_large_answer_is_not_shared(store: SharedStore) -> None:
    store.put(key(1), [np.zeros(MAX_VALUE_BYTES + 1, np.uint8)], 60)
    assert (store.storing.stored, store.storing.dropped) == (0, 0)
    assert [it.outputs for it in await look_up(store, 1)] == [None]


async def test_a_redis_without_room_is_left_alone(
    store: SharedStore, valkey: BreakableValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "MAX_MEMORY_SHARE", 0.0)
    await put(store, 1, NUMBER)

    def drops() -> bool:
        before = store.storing.dropped
        store.put(key(2), [NUMBER], 60)
        return store.storing.dropped > before

    await until(drops, "the cache to notice")
    monkeypatch.setattr(storing, "MAX_MEMORY_SHARE", 1.0)
    await until(lambda: not drops(), "room again")


@pytest.mark.parametrize(
    ("info", "has_room"),
    [
        (b"used_memory:10\r\nmaxmemory:100\r\nmaxmemory_policy:noeviction\r\n", True),
        (b"used_memory:40\r\nmaxmemory:100\r\nmaxmemory_policy:noeviction\r\n", False),
        (b"used_memory:90\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n", True),
        (b"used_memory:40\r\nmaxmemory:0\r\ntotal_system_memory:1000\r\n", True),
        (b"used_memory:400\r\nmaxmemory:0\r\ntotal_system_memory:1000\r\n", False),
        (b"# nothing we know\r\n", True),
    ],
)
def test_room_is_told_from_what_redis_says(info: bytes, has_room: bool) -> None:
    assert has_room_by(info) is has_room
