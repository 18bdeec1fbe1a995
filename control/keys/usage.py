"""What keys have used of their daily quotas, as the gateways count it in Redis."""

import logging
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.limits import USED, quota_key, utc_day
from control.keys.schemas import Key

logger = logging.getLogger(__name__)


async def with_usage(redis: Redis, keys: Sequence[Key]) -> list[Key]:
    """`keys` with their requests of today; as they are if Redis does not answer."""
    counted = [it for it in keys if it.limits.requests_per_day is not None]
    if not counted:
        return list(keys)
    today = utc_day(time.time())
    try:
        async with redis.pipeline(transaction=False) as pipe:
            for it in counted:
                pipe.hget(quota_key(it.id, today), USED)
            answers: list[Any] = await pipe.execute()
    except (RedisError, OSError) as error:
        logger.warning("the use of quotas cannot be read: %s", error)
        return list(keys)
    used = {it.id: round(float(answer or 0)) for it, answer in zip(counted, answers, strict=True)}
    return [msgspec.structs.replace(it, requests_today=used.get(it.id)) for it in keys]
