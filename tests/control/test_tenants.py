"""Row-level security: under an organization's connection the rows of all others do not exist, whatever a statement forgets."""

import ast
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
from litestar import get

import control
from contracts.errors import HeadraceError
from control.__main__ import migrate_when_up
from control.access import check_guarded
from control.database import Connection, Database, Pool, connected
from control.injected import Connection as InjectedConnection
from control.migrate import migrate
from control.registry.queries import LIST_MODELS
from tests.control.conftest import Account, create_database
from tests.control.registry import create_model, project

NO_TENANTS = {
    "alembic_version": "",
    "artifacts": "SELECT, UPDATE (claimed_at)",
    "identities": "",
    "mailed_tokens": "",
    "recovery_codes": "",
    "refresh_tokens": "",
    "removed_projects": "",
    "route_version": "SELECT, UPDATE",
    "second_factors": "",
    "sessions": "",
    "used_sign_ins": "",
    "users": "DELETE, INSERT (kind, name, organization_id), "
    "SELECT (created_at, disabled_at, email, id, kind, name, organization_id), UPDATE (disabled_at, name)",
}
"""Tables whose rows belong to a person or to nobody, and what an organization's connection may do with them all the same.

Every other table has a policy: see control/migrations/row_security.py, and add a row to ONE_OF_EACH.
"""
ONE_OF_EACH = """
    INSERT INTO users (id, email, name, password_hash) VALUES ('{id}', '{id}@example.com', 'Ada', '');
    INSERT INTO organizations (id, name, slug) VALUES ('{id}', 'One', '{id}');
    INSERT INTO members (organization_id, user_id, role) VALUES ('{id}', '{id}', 'owner');
    INSERT INTO invitations (organization_id, email, role, token_sha256, expires_at)
        VALUES ('{id}', 'a@example.com', 'viewer', sha256('{id}'), now());
    INSERT INTO projects (id, organization_id, name, slug, description) VALUES ('{id}', '{id}', 'p', 'p', '');
    INSERT INTO project_members (project_id, user_id, role) VALUES ('{id}', '{id}', 'viewer');
    INSERT INTO api_keys (project_id, kind, key_id, secret_sha256, name, scopes)
        VALUES ('{id}', 'api', translate(substr('{id}', 25, 12), '0189', 'xxyz'), sha256(''), 'k', '{{infer}}');
    INSERT INTO models (id, project_id, name, description) VALUES ('{id}', '{id}', 'm', '');
    INSERT INTO artifacts (digest) VALUES (encode(sha256(''), 'hex')) ON CONFLICT DO NOTHING;
    INSERT INTO model_versions (id, model_id, number, file_name, digest, size_bytes, inspection)
        VALUES ('{id}', '{id}', 1, 'm.onnx', encode(sha256(''), 'hex'), 1, '{{}}');
    INSERT INTO deployments (id, project_id, name) VALUES ('{id}', '{id}', 'd');
    INSERT INTO revisions (deployment_id, number, version_id) VALUES ('{id}', 1, '{id}');
    INSERT INTO batch_jobs (id, project_id, deployment_name, model_name, model_version, file_name, format, state, rows_total)
        VALUES ('{id}', '{id}', 'd', 'm', 1, 'i.csv', 'csv', 'cancelled', 1);
    INSERT INTO batch_job_files (job_id, kind, number, digest, size_bytes)
        VALUES ('{id}', 'input', 0, encode(sha256(''), 'hex'), 1);
    INSERT INTO audit_heads (organization_id, number, seal) VALUES ('{id}', 1, sha256(''));
    INSERT INTO audit_entries (organization_id, number, at, actor, address, request_id, action, target_id, target_name, seal)
        VALUES ('{id}', 1, now(), 'a', '', '', 'a.b', 't', 't', sha256(''))
"""
ENTRANCES = {
    "access.admit": "asks whether the caller is a member at all",
    "access.admit_key": "asks whose key it is",
    "app.create_app": "what runs in the background, for everybody",
    "app.provide_across_tenants": "for the handlers below",
    "batch_jobs.job.run": "runs whatever job it claimed",
    "batch_jobs.service.create_job": "stored files are shared",
    "batch_jobs.service.delete_job": "stored files are shared",
    "batch_jobs.service._insert": "stored files are shared",
    "database.Pool.__init__": "makes it",
    "events.routes._may_see": "asks whether the caller is still a member",
    "identity.account_routes._confirm": "people's own",
    "identity.account_routes.change_password": "people's own",
    "identity.account_routes.delete_account": "people's own",
    "identity.account_routes.end_session": "people's own",
    "identity.account_routes.list_sessions": "people's own",
    "identity.mailed_routes._sending": "people's own",
    "identity.mailed_routes.request_email_verification": "people's own",
    "identity.mailed_routes.reset_password": "people's own",
    "identity.mailed_routes.verify_email": "people's own",
    "identity.routes.get_me": "people's own, with the list of their organizations",
    "identity.routes.log_in": "people's own",
    "identity.routes.log_out": "people's own",
    "identity.routes.refresh_session": "people's own",
    "identity.routes._asked_to_confirm": "a person, by their address",
    "identity.routes.register_account": "founds an organization",
    "identity.second_factor_routes.begin_second_factor": "people's own",
    "identity.second_factor_routes.confirm_second_factor": "people's own",
    "identity.second_factor_routes._proven": "people's own",
    "invitations.routes.accept_invitation": "the token says which organization",
    "invitations.routes.open_invitation": "the token says which organization",
    "invitations.routes.sign_up_invited": "the token says which organization",
    "members.routes.leave_organization": "a person leaves, whatever their role",
    "oidc.routes._ask": "people's own",
    "oidc.routes._confirm": "people's own",
    "oidc.routes.finish_sign_in": "people's own",
    "oidc.routes.finish_with_code": "people's own",
    "oidc.routes.list_identities": "people's own",
    "oidc.routes.remove_identity": "people's own",
    "organizations.routes.create_organization": "founds an organization",
    "organizations.routes.list_deleted_organizations": "people's own, which no path leads to",
    "organizations.routes.restore_organization": "an owner's, which no path leads to",
    "projects.routes.look_up_project": "finds the organization by its slug, among the caller's",
    "registry.service.add_version": "stored files are shared",
    "registry.service.delete_model": "stored files are shared",
    "sweeping.sweep_forever": "in the background, for everybody",
    "system.health._check_database": "reads the schema's version",
}
"""Everything that may see all organizations at once, and why."""


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Any]:
    """A connection that takes any text for a statement."""
    async with connected(url) as connection:
        yield connection


