"""Every statement on a database of some size: none of them reads a large table from end to end."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from itertools import count
from typing import Any, Final

import asyncpg
import pytest

from control.migrate import migrate
from loadtests.seed import Size, seed
from tests.control.conftest import SECRET, create_database
from tests.control.test_schema import STATEMENTS

SIZE: Final = Size(organizations=300, projects=3_000, members=9_000, audit_entries=30_000)
LARGE_ROWS: Final = 500
"""A table of more grows with the number of organizations."""
NUMBERS: Final = count()
READS_ALL: Final = {
    "control.routing.queries.LIST_ROUTED_DEPLOYMENTS": "gateways get every route",
    "control.routing.queries.LIST_ROUTED_KEYS": "gateways get every key",
}
"""Statements whose work it is to read a whole table, and why."""


@pytest.fixture(scope="module")
def seeded_url(postgres_url: str) -> str:
    """URL of a database with many organizations."""

    async def make() -> str:
        url = await create_database(postgres_url, "seeded")
        await migrate(url)
        await seed(url, SIZE, SECRET)
        return url

    return asyncio.run(make())


@pytest.fixture(params=["of a tenant", "across tenants"])
async def connection(seeded_url: str, request: pytest.FixtureRequest) -> AsyncGenerator[Any]:
    """A transaction as requests have it, whose policies may add to a plan, or as the few that see every tenant have it."""
    connection: Any = await asyncpg.connect(seeded_url)
    try:
        await connection.execute("BEGIN; SET LOCAL plan_cache_mode = force_generic_plan")
        if request.param == "of a tenant":
            organization_id = await connection.fetchval("SELECT id FROM organizations WHERE slug = 'organization-0'")
            await connection.execute(f"SET LOCAL ROLE headrace_tenant; SET LOCAL headrace.organization_id = '{organization_id}'")
        yield connection
    finally:
        await connection.close()


async def plan(connection: Any, statement: str) -> Any:
    """The plan that holds for all values."""
    parameters = len((await connection.prepare(statement)).get_parameters())
    name = f"planned{next(NUMBERS)}"  # it outlives the savepoint
    await connection.execute(f"PREPARE {name} AS {statement}")
    values = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
    return json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {name} {values}"))


def scanned(node: Any) -> Iterator[str]:
    """The tables that a plan reads from end to end."""
    if isinstance(node, list):
        for it in node:
            yield from scanned(it)
    elif isinstance(node, dict):
        if node.get("Node Type") == "Seq Scan":
            yield node["Relation Name"]
        for it in node.values():
            yield from scanned(it)


async def large_tables(connection: Any) -> set[str]:
    """Without the few files that all the seed's models share."""
    rows = await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > $1", LARGE_ROWS)
    return {row["relname"] for row in rows} - {"artifacts"}


async def test_no_statement_reads_a_large_table_from_end_to_end(connection: Any):
    large = await large_tables(connection)
    assert {"audit_entries", "members", "projects", "models", "deployments", "api_keys", "users"} <= large
    found: dict[str, set[str]] = {}
    for name, statement in STATEMENTS.items():
        await connection.execute("SAVEPOINT before")
        with suppress(asyncpg.InsufficientPrivilegeError):  # not for tenants: planned across them
            found[name] = large.intersection(scanned(await plan(connection, statement)))
        await connection.execute("ROLLBACK TO before")
    assert {name: hit for name, hit in found.items() if hit and name not in READS_ALL} == {}


async def test_what_may_read_everything_does(seeded_url: str):
    connection: Any = await asyncpg.connect(seeded_url)
    try:
        large = await large_tables(connection)
        found = {name for name in READS_ALL if large.intersection(scanned(await plan(connection, STATEMENTS[name])))}
    finally:
        await connection.close()
    assert found == READS_ALL.keys(), "no longer so: take it out of the list"
