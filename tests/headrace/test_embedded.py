"""The embedded services start, answer, and keep what they were told."""

from pathlib import Path

import asyncpg
import redis

from headrace.embedded.postgres import postgres_command, prepare_postgres


async def test_postgres_answers_with_uuidv7(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        assert await connection.fetchval("SELECT uuid_extract_version(uuidv7())") == 7
    finally:
        await connection.close()


def test_valkey_answers(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.set("key", "value")
        assert client.get("key") == b"value"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_preparing_again_keeps_the_cluster(short_tmp: Path) -> None:
    prepare_postgres(short_tmp / "postgres")
    before = (short_tmp / "postgres" / "global" / "pg_control").stat()
    prepare_postgres(short_tmp / "postgres")
    assert (short_tmp / "postgres" / "global" / "pg_control").stat().st_ino == before.st_ino
    assert "-k" in postgres_command(short_tmp / "postgres", short_tmp / "sockets").arguments
