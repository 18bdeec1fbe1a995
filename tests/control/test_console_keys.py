"""The hidden keys of projects after the instance's secret has changed."""

import asyncpg
from litestar import Litestar

from control.database import Database
from control.keys.console_keys import renew_console_keys
from control.keys.secrets import console_key
from tests.control.conftest import SECRET, Account

ANOTHER = "another secret of the instance"


async def stored(database: asyncpg.Connection, account: Account) -> tuple[str, bytes, int]:
    """Id and digest of the project's console key, and the version of the routes that gateways serve by."""
    text = """
        SELECT key_id, secret_sha256, version
        FROM api_keys, route_version
        WHERE project_id = $1
          AND kind = 'console'
    """
    row = await database.fetchrow(text, account.project_id)
    assert row is not None
    return row["key_id"], row["secret_sha256"], row["version"]


async def test_console_keys_follow_the_secret_and_gateways_hear_of_it(
    app: Litestar, account: Account, database: asyncpg.Connection
):
    tenants: Database = app.state.resources.pool.across_tenants
    before = await stored(database, account)
    await renew_console_keys(tenants, ANOTHER)
    renewed = await stored(database, account)
    key = console_key(ANOTHER, account.project_id)
    assert renewed[:2] == (key.key_id, key.sha256)
    assert renewed[2] > before[2]
    await renew_console_keys(tenants, ANOTHER)
    assert await stored(database, account) == renewed
    await renew_console_keys(tenants, SECRET)
    assert (await stored(database, account))[:2] == before[:2]