@pytest.fixture
async def pool(database_url: str) -> AsyncGenerator[Pool]:
    """A pool of one connection, so that whatever one use leaves behind meets the next."""
    pool = Pool(database_url, connections=1)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
async def two(database_url: str) -> tuple[UUID, UUID]:
    """Two organizations, with one row in each table that holds rows of organizations."""
    ids = uuid4(), uuid4()
    async with opened(database_url) as connection:
        for id in ids:
            await connection.execute("BEGIN;" + ONE_OF_EACH.format(id=id) + "; COMMIT")
    return ids


async def find_tables(database: Database) -> set[str]:
    """The tables that hold rows of organizations."""
    rows = await database.run(
        lambda it: it.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    )
    return {row["relname"] for row in rows} - NO_TENANTS.keys()


async def test_an_organization_sees_its_own_rows_alone(pool: Pool, two: tuple[UUID, UUID]):
    seen = [await count_rows(pool, await find_tables(pool.across_tenants), id) for id in two]
    assert seen[0] == dict.fromkeys(seen[0], 1)
    assert seen[1] == seen[0]


async def count_rows(pool: Pool, tables: set[str], organization_id: UUID) -> dict[str, int]:
    async with pool.of(organization_id).transaction() as transaction:
        connection: Any = transaction
        return {it: await connection.fetchval(f"SELECT count(*) FROM {it}") for it in tables}


async def test_who_is_no_organization_sees_nothing(database_url: str, pool: Pool, two: tuple[UUID, UUID]):
    tables = await find_tables(pool.across_tenants)
    async with opened(database_url) as connection:
        await connection.execute("SET ROLE headrace_tenant")
        seen = {it: await connection.fetchval(f"SELECT count(*) FROM {it}") for it in tables}
    assert seen == dict.fromkeys(tables, 0)


async def test_an_organization_changes_and_deletes_its_own_rows_alone(database_url: str, pool: Pool, two: tuple[UUID, UUID]):
    touched: dict[str, tuple[str, str]] = {}
    for table in await find_tables(pool.across_tenants):
        async with opened(database_url) as connection:
            column = await connection.fetchval(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum = 1", table
            )
            await become(connection, two[0])
            touched[table] = (
                await attempt(connection, f"UPDATE {table} SET {column} = {column}"),
                await attempt(connection, f"DELETE FROM {table}"),
            )
    assert touched.pop("audit_entries") == ("permission denied for table audit_entries",) * 2
    assert touched.pop("audit_heads") == ("UPDATE 1", "permission denied for table audit_heads")
    held = {it: touched.pop(it)[0] for it in ("models", "model_versions")}  # by the revision, so they cannot be deleted
    assert held == dict.fromkeys(held, "UPDATE 1")
    assert touched == dict.fromkeys(touched, ("UPDATE 1", "DELETE 1"))


