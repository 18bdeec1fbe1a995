"""The fleet's ledger in Redis: what has been spent of every limit, and which worker has leased how much of the rest.

One script call settles all buckets that a worker has in use. A bucket is a hash: tokens `used` (they refill by falling back to
0 at its rate) `at` a time of Redis' clock, and a field for each worker with its lease. A lease is a claim on tokens, not a
payment: it counts for the other workers until its worker reports again or has been silent for `LEASE_S`, so what a killed worker
had leased is free again. Where workers want more than there is, each gets its part by what it wants; where they want less, what
is left is lent out in equal parts, for what may come.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from contracts.limits import DAY_S
from gateway.limits.bucket import Bucket, Report

WORKERS: Final = "headrace:limit:workers"
LEASE_S: Final = 1.0
LIVE_S: Final = 3.0
"""A worker silent for so long has no share any more."""
AHEAD_S: Final = 0.1
"""Tokens of the near future are leased too: a bucket smaller than what comes between two reports would lose the rest."""
BUCKETS_A_CALL: Final = 256
"""Redis does nothing else meanwhile: about 10 us a bucket."""

SETTLE: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local me, lease_s, live_s, ahead_s = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

redis.call('ZADD', KEYS[1], now, me)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - live_s)
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + live_s, '+inf')
local workers = redis.call('ZRANGE', KEYS[1], 0, -1)
local mine, gateways, place, seen = me:match('^[^:]*'), 0, 0, {}
for _, worker in ipairs(workers) do
  local gateway = worker:match('^[^:]*')
  if not seen[gateway] then
    seen[gateway] = true
    gateways = gateways + 1
    if gateway < mine then place = place + 1 end
  end
end

local answers = {}
for i, entry in ipairs(cmsgpack.unpack(ARGV[5])) do
  local key = KEYS[i + 1]
  local rate, capacity, acknowledged, spent, demand, keep_s = unpack(entry)
  demand = math.min(demand, capacity + rate * ahead_s)
  local used, at, claimed, demanded, silent = 0, now, 0, math.max(0, demand), {}
  local fields = redis.call('HGETALL', key)
  for f = 1, #fields, 2 do
    local name, value = fields[f], fields[f + 1]
    if name == 'used' then used = tonumber(value)
    elseif name == 'at' then at = tonumber(value)
    else
      local lease_at, known, leased, wanted = unpack(cmsgpack.unpack(value))
      if name == me then acknowledged = known
      elseif math.abs(now - lease_at) <= lease_s then
        claimed = claimed + leased
        demanded = demanded + wanted
      elseif math.abs(now - lease_at) > 60 then silent[#silent + 1] = name end
    end
  end
  used = math.max(0, used - math.max(0, now - at) * rate) + math.max(0, spent - acknowledged)
  local free = capacity - used - claimed
  local granted = 0
  if demand >= 0 then
    local ready = free + rate * ahead_s
    local part = demanded > 0 and ready * demand / demanded or 0
    granted = math.ceil(math.max(math.min(demand, part), ready / #workers))
    granted = math.max(0, math.min(granted, math.floor(ready + 1e-6)))
  end
  local lease = cmsgpack.pack({now, math.max(spent, acknowledged), granted, math.max(0, demand)})
  redis.call('HSET', key, 'used', string.format('%.6f', used), 'at', string.format('%.6f', now), me, lease)
  if #silent > 0 then redis.call('HDEL', key, unpack(silent)) end
  if rate > 0 then keep_s = math.min(keep_s, used / rate) end
  redis.call('EXPIRE', key, math.ceil(keep_s) + 60)
  answers[#answers + 1] = {granted, free - granted}
end
return cmsgpack.pack({now, #workers, gateways, place, answers})
"""


class Answer(Struct, array_like=True, frozen=True):
    """For one bucket."""

    granted: int
    free: float
    """Tokens that nobody has leased; negative where more was spent than there was."""


class Settlement(Struct, array_like=True, frozen=True):
    """What the ledger says, at `time_s` of Redis' clock; the counts are as in Fleet."""

    time_s: float
    live: int
    gateways: int
    place: int
    answers: list[Answer]


class Ledger:
    """The ledger as one worker uses it; `worker` names it, anew with every start, and `gateway` those on its port."""

    def __init__(self, redis: Redis, gateway: str, worker: str) -> None:
        self._script: Any = redis.register_script(SETTLE)
        self._redis, self._worker = redis, f"{gateway}:{worker}"

    async def settle(self, keys: Sequence[str], entries: Sequence[tuple[Bucket, Report]]) -> Settlement:
        """Report on buckets, at most `BUCKETS_A_CALL`, each under its key. Raises RedisError or OSError."""
        packed = msgspec.msgpack.encode(
            [(bucket.rate, bucket.capacity, it.acknowledged, it.spent, it.demand, _keep_s(bucket)) for bucket, it in entries]
        )  # as arguments of their own, redis-py would take ten times as long over them
        blob: bytes = await self._script(keys=[WORKERS, *keys], args=[self._worker, LEASE_S, LIVE_S, AHEAD_S, packed])
        return msgspec.msgpack.decode(blob, type=Settlement)

    async def leave(self) -> None:
        """Be counted no more. Raises RedisError or OSError."""
        await self._redis.zrem(WORKERS, self._worker)


def _keep_s(bucket: Bucket) -> int:
    """How long what was used is worth keeping, at most: a quota's key is another one tomorrow."""
    return 30 * DAY_S if bucket.rate else 2 * DAY_S
