"""The schema: every statement fits it, every migration can be undone, and a newer database is left alone."""

import importlib
import pkgutil
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest

import control
from control.database import connected
from control.migrate import ServerTooOld, check_server, migrate, roll_back
from control.schema_version import SchemaNewer, find_schema
from tests.control.conftest import create_database

FIRST_WORDS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


def statements() -> Iterator[tuple[str, str]]:
    """Every SQL constant of every module of the control plane, by name."""
    for found in pkgutil.walk_packages(control.__path__, "control."):
        if found.name == "control.__main__" or found.name.startswith("control.migrations."):
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            if name.isupper() and isinstance(value, str) and value.strip().startswith(FIRST_WORDS):
                yield f"{found.name}.{name}", value


STATEMENTS = dict(statements())


@pytest.fixture
async def empty_url(postgres_url: str) -> str:
    """URL of a new, empty database."""
    return await create_database(postgres_url, f"schema-{uuid4().hex}")


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_statement_fits_the_schema(database_url: str, name: str):
    connection = await asyncpg.connect(database_url)
    try:
        await connection.prepare(STATEMENTS[name])
    finally:
        await connection.close()


def test_the_statements_are_found():
    assert {"control.identity.queries.INSERT_USER", "control.routing.queries.BUMP_ROUTES"} <= STATEMENTS.keys()


async def tables(url: str) -> set[str]:
    async with connected(url) as connection:
        rows = await connection.fetch("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    return {row["table_name"] for row in rows}


async def test_every_migration_goes_up_down_and_up_again(empty_url: str):
    async with connected(empty_url) as connection:
        before = await find_schema(connection)
    await migrate(empty_url)
    first = await tables(empty_url)
    await roll_back(empty_url)
    nothing = await tables(empty_url)
    await migrate(empty_url)
    assert before.found is None
    assert nothing == {"alembic_version"}
    assert await tables(empty_url) == first
    assert "users" in first


async def test_each_migration_can_be_undone_alone(empty_url: str):
    await migrate(empty_url)
    async with connected(empty_url) as connection:
        newest = int((await find_schema(connection)).wanted)
    for number in range(newest - 1, 0, -1):
        await roll_back(empty_url, f"{number:04}")
        async with connected(empty_url) as connection:
            assert (await find_schema(connection)).found == f"{number:04}"
    await migrate(empty_url)


async def test_a_newer_database_is_refused_and_left_alone(empty_url: str):
    await migrate(empty_url)
    async with connected(empty_url) as connection:
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaNewer, match="9999"):
        await migrate(empty_url)
    async with connected(empty_url) as connection:
        assert (await find_schema(connection)).is_newer


def test_a_postgres_too_old_is_named():
    check_server(180_000)
    with pytest.raises(ServerTooOld, match="this server is 16"):
        check_server(160_009)


async def test_every_foreign_key_has_an_index(database_url: str):
    async with connected(database_url) as connection:
        missing = await connection.fetch("""
            SELECT conrelid::regclass::text AS place, conname
            FROM pg_constraint
            WHERE contype = 'f'
              AND NOT EXISTS (
                  SELECT FROM pg_index
                  WHERE indrelid = conrelid
                    AND indkey[0] = ANY (conkey)
              )
        """)
    assert [tuple(row) for row in missing] == []