async def become(connection: Any, organization_id: UUID) -> None:
    await connection.execute(f"BEGIN; SET LOCAL ROLE headrace_tenant; SET LOCAL headrace.organization_id = '{organization_id}'")


async def attempt(connection: Any, statement: str) -> str:
    """The command tag, or why not; undone at once."""
    await connection.execute("SAVEPOINT before")
    try:
        return await connection.execute(statement)
    except asyncpg.PostgresError as error:
        return str(error)
    finally:
        await connection.execute("ROLLBACK TO before")


async def test_an_organization_adds_no_row_to_another(database_url: str, pool: Pool, two: tuple[UUID, UUID]):
    refused: dict[str, str] = {}
    for table in await find_tables(pool.across_tenants):
        async with opened(database_url) as connection:
            columns = await connection.fetchval(
                """
                SELECT string_agg(quote_ident(attname), ', ')
                FROM pg_attribute
                WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                """,
                table,
            )
            await become(connection, two[1])
            await connection.execute(f"CREATE TEMPORARY TABLE theirs AS SELECT {columns} FROM {table}")
            await connection.execute(f"SET LOCAL headrace.organization_id = '{two[0]}'")
            refused[table] = await attempt(connection, f"INSERT INTO {table} ({columns}) SELECT {columns} FROM theirs")
    assert refused == {it: f'new row violates row-level security policy for table "{it}"' for it in refused}


