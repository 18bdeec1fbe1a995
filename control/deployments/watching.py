"""Tells pages when gateways take a deployment up, serve it, or let it go: workers report to Redis, which pages do not read.

Every control process that has pages open compares what the workers say with what was told last, which stands in Redis too, so
that each change is told once, whoever sees it first, and also if nobody looked when it came.
"""

import asyncio
import hashlib
import logging
from collections import defaultdict
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from control.database import Connection, Database, DatabaseUnavailable
from control.deployments.status import read_reports
from control.events.announcing import announce
from control.events.feed import Feed

logger = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often a deployment's page hears of a change at most."""
TOLD_KEY: Final = "headrace:deployments:told"
"""What was told last: from a deployment's id to a digest of where its workers stood."""
TOLD_S: Final = 7 * 86_400
BATCH: Final = 500

TELL_ONCE: Final = """
local changed = {}
for place = 2, #ARGV, 2 do
    local id, digest = ARGV[place], ARGV[place + 1]
    if (redis.call('HGET', KEYS[1], id) or '') ~= digest then
        if digest == '' then redis.call('HDEL', KEYS[1], id) else redis.call('HSET', KEYS[1], id, digest) end
        changed[#changed + 1] = id
    end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return changed
"""

LIST_PLACES: Final[LiteralString] = """
    SELECT projects.organization_id, deployments.project_id, deployments.id
    FROM deployments
    JOIN projects ON projects.id = deployments.project_id
    WHERE deployments.id = ANY($1)
"""


class Standing(Struct, frozen=True):
    """What of a revision's status changes what people see of the deployment, and not with every request."""

    revision_id: UUID
    deployment_id: UUID
    state: str
    error: str = ""


class Report(Struct, frozen=True):
    """A worker's status as far as pages hear of it at once: `contracts.workers.WorkerStatus` in part."""

    worker_id: str
    revisions: tuple[Standing, ...] = ()


class Watcher:
    """Knows what was told."""

    def __init__(self, database: Database, redis: Redis) -> None:
        self._database = database
        self._redis = redis
        self._told: dict[str, str] | None = None

    async def look(self) -> None:
        """Tell what has changed since somebody looked. Raises RedisError, OSError or DatabaseUnavailable."""
        if self._told is None:
            self._told = await self._read_told()
        now = await asyncio.to_thread(digests, await read_reports(self._redis))
        changed = [it for it in sorted(now.keys() | self._told.keys()) if now.get(it) != self._told.get(it)]
        for start in range(0, len(changed), BATCH):
            batch = {it: now.get(it, "") for it in changed[start : start + BATCH]}
            await self._tell(batch)
            self._told = {id: digest for id, digest in (self._told | batch).items() if digest}

    async def _read_told(self) -> dict[str, str]:
        told: dict[Any, Any] = await self._redis.hgetall(TOLD_KEY)
        return {id.decode(): digest.decode() for id, digest in told.items()}

    async def _tell(self, batch: dict[str, str]) -> None:
        pairs = [text for pair in batch.items() for text in pair]
        ours: list[Any] = await self._redis.eval(TELL_ONCE, 1, TOLD_KEY, TOLD_S, *pairs)
        ids = [UUID(it.decode()) for it in ours]
        if ids:
            await self._database.change(lambda connection: announce_states(connection, ids))


async def watch_forever(database: Database, redis: Redis, feed: Feed) -> None:
    """Look every `LOOK_S` while pages are open in this process."""
    watcher = Watcher(database, redis)
    while True:
        try:
            if feed.has_streams:
                await watcher.look()
        except (RedisError, OSError, DatabaseUnavailable) as error:
            logger.debug("the states of deployments cannot be told: %s", error)
        await asyncio.sleep(LOOK_S)


async def announce_states(connection: Connection, deployment_ids: list[UUID]) -> None:
    """Tell the pages of the deployments' projects; those that are deleted have been told of."""
    for row in await connection.fetch(LIST_PLACES, deployment_ids):
        await announce(connection, row["organization_id"], row["project_id"], "deployment.state", str(row["id"]))


def digests(reports: list[bytes]) -> dict[str, str]:
    """By deployment: where the workers stand with it, as something short to compare."""
    decoded = [it for it in map(_decode, reports) if it is not None]
    workers = sorted(it.worker_id for it in decoded)
    standings: defaultdict[UUID, list[tuple[str, ...]]] = defaultdict(list)
    for report in decoded:
        for it in report.revisions:
            standings[it.deployment_id].append((report.worker_id, str(it.revision_id), it.state, it.error))
    return {str(id): _digest((workers, sorted(of_it))) for id, of_it in standings.items()}


def _digest(of: object) -> str:
    return hashlib.blake2b(msgspec.json.encode(of), digest_size=8).hexdigest()


def _decode(report: bytes) -> Report | None:
    try:
        return msgspec.msgpack.decode(report, type=Report)
    except msgspec.DecodeError:
        return None  # of another version of the gateway; whoever asks for the state logs it
