"""From where keys are used and whether with an old secret: noted once in a while, told to Redis, bounded."""

import hashlib
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from contracts.key_uses import MOST_ADDRESSES, addresses_key, old_secrets_key, secret_field
from contracts.routes import Key, KeyLimits
from gateway.key_uses import KeyUses
from gateway.redis_client import connect
from gateway.routing import Caller


def caller(secret: bytes = b"new", *, is_old: bool = False) -> Caller:
    key = Key(
        key_uuid=uuid4(),
        key_id="abcdefghijkl",
        secret_sha256=hashlib.sha256(secret).digest(),
        organization_id=uuid4(),
        project_id=uuid4(),
        scopes=("infer",),
        expires_at=None,
        limits=KeyLimits(),
    )
    return Caller(key, {}, None, has_old_secret=is_old)


def uuid_of(caller: Caller) -> UUID:
    return UUID(bytes=caller.key_id)


@pytest.fixture
async def redis(redis_url: str):
    async with connect(redis_url) as client:
        yield client


async def test_addresses_and_old_secrets_are_told(redis: Redis):
    uses, new, old = KeyUses(redis), caller(), caller(b"old", is_old=True)
    uses.note(new, "198.51.100.7")
    uses.note(new, "2001:db8::1")
    uses.note(old, "198.51.100.7")
    uses.note(new, "")
    await uses.report()
    found: Any = await redis.zrange(addresses_key(uuid_of(new)), 0, -1)
    assert sorted(found) == [b"198.51.100.7", b"2001:db8::1"]
    fields: Any = await redis.hkeys(old_secrets_key(uuid_of(old)))
    assert fields == [secret_field(old.secret_sha256).encode()]
    assert await redis.exists(old_secrets_key(uuid_of(new))) == 0
    assert 0 < await redis.ttl(addresses_key(uuid_of(new))) <= 90 * 86_400


async def test_a_connection_is_asked_again_after_each_report_and_not_before(redis: Redis):
    uses, someone = KeyUses(redis), caller()
    kept = uses.note(someone, "198.51.100.7")
    assert kept is someone.token
    await uses.report()
    assert kept is not someone.token
    assert uses.note(someone, "198.51.100.7") is someone.token


async def test_a_key_has_so_many_addresses_and_the_latest_stay(redis: Redis):
    uses, someone = KeyUses(redis), caller()
    await redis.zadd(addresses_key(uuid_of(someone)), {f"192.0.2.{it}": it for it in range(MOST_ADDRESSES)})
    uses.note(someone, "198.51.100.7")
    await uses.report()
    found: Any = await redis.zrange(addresses_key(uuid_of(someone)), 0, -1)
    assert len(found) == MOST_ADDRESSES
    assert found[-1] == b"198.51.100.7"
    assert b"192.0.2.0" not in found


async def test_what_redis_did_not_take_is_told_later(redis_url: str, redis: Redis):
    away = Redis.from_url("redis://127.0.0.1:1")
    uses, someone = KeyUses(away), caller()
    uses.note(someone, "198.51.100.7")
    await uses.report()
    uses._redis = redis  # pyright: ignore[reportPrivateUsage]
    await uses.report()
    assert await redis.zcard(addresses_key(uuid_of(someone))) == 1
    await away.aclose()
