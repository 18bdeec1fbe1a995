"""From the commit to the page: Postgres tells every control process, the first of them stores, all of them pass it on.

Events of an organization stand in one Redis stream of bounded length, so that a page that lost its connection gets what it
missed. Where an event could be lost before it stands there (nobody listened to Postgres, Redis was away), a new epoch begins and
the open streams end: who comes back with a place in an earlier epoch is told to load everything anew. A page that is too slow,
and one whose process missed what another stored, just comes back for the rest.
"""

import asyncio
import logging
import re
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.errors import TooMany
from control.background import running
from control.database import COMMAND_TIMEOUT_S, CONNECT_TIMEOUT_S
from control.events.announcing import EVENTS_CHANNEL, Event

logger = logging.getLogger(__name__)

CHANNEL: Final = "headrace:events"
EPOCH_KEY: Final = "headrace:events:epoch"
"""Counts how often events may have been lost."""
HISTORY: Final = 1000
"""Events of one organization that are kept, about."""
HISTORY_S: Final = 86_400
STORED_ONCE_S: Final = 300
"""How long one process may come after another with the same event."""
MAX_WAITING: Final = 200
"""Events that one page may be behind."""
MAX_UNSTORED: Final = 10_000
MAX_STREAMS: Final = 2000
MAX_STREAMS_OF_ONE: Final = 20
"""Of one person in one process: more than tabs anybody has open."""
ABOUT_PROJECTS: Final = "project."
RECONNECT_S: Final = 1.0
POLL_S: Final = 1.0
POSITION: Final = re.compile(r"([0-9]{1,19})-([0-9]{1,19})\.([0-9]{1,19})")

STORE_ONCE: Final = """
if not redis.call('SET', KEYS[2], '', 'NX', 'EX', ARGV[3]) then
    return 0
end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'event', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('PUBLISH', ARGV[2], id .. ' ' .. ARGV[1])
return 1
"""

StreamId = tuple[int, int]


class TooManyStreams(TooMany):
    title = "Too many event streams"


class Position(Struct, frozen=True):
    """How much of its organization's events a page knows; what it says when it comes back."""

    id: StreamId
    """Of the last one; (0, 0) before the first."""
    epoch: int

    def __str__(self) -> str:
        return f"{self.id[0]}-{self.id[1]}.{self.epoch}"


LOST: Final = Position((0, 0), -1)
"""Of whoever says what nobody told them."""


class Told(Struct, frozen=True):
    """An event, and where it stands in its organization's stream."""

    id: StreamId
    event: Event


