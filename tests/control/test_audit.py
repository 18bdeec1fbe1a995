"""The audit log: every change is in it, once, with its change; nobody can alter it unseen; strangers see nothing of it."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from litestar import Litestar

from control.audit.queries import LIST_ENTRIES, PLAN_FOR_VALUES
from control.audit.recording import MAX_DOCUMENT_BYTES, Target, Who, document, record
from control.audit.verifying import Verdict, verify
from tests.control import processes
from tests.control.conftest import PASSWORD, Account, NewAccount
from tests.control.registry import create_version, deploy, model_file


@pytest.fixture
async def connection(database_url: str) -> AsyncGenerator[asyncpg.Connection]:
    """A connection of a superuser, who may do anything but what the triggers forbid."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def entries(account: Account, **wanted: Any) -> list[dict[str, Any]]:
    answer = await account.client.get(f"/api/v1/organizations/{account.organization_id}/audit", params=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def create_key(account: Account, name: str = "checkout") -> dict[str, Any]:
    body = {"name": name, "scopes": ["infer"]}
    return (await account.client.post(f"/api/v1/projects/{account.project_id}/keys", json=body)).json()


async def append(connection: Any, account: Account, count: int, action: str = "key.create") -> None:
    who = Who(account.user_id, account.organization_id, account.project_id)
    for number in range(count):
        async with connection.transaction():
            await record(connection, who, action, Target(uuid4(), f"thing {number}"))


async def verdict(connection: asyncpg.Connection, account: Account) -> Verdict:
    [found] = [it for it in await verify(connection) if it.organization_id == account.organization_id]
    return found


async def edit(connection: asyncpg.Connection, statement: str, *values: Any) -> None:
    """Change the log as somebody does who owns the database."""
    async with connection.transaction():
        await connection.execute("ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_append_only")
        await connection.execute(statement, *values)
        await connection.execute("ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only")


async def test_an_entry_says_who_did_what_to_what_from_where(account: Account):
    path = f"/api/v1/projects/{account.project_id}/keys"
    key = (await create_key(account))["key"]
    changed = await account.client.patch(f"{path}/{key['id']}", json={"name": "payments"})
    [entry] = await entries(account, action="key.update")
    assert (entry["actor"], entry["actor_id"], entry["address"]) == (account.email, str(account.user_id), "127.0.0.1")
    assert (entry["target_id"], entry["target_name"], entry["project_id"]) == (key["id"], "payments", str(account.project_id))
    assert entry["request_id"] == changed.headers["X-Request-Id"]
    assert (entry["before"]["name"], entry["after"]["name"]) == ("checkout", "payments")


async def test_every_change_is_in_the_log(account: Account, tmp_path: Path):
    project = f"/api/v1/projects/{account.project_id}"
    version = await create_version(account, model_file(tmp_path))
    deployment = await deploy(account, version)
    await account.client.patch(f"{project}/deployments/{deployment['id']}", json={})
    await account.client.delete(f"{project}/deployments/{deployment['id']}")
    await account.client.delete(f"{project}/models/{version['model_id']}")
    key = (await create_key(account))["key"]
    await account.client.patch(f"{project}/keys/{key['id']}", json={"name": "payments"})
    await account.client.delete(f"{project}/keys/{key['id']}")
    await account.client.post(f"/api/v1/organizations/{account.organization_id}/projects", json={"name": "second"})
    await account.client.post("/api/v1/auth/login", json={"email": account.email, "password": PASSWORD})
    found = await entries(account)
    assert [it["number"] for it in found] == list(range(len(found), 0, -1))
    assert [it["action"] for it in reversed(found)] == [
        "organization.create",
        "project.create",
        "model.create",
        "version.create",
        "deployment.create",
        "deployment.update",
        "deployment.delete",
        "model.delete",
        "key.create",
        "key.update",
        "key.revoke",
        "project.create",
        "account.login",
    ]


async def test_a_refused_change_leaves_no_entry(account: Account):
    before = await entries(account)
    path = f"/api/v1/organizations/{account.organization_id}/projects"
    assert (await account.client.post(path, json={"name": "default"})).status_code == 409
    assert (await account.client.delete(f"/api/v1/projects/{account.project_id}/keys/{uuid4()}")).status_code == 404
    assert await entries(account) == before


async def test_signing_out_is_in_the_log(account: Account, connection: asyncpg.Connection):
    assert (await account.client.post("/api/v1/auth/logout")).status_code == 204
    action = "SELECT action FROM audit_entries WHERE organization_id = $1 ORDER BY number DESC LIMIT 1"
    assert await connection.fetchval(action, account.organization_id) == "account.logout"


async def test_what_people_do_about_themselves_is_in_the_log(account: Account, connection: asyncpg.Connection):
    login = {"email": account.email, "password": PASSWORD}
    await account.client.post("/api/v1/auth/login", json=login)
    sessions = (await account.client.get("/api/v1/me/sessions")).json()
    [other] = [it["id"] for it in sessions["items"] if not it["is_current"]]
    await account.client.delete(f"/api/v1/me/sessions/{other}")
    change = {"current_password": PASSWORD, "new_password": "another long password 42"}
    assert (await account.client.post("/api/v1/me/password", json=change)).status_code == 204
    gone = await account.client.post("/api/v1/me/deletion", json={"password": change["new_password"]})
    assert gone.status_code == 204
    actions = "SELECT action FROM audit_entries WHERE organization_id = $1 ORDER BY number DESC LIMIT 3"
    found = [it["action"] for it in await connection.fetch(actions, account.organization_id)]
    assert found == ["account.delete", "account.change_password", "account.end_session"]
    assert (await verdict(connection, account)).fault == ""


async def test_no_secret_is_ever_in_the_log(account: Account):
    secret = (await create_key(account))["secret"]
    text = json.dumps(await entries(account))
    assert secret not in text
    assert secret.rpartition("_")[2] not in text
    assert PASSWORD not in text


def test_fields_that_hold_secrets_are_left_out_whatever_is_passed():
    passed = {"name": "a", "Password": "x", "nested": [{"secret_sha256": b"x", "refresh_token": "x", "limit": 1}]}
    nested = [{"secret_sha256": "(secret)", "refresh_token": "(secret)", "limit": 1}]
    assert json.loads(document(passed) or "") == {"name": "a", "Password": "(secret)", "nested": nested}


def test_a_document_has_a_bound():
    size = MAX_DOCUMENT_BYTES + len('{"name":""}')
    assert document({"name": "x" * MAX_DOCUMENT_BYTES}) == f'{{"too_large_bytes":{size}}}'


async def test_entries_are_found_by_actor_action_target_project_and_time(account: Account):
    key = (await create_key(account))["key"]
    [made] = await entries(account, action="key.create")
    assert await entries(account, action="key") == [made]
    assert await entries(account, action="ke") == []
    assert await entries(account, target=key["id"]) == [made]
    assert await entries(account, target="checkout") == [made]
    assert await entries(account, project_id=str(account.project_id)) == [made]
    assert len(await entries(account, actor=account.email)) == 3
    assert await entries(account, actor="nobody@example.com") == []
    assert (await entries(account, **{"from": made["at"]}))[0] == made
    assert made not in await entries(account, to=made["at"])


@pytest.mark.parametrize("time", ["2026-01-01T00:00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "soon"])
async def test_a_time_without_an_offset_or_out_of_reach_is_refused(account: Account, time: str):
    path = f"/api/v1/organizations/{account.organization_id}/audit"
    assert (await account.client.get(path, params={"from": time})).status_code in (400, 422)
    assert (await account.client.get(f"{path}/export", params={"to": time, "format": "csv"})).status_code in (400, 422)


async def test_pages_follow_each_other(account: Account, connection: asyncpg.Connection):
    await append(connection, account, 5)
    path, numbers, cursor = f"/api/v1/organizations/{account.organization_id}/audit", [], None
    while True:
        page = (await account.client.get(path, params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        numbers += [it["number"] for it in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert numbers == [7, 6, 5, 4, 3, 2, 1]


async def test_a_stranger_finds_no_log(account: Account, stranger: Account):
    path = f"/api/v1/organizations/{account.organization_id}/audit"
    assert (await stranger.client.get(path)).status_code == 404
    assert (await stranger.client.get(f"{path}/export", params={"format": "csv"})).status_code == 404
    mine = await entries(account)
    assert await entries(stranger, cursor=mine[0]["id"]) == []


async def test_the_export_holds_every_entry(account: Account, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("control.audit.queries.EXPORT_PAGE", 4)
    await append(connection, account, 9)
    path = f"/api/v1/organizations/{account.organization_id}/audit/export"
    lines = await account.client.get(path, params={"format": "jsonl"})
    table = await account.client.get(path, params={"format": "csv"})
    found = [json.loads(it) for it in lines.text.splitlines()]
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert found == await entries(account)
    assert [it["id"] for it in rows] == [it["id"] for it in found]
    assert json.loads(rows[-1]["after"]) == found[-1]["after"]
    assert 'filename="audit.csv"' in table.headers["Content-Disposition"]


async def test_a_name_cannot_become_a_formula_in_a_spreadsheet(account: Account):
    await create_key(account, '=HYPERLINK("http://evil.example";"x")')
    path = f"/api/v1/organizations/{account.organization_id}/audit/export"
    table = await account.client.get(path, params={"format": "csv", "action": "key.create"})
    [row] = csv.DictReader(io.StringIO(table.text))
    assert row["target_name"].startswith("'=HYPERLINK")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor = 'somebody else'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "DELETE FROM audit_heads",
        "TRUNCATE audit_heads",
    ],
)
async def test_the_log_takes_only_additions(account: Account, connection: asyncpg.Connection, statement: str):
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await connection.execute(statement)
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            async with connection.transaction():
                await connection.execute(statement)


async def test_no_role_has_the_right_to_change_the_log(connection: asyncpg.Connection):
    rights = await connection.fetch(
        """
        SELECT relname, (aclexplode(relacl)).privilege_type
        FROM pg_class
        WHERE relname IN ('audit_entries', 'audit_heads')
        """
    )
    assert {("audit_entries", "INSERT"), ("audit_heads", "UPDATE")} <= {tuple(it) for it in rights}
    assert {it["privilege_type"] for it in rights if it["relname"] == "audit_entries"}.isdisjoint(
        ("UPDATE", "DELETE", "TRUNCATE")
    )


async def test_a_log_nobody_touched_is_in_order(account: Account, connection: asyncpg.Connection):
    await append(connection, account, 3)
    found = await verdict(connection, account)
    assert (found.entries, found.fault) == (5, "")
    assert found.seal == (await entries(account))[0]["seal"]


EDITS = {
    "UPDATE audit_entries SET actor = 'somebody else' WHERE organization_id = $1 AND number = 4": "entry 4 was changed",
    "UPDATE audit_entries SET at = at - interval '1 day' WHERE organization_id = $1 AND number = 2": "entry 2 was changed",
    "UPDATE audit_entries SET after = '{}' WHERE organization_id = $1 AND number = 5": "entry 5 was changed",
    "UPDATE audit_entries SET seal = sha256('x') WHERE organization_id = $1 AND number = 7": "entry 7 was changed",
    "DELETE FROM audit_entries WHERE organization_id = $1 AND number = 1": "entry 1 is missing",
    "DELETE FROM audit_entries WHERE organization_id = $1 AND number = 4": "entry 4 is missing",
    "DELETE FROM audit_entries WHERE organization_id = $1 AND number = 7": "entry 7 is missing: 7 were written",
    "DELETE FROM audit_entries WHERE organization_id = $1": "entry 1 is missing: 7 were written",
}


@pytest.mark.parametrize("statement", EDITS)
async def test_an_entry_edited_or_removed_by_hand_is_found(account: Account, connection: asyncpg.Connection, statement: str):
    await append(connection, account, 5)
    await edit(connection, statement, account.organization_id)
    assert EDITS[statement] in (await verdict(connection, account)).fault


async def test_a_forged_entry_at_the_end_is_found(account: Account, connection: asyncpg.Connection):
    await connection.execute(
        """
        INSERT INTO audit_entries
            (organization_id, number, at, actor, address, request_id, action, target_id, target_name, seal)
        SELECT organization_id, number + 1, at, actor, address, request_id, action, target_id, target_name, seal
        FROM audit_entries
        WHERE organization_id = $1
          AND number = 2
        """,
        account.organization_id,
    )
    assert "entry 3 was changed" in (await verdict(connection, account)).fault


async def test_who_changes_things_at_once_makes_one_chain(app: Litestar, account: Account, connection: asyncpg.Connection):
    await asyncio.gather(*(create_key(account, f"key {number}") for number in range(20)))
    found = await verdict(connection, account)
    assert (found.entries, found.fault) == (22, "")


async def test_the_command_says_what_it_found(database_url: str, account: Account, connection: asyncpg.Connection):
    def line() -> tuple[int, str]:
        ended = processes.run("verify-audit", database_url=database_url)
        [found] = [it for it in ended.stdout.splitlines() if str(account.organization_id) in it]
        return ended.returncode, found

    _, before = await asyncio.to_thread(line)
    await edit(
        connection, "UPDATE audit_entries SET actor = '' WHERE organization_id = $1 AND number = 2", account.organization_id
    )
    status, after = await asyncio.to_thread(line)
    assert (": 2 entries, seal " in before, before.endswith(": in order")) == (True, True)
    assert (status, "TAMPERED: entry 2 was changed" in after) == (5, True)


async def test_organizations_have_chains_of_their_own(new_account: NewAccount, connection: asyncpg.Connection):
    first, second = await new_account(), await new_account()
    await append(connection, second, 4)
    assert (await verdict(connection, first)).entries == 2
    assert (await verdict(connection, second)).entries == 6


async def test_an_entry_has_an_address_of_its_own(account: Account, stranger: Account):
    [newest, *_] = await entries(account)
    path = f"/api/v1/organizations/{account.organization_id}/audit"
    assert (await account.client.get(f"{path}/{newest['number']}")).json() == newest
    missing = await account.client.get(f"{path}/{newest['number'] + 1}")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:headrace:problem:AuditEntryNotFound")
    assert (await stranger.client.get(f"{path}/{newest['number']}")).status_code == 404
    assert (await account.client.get(f"{path}/0")).status_code == 422


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ((None, None, None, None, None, None), "audit_entries_page"),
        (("rare@example.com", None, None, None, None, None), "audit_entries_actor"),
        ((None, "rare.action", None, None, None, None), "audit_entries_action"),
        ((None, None, "rare thing", None, None, None), "audit_entries_target_name"),
        ((None, None, None, UUID(int=1), None, None), "audit_entries_project"),
    ],
)
async def test_lists_are_read_by_indexes(account: Account, connection: asyncpg.Connection, wanted: tuple[Any, ...], index: str):
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(
        """
        INSERT INTO audit_entries
            (organization_id, number, at, actor, address, request_id, action, target_id, target_name, seal)
        SELECT $1, number, now(), 'a' || number % 5, '', '', 'key.create', number, 'thing ' || number % 50, sha256('x')
        FROM generate_series(100, 20000) AS number
        """,
        account.organization_id,
    )
    await connection.execute("ANALYZE audit_entries")
    await connection.execute(PLAN_FOR_VALUES)
    rows = await connection.fetch(f"EXPLAIN {LIST_ENTRIES}", account.organization_id, *wanted, None, 50)
    plan = "\n".join(row[0] for row in rows)
    await transaction.rollback()
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan
