"""From the commit to the page: Postgres tells every control process, the first of them stores, all of them pass it on.

Events of an organization stand in one Redis stream of bounded length, so that a page that lost its connection gets what it
missed. Whatever could lose an event on the way (a lost connection, a reader that is too slow) ends the open streams instead:
browsers come back by themselves, saying what they saw last, and pages load anew what they show.
"""

import asyncio
import logging
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


async def history(redis: Redis, organization_id: UUID, last: StreamId | None) -> tuple[StreamId | None, list[Told] | None]:
    """Where the organization's stream ends, and what came after `last`; None if that is not known any more.

    Raises RedisError.
    """
    newest: Any = await redis.xrevrange(_key(organization_id), count=1)
    end = parse_id(newest[0][0].decode()) if newest else None
    if last is None or last == end:
        return end, []
    found: Any = await redis.xrange(_key(organization_id), min=text_of(last))
    if not found or parse_id(found[0][0].decode()) != last:
        return end, None
    return end, [_told(id, fields[b"event"]) for id, fields in found[1:]]


def parse_id(text: str) -> StreamId | None:
    """The id of an event as pages repeat it; None if it is none."""
    first, dash, second = text.partition("-")
    if not (dash and first.isascii() and first.isdecimal() and second.isascii() and second.isdecimal()):
        return None
    id = int(first[:32]), int(second[:32])
    return id if max(id) < 2**64 else None


def text_of(id: StreamId) -> str:
    """An event's id for the wire."""
    return f"{id[0]}-{id[1]}"


@asynccontextmanager
async def feeding(database_url: str, redis: Redis, feed: Feed) -> AsyncGenerator[None]:
    """Keep `feed` told for as long as the block runs."""
    unstored: asyncio.Queue[str] = asyncio.Queue(MAX_UNSTORED)
    async with (
        running(_hear_forever(database_url, unstored, feed)),
        running(_store_forever(redis, unstored, feed)),
        running(_pass_on_forever(redis, feed)),
    ):
        yield


async def _hear_forever(database_url: str, unstored: asyncio.Queue[str], feed: Feed) -> None:
    while True:
        try:
            await _hear(database_url, unstored, feed)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.debug("not hearing of events: %s", error)
        await asyncio.sleep(RECONNECT_S)


async def _hear(database_url: str, unstored: asyncio.Queue[str], feed: Feed) -> None:
    """Queue every announcement; returns when the connection is lost."""
    lost = asyncio.Event()

    def hear(_connection: Any, _pid: int, _channel: str, payload: object) -> None:
        try:
            unstored.put_nowait(str(payload))
        except asyncio.QueueFull:
            feed.end_all()

    def lose(_: Any) -> None:
        lost.set()

    connection = await asyncpg.connect(database_url, timeout=CONNECT_TIMEOUT_S, command_timeout=COMMAND_TIMEOUT_S)
    try:
        connection.add_termination_listener(lose)
        await connection.add_listener(EVENTS_CHANNEL, hear)
        feed.end_all()  # what was announced before this connection listened
        await lost.wait()
    finally:
        connection.terminate()


async def _store_forever(redis: Redis, unstored: asyncio.Queue[str], feed: Feed) -> None:
    while True:
        payload = await unstored.get()
        try:
            event = msgspec.json.decode(payload, type=Event)
            keys = _key(event.organization_id), f"headrace:event:{event.id}"
            await redis.eval(STORE_ONCE, len(keys), *keys, payload, CHANNEL, STORED_ONCE_S, HISTORY, HISTORY_S)
        except (RedisError, OSError, msgspec.MsgspecError) as error:
            logger.debug("an event was not stored: %s", error)
            feed.end_all()


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
    place = parse_id(id.decode())
    assert place is not None
    return Told(place, msgspec.json.decode(event, type=Event))