class Stream:
    """One open page, of a project or of the organization alone: what it has yet to be told."""

    def __init__(self, organization_id: UUID, project_id: UUID | None, user_id: UUID) -> None:
        self.organization_id = organization_id
        self.project_id = project_id
        self.user_id = user_id
        self.is_over = False
        self._waiting: deque[Told] = deque()
        self._woken = asyncio.Event()

    def offer(self, told: Told) -> None:
        """Pass an event on if it is for this page; a page too far behind is over."""
        if not self.wants(told.event):
            return
        self._waiting.append(told)
        self._woken.set()
        if len(self._waiting) > MAX_WAITING:
            self.end()

    def wants(self, event: Event) -> bool:
        """Whether the page may show it: pages of the organization have lists of projects, and no more of what is in them."""
        if self.project_id is None and event.type.startswith(ABOUT_PROJECTS):
            return True
        return event.project_id in (None, self.project_id)

    def end(self) -> None:
        """Let the page come again."""
        self.is_over = True
        self._woken.set()

    async def take(self, timeout_s: float) -> list[Told]:
        """What there is to tell, as soon as there is something; nothing when the stream ends or the time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        self._woken.clear()
        told = list(self._waiting)
        self._waiting.clear()
        return told


class Feed:
    """The open streams of this process."""

    def __init__(self) -> None:
        self._streams: defaultdict[UUID, set[Stream]] = defaultdict(set)

    @property
    def has_streams(self) -> bool:
        """Whether anybody listens."""
        return bool(self._streams)

    def check_room(self, user_id: UUID) -> None:
        """Raises TooManyStreams."""
        streams = [it.user_id for of in self._streams.values() for it in of]
        if len(streams) >= MAX_STREAMS or streams.count(user_id) >= MAX_STREAMS_OF_ONE:
            raise TooManyStreams("too many event streams are open; close some", retry_after_s=30)

    @contextmanager
    def opened(self, stream: Stream) -> Generator[Stream]:
        """Tell `stream` what happens, for as long as the block runs."""
        self._streams[stream.organization_id].add(stream)
        try:
            yield stream
        finally:
            self._streams[stream.organization_id].discard(stream)
            if not self._streams[stream.organization_id]:
                del self._streams[stream.organization_id]

    def tell(self, told: Told) -> None:
        """Pass an event on to the pages it is for."""
        for it in self._streams.get(told.event.organization_id, ()):
            it.offer(told)

    def end_all(self) -> None:
        """Let every page come again."""
        for streams in self._streams.values():
            for it in streams:
                it.end()


async def history(redis: Redis, organization_id: UUID, last: Position | None) -> tuple[Position, list[Told] | None]:
    """Where the organization's events are by now, and those that came after `last`; None if they are not known any more.

    Raises RedisError.
    """
    async with redis.pipeline(transaction=True) as pipe:
        pipe.xrevrange(_key(organization_id), count=1)
        pipe.get(EPOCH_KEY)
        newest, epoch = await pipe.execute()
    now = Position(_stream_id(newest[0][0]) if newest else (0, 0), int(epoch or 0))
    if last is None or last == now:
        return now, []
    if last.epoch != now.epoch:
        return now, None
    found: Any = await redis.xrange(_key(organization_id), min="{}-{}".format(*last.id))
    if not found or _stream_id(found[0][0]) != last.id:
        return now, None
    return now, [_told(id, fields[b"event"]) for id, fields in found[1:]]


def parse_position(text: str) -> Position:
    """A position as pages repeat it; LOST if it is none."""
    found = POSITION.fullmatch(text)
    if found is None:
        return LOST
    first, second, epoch = map(int, found.groups())
    return Position((first, second), epoch) if max(first, second, epoch) < 2**63 else LOST


@asynccontextmanager
async def feeding(database_url: str, redis: Redis, feed: Feed) -> AsyncGenerator[None]:
    """Keep `feed` told for as long as the block runs."""
    unstored: asyncio.Queue[str] = asyncio.Queue(MAX_UNSTORED)
    lost = asyncio.Event()
    async with (
        running(_hear_forever(database_url, unstored, lost)),
        running(_store_forever(redis, unstored, lost)),
        running(_begin_epochs_forever(redis, lost, feed)),
        running(_pass_on_forever(redis, feed)),
    ):
        yield


async def _hear_forever(database_url: str, unstored: asyncio.Queue[str], lost: asyncio.Event) -> None:
    while True:
        try:
            await _hear(database_url, unstored, lost)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.debug("not hearing of events: %s", error)
        await asyncio.sleep(RECONNECT_S)


async def _hear(database_url: str, unstored: asyncio.Queue[str], lost: asyncio.Event) -> None:
    """Queue every announcement; returns when the connection has ended."""
    ended = asyncio.Event()

    def hear(_connection: Any, _pid: int, _channel: str, payload: object) -> None:
        try:
            unstored.put_nowait(str(payload))
        except asyncio.QueueFull:
            lost.set()

    def end(_: Any) -> None:
        ended.set()

    connection = await asyncpg.connect(database_url, timeout=CONNECT_TIMEOUT_S, command_timeout=COMMAND_TIMEOUT_S)
    try:
        connection.add_termination_listener(end)
        await connection.add_listener(EVENTS_CHANNEL, hear)
        lost.set()  # what was announced before this connection listened
        await ended.wait()
    finally:
        connection.terminate()


async def _store_forever(redis: Redis, unstored: asyncio.Queue[str], lost: asyncio.Event) -> None:
    while True:
        payload = await unstored.get()
        try:
            event = msgspec.json.decode(payload, type=Event)
            keys = _key(event.organization_id), f"headrace:event:{event.id}"
            await redis.eval(STORE_ONCE, len(keys), *keys, payload, CHANNEL, STORED_ONCE_S, HISTORY, HISTORY_S)
        except (RedisError, OSError, msgspec.MsgspecError) as error:
            logger.debug("an event was not stored: %s", error)
            lost.set()


async def _begin_epochs_forever(redis: Redis, lost: asyncio.Event, feed: Feed) -> None:
    """Whenever events may have been lost: let nobody go on from before, and everybody come again."""
    while True:
        await lost.wait()
        lost.clear()
        try:
            await redis.incr(EPOCH_KEY)
            feed.end_all()
        except (RedisError, OSError) as error:
            logger.debug("no epoch of events can begin: %s", error)
            lost.set()
            await asyncio.sleep(RECONNECT_S)


async def _pass_on_forever(redis: Redis, feed: Feed) -> None:
    while True:
        try:
            async with redis.pubsub() as pubsub:
                await pubsub.subscribe(CHANNEL)
                feed.end_all()  # what was published before this connection listened
                while True:
                    message: Any = await pubsub.get_message(ignore_subscribe_messages=True, timeout=POLL_S)
                    if message is not None:
                        id, _, event = message["data"].partition(b" ")
                        feed.tell(_told(id, event))
        except (RedisError, OSError) as error:
            logger.debug("events are not passed on: %s", error)
        await asyncio.sleep(RECONNECT_S)


def _key(organization_id: UUID) -> str:
    return f"headrace:events:{organization_id}"


def _told(id: bytes, event: bytes) -> Told:
    return Told(_stream_id(id), msgspec.json.decode(event, type=Event))


def _stream_id(text: bytes) -> StreamId:
    first, _, second = text.partition(b"-")
    return int(first), int(second)
