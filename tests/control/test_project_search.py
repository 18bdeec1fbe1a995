"""Finding projects: by words, tags and state; and that ten thousand of them stay fast."""

import re
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import pytest

from control.projects.queries import LIST_PROJECTS, SEARCH_PROJECTS, words_of
from tests.control.conftest import Account
from tests.control.test_projects import projects_of

PROJECTS = {
    "Card fraud": {"description": "Scores payments in Europe.", "tags": ["risk", "team:payments"]},
    "Churn": {"description": "Who leaves the card programme?", "tags": ["marketing"]},
    "größe_model": {"description": "", "tags": ["risk", "eu"]},
}


@pytest.fixture
async def projects(account: Account) -> None:
    """Three projects beside the first one."""
    for name, about in PROJECTS.items():
        answer = await account.client.post(projects_of(account), json={"name": name, **about})
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "card"}, ["Churn", "Card fraud"]),
        ({"q": "FRAU"}, ["Card fraud"]),
        ({"q": "fraud europe"}, ["Card fraud"]),
        ({"q": "pay"}, ["Card fraud"]),
        ({"q": "team:payments"}, ["Card fraud"]),
        ({"q": "GRÖSSE"}, []),
        ({"q": "größe"}, ["größe_model"]),
        ({"q": "größe_mod"}, ["größe_model"]),
        ({"q": "fraud marketing"}, []),
        ({"q": "'); DROP TABLE projects; --"}, []),
        ({"q": "fraud' | 'churn"}, []),
        ({"q": "!&|():*"}, []),
        ({"q": "  "}, ["größe_model", "Churn", "Card fraud", "default"]),
        ({"tag": "risk"}, ["größe_model", "Card fraud"]),
        ({"tag": ["risk", "eu"]}, ["größe_model"]),
        ({"tag": "risk", "q": "card"}, ["Card fraud"]),
        ({"tag": "risk", "state": "archived"}, []),
    ],
)
@pytest.mark.usefixtures("projects")
async def test_a_search_finds(account: Account, query: dict[str, Any], found: list[str]):
    answer = await account.client.get(projects_of(account), params=query)
    assert answer.status_code == 200, answer.text
    assert [it["name"] for it in answer.json()["items"]] == found


@pytest.mark.usefixtures("projects")
async def test_a_search_goes_on_in_pages(account: Account):
    query = {"q": "card", "limit": 1}
    first = (await account.client.get(projects_of(account), params=query)).json()
    second = (await account.client.get(projects_of(account), params=query | {"cursor": first["next_cursor"]})).json()
    assert [it["name"] for it in first["items"] + second["items"]] == ["Churn", "Card fraud"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("query", [{"q": "x" * 201}, {"tag": "Not lower"}, {"state": "lost"}, {"tag": ["a"] * 21}])
async def test_an_unfit_search_is_the_callers_fault(account: Account, query: dict[str, Any]):
    assert (await account.client.get(projects_of(account), params=query)).status_code in (400, 422)


async def test_a_search_does_not_look_into_other_organizations(account: Account, stranger: Account):
    await account.client.post(projects_of(account), json={"name": "hidden"})
    answer = await stranger.client.get(projects_of(stranger), params={"q": "hidden"})
    assert answer.json()["items"] == []


def test_a_search_has_a_bounded_number_of_words():
    assert words_of("a-b  c_d") == "'a':* & 'b':* & 'c':* & 'd':*"
    assert words_of("word " * 100).count("&") == 15


@pytest.fixture
async def ten_thousand(database_url: str, account: Account, stranger: Account) -> AsyncGenerator[asyncpg.Connection]:
    """A connection, in a transaction that is undone, in which two organizations have 10,000 projects more each."""
    connection = await asyncpg.connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    statement = """
        INSERT INTO projects (organization_id, name, slug, description, tags)
        SELECT $1, 'project ' || number, 'project-' || number, 'number' || number || ' of many', ARRAY['tag' || number % 100]
        FROM generate_series(1, 10000) AS number
    """
    for it in (account, stranger):
        await connection.execute(statement, it.organization_id)
    for index in ("projects_words", "projects_tags"):
        await connection.execute("SELECT gin_clean_pending_list($1::regclass)", index)  # as autovacuum does after a while
    await connection.execute("ANALYZE projects")
    yield connection
    await transaction.rollback()
    await connection.execute("ANALYZE projects")
    await connection.close()


@pytest.mark.parametrize("tags", [[], ["tag7"]])
@pytest.mark.parametrize("text", ["", "number77"])
async def test_no_list_of_ten_thousand_projects_reads_them_all(
    ten_thousand: asyncpg.Connection, account: Account, text: str, tags: list[str]
):
    statement, more = (SEARCH_PROJECTS, [words_of(text)]) if text else (LIST_PROJECTS, [])
    arguments = [account.organization_id, account.user_id, "active", tags, None, 51, *more]
    plan = "\n".join(row[0] for row in await ten_thousand.fetch(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", *arguments))
    assert "Seq Scan on projects" not in plan, plan
    assert re.search("(Bitmap Index Scan on|using) projects_[a-z]+ ", plan), plan
    assert await ten_thousand.fetch(statement, *arguments)