async def test_a_row_cannot_be_given_to_another_organization(pool: Pool, two: tuple[UUID, UUID]):
    for statement in ("UPDATE projects SET organization_id = $1", "UPDATE models SET project_id = $1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await pool.of(two[0]).run(lambda it, statement=statement: it.execute(statement, two[1]))


async def test_of_shared_tables_an_organization_may_use_what_it_needs(database_url: str):
    async with opened(database_url) as connection:
        rows = await connection.fetch("""
            SELECT name, string_agg(privilege || columns, ', ' ORDER BY privilege) AS rights
            FROM (
                SELECT table_name AS name, privilege_type AS privilege, '' AS columns
                FROM information_schema.table_privileges
                WHERE grantee = 'headrace_tenant'
                UNION ALL
                SELECT table_name, privilege_type, ' (' || string_agg(column_name, ', ' ORDER BY column_name) || ')'
                FROM information_schema.column_privileges AS per_column
                WHERE grantee = 'headrace_tenant'
                  AND NOT EXISTS (
                      SELECT FROM information_schema.table_privileges AS whole
                      WHERE whole.grantee = per_column.grantee
                        AND whole.table_name = per_column.table_name
                        AND whole.privilege_type = per_column.privilege_type
                  )
                GROUP BY table_name, privilege_type
            ) AS granted
            GROUP BY name
        """)
    granted = {row["name"]: row["rights"] for row in rows}
    assert {it: granted.get(it, "") for it in NO_TENANTS} == NO_TENANTS


async def test_views_read_with_the_readers_rights(database_url: str):
    async with opened(database_url) as connection:
        rows = await connection.fetch("""
            SELECT relname
            FROM pg_class
            WHERE relkind = 'v'
              AND relnamespace = 'public'::regnamespace
              AND coalesce('security_invoker=true' <> ALL (reloptions), true)
        """)
    assert [row["relname"] for row in rows] == [], "add WITH (security_invoker = true)"


WHO_AM_I = "SELECT current_user || ' ' || coalesce(current_setting('headrace.organization_id', true), '')"


async def who_am_i(pool: Pool) -> tuple[str, bool]:
    """The user and setting of a connection, and whether it is in a transaction that somebody else began."""
    return await pool.across_tenants.run(lambda it: it.fetchval(WHO_AM_I)), await pool.across_tenants.run(
        lambda it: it.fetchval("SELECT now() <> statement_timestamp()")
    )


async def test_nothing_is_carried_over_to_the_next_use_of_a_connection(pool: Pool, two: tuple[UUID, UUID]):
    nobody = await who_am_i(pool)
    tenant = pool.of(two[0])
    assert await tenant.run(lambda it: it.fetchval(WHO_AM_I)) == f"headrace_tenant {two[0].hex}"
    assert await who_am_i(pool) == nobody
    with pytest.raises(asyncpg.DivisionByZeroError):
        await tenant.run(lambda it: it.fetchval("SELECT 1 / 0"))
    assert await who_am_i(pool) == nobody
    with pytest.raises(asyncpg.UndefinedTableError):
        await fail_and_go_on(tenant)
    assert await who_am_i(pool) == nobody


async def fail_and_go_on(tenant: Database) -> None:
    async with tenant.transaction() as connection:
        await connection.execute("SELECT FROM nowhere")


UNTIL_ASLEEP = """
    DO $$
    BEGIN
        WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid <> pg_backend_pid()) LOOP
            PERFORM pg_sleep(0.01);
            PERFORM pg_stat_clear_snapshot();
        END LOOP;
    END
    $$
"""
"""A statement that has not begun cannot be cancelled."""


async def test_a_cancelled_request_leaves_nothing_behind(database_url: str, pool: Pool, two: tuple[UUID, UUID]):
    nobody = await who_am_i(pool)

    async def work(connection: Connection) -> None:
        await connection.execute("UPDATE projects SET name = 'not to stay'")
        await connection.execute("SELECT pg_sleep(60)")

    task = asyncio.create_task(pool.of(two[0]).run(work))
    async with opened(database_url) as connection:
        await connection.execute(UNTIL_ASLEEP)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await who_am_i(pool) == nobody
    assert await pool.of(two[0]).run(lambda it: it.fetchval("SELECT name FROM projects")) == "p"


async def test_a_handler_that_forgets_its_tenant_shows_nothing_of_others(
    account: Account, stranger: Account, monkeypatch: pytest.MonkeyPatch
):
    await create_model(stranger, "theirs")
    forgetful = LIST_MODELS.replace("models.project_id = $1", "$1::uuid IS NOT NULL")
    assert forgetful != LIST_MODELS
    monkeypatch.setattr("control.registry.queries.LIST_MODELS", forgetful)
    assert (await account.client.get(f"{project(account)}/models")).json()["items"] == []
    assert [it["name"] for it in (await stranger.client.get(f"{project(stranger)}/models")).json()["items"]] == ["theirs"]


def test_a_route_that_sees_rows_names_an_organization():
    @get("/mistake", permission="account")
    async def mistake(connection: InjectedConnection) -> None: ...

    with pytest.raises(RuntimeError, match="names no organization"):
        check_guarded([mistake])


def test_who_sees_all_organizations_is_listed():
    assert set(entrances()) == ENTRANCES.keys()


def entrances() -> list[str]:
    """The functions that take or reach for `across_tenants`."""
    root = Path(control.__path__[0])
    return [
        ".".join([*path.relative_to(root).with_suffix("").parts, name])
        for path in root.rglob("*.py")
        for name, function in functions(ast.parse(path.read_text()))
        if any("across_tenants" in (getattr(it, "attr", ""), getattr(it, "arg", "")) for it in ast.walk(function))
    ]


def functions(module: ast.Module) -> list[tuple[str, ast.AST]]:
    """Those of the module and of its classes, by name."""
    found: list[tuple[str, ast.AST]] = []
    for it in module.body:
        if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((it.name, it))
        elif isinstance(it, ast.ClassDef):
            found += [(f"{it.name}.{name}", function) for name, function in functions(ast.Module(it.body, []))]
    return found


async def test_a_user_who_may_not_make_roles_is_told_what_to_run(postgres_url: str):
    name = f"owner_{uuid4().hex}"
    url = await create_database(postgres_url, name)
    parts = urlsplit(url)
    owner_url = urlunsplit(parts._replace(netloc=f"{name}@{parts.netloc.partition('@')[2]}"))
    async with opened(url) as connection:
        await connection.execute(f"CREATE ROLE {name} LOGIN; ALTER DATABASE {name} OWNER TO {name}")
    with pytest.raises(HeadraceError, match=f"GRANT headrace_tenant TO {name}"):
        await migrate_when_up(owner_url)
    async with opened(url) as connection:
        await connection.execute(f"GRANT headrace_tenant TO {name}")
    await migrate(owner_url)
    await check_rows_apart(owner_url)


async def check_rows_apart(owner_url: str) -> None:
    """Somebody who owns the tables and is no superuser sees all of them, and as one organization only its own."""
    ids = uuid4(), uuid4()
    async with opened(owner_url) as connection:
        for id in ids:
            await connection.execute("BEGIN;" + ONE_OF_EACH.format(id=id) + "; COMMIT")
    pool = Pool(owner_url, connections=1)
    await pool.open()
    try:
        everything = await pool.across_tenants.run(lambda it: it.fetchval("SELECT count(*) FROM projects"))
        own = await pool.of(ids[0]).run(lambda it: it.fetch("SELECT id FROM projects"))
    finally:
        await pool.close()
    assert (everything, [row["id"] for row in own]) == (2, [ids[0]])
