"""What gateways count and note in Redis of keys: requests of the day, uses of old secrets, addresses."""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.key_uses import addresses_key, old_secrets_key, secret_field
from contracts.limits import USED, quota_key, utc_day
from control.database import Connection
from control.keys.errors import KeyUseUnknown
from control.keys.schemas import Key, KeyAddress

logger = logging.getLogger(__name__)

LIST_OLD_SECRETS: Final[LiteralString] = """
    SELECT id, previous_sha256
    FROM api_keys
    WHERE id = ANY($1::uuid[])
      AND previous_expires_at > now()
"""


async def list_old_secrets(connection: Connection, keys: Sequence[Key]) -> dict[UUID, bytes]:
    """The hashes of those secrets that the last rotation of a key replaced, and that are good still."""
    rotated = [it.id for it in keys if it.previous_expires_at is not None]
    if not rotated:
        return {}
    return {row["id"]: row["previous_sha256"] for row in await connection.fetch(LIST_OLD_SECRETS, rotated)}


async def with_usage(redis: Redis, keys: Sequence[Key], old_secrets: Mapping[UUID, bytes] = {}) -> list[Key]:
    """`keys` with their requests of today and the last use of their `old_secrets`; as they are if Redis does not answer."""
    counted = [it.id for it in keys if it.limits.requests_per_day is not None]
    if not counted and not old_secrets:
        return list(keys)
    today = utc_day(time.time())
    try:
        async with redis.pipeline(transaction=False) as pipe:
            for id in counted:
                pipe.hget(quota_key(id, today), USED)
            for id, sha256 in old_secrets.items():
                pipe.hget(old_secrets_key(id), secret_field(sha256))
            answers: list[Any] = await pipe.execute()
    except (RedisError, OSError) as error:
        logger.warning("the use of keys cannot be read: %s", error)
        return list(keys)
    used = {id: round(float(answer or 0)) for id, answer in zip(counted, answers, strict=False)}
    last = {id: _time(answer) for id, answer in zip(old_secrets, answers[len(counted) :], strict=True) if answer is not None}
    return [msgspec.structs.replace(it, requests_today=used.get(it.id), old_secret_used_at=last.get(it.id)) for it in keys]


async def list_addresses(redis: Redis, key_id: UUID) -> list[KeyAddress]:
    """From where a key was used, the latest first. Raises KeyUseUnknown if Redis does not answer."""
    try:
        found: Any = await redis.zrevrange(addresses_key(key_id), 0, -1, withscores=True)
    except (RedisError, OSError) as error:
        raise KeyUseUnknown from error
    return [KeyAddress(address.decode(), _time(score)) for address, score in found]


def _time(seconds: bytes | float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
