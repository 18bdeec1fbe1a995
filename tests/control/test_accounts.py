"""Signing up, logging in, and what a session is good for."""

import asyncio
from typing import Literal

import msgspec
import pytest
from httpx import AsyncClient
from litestar import Litestar

from contracts.settings import ControlSettings
from control.app import create_app
from control.identity.passwords import MAX_WAITING
from control.identity.throttle import FREE_FAILURES
from tests.control.conftest import PASSWORD, Account, open_client, started

REGISTER = "/api/v1/auth/register"
LOGIN = "/api/v1/auth/login"


async def test_an_account_comes_with_an_organization_and_a_first_project(account: Account):
    me = (await account.client.get("/api/v1/me")).json()
    project = (await account.client.get(f"/api/v1/projects/{account.project_id}")).json()
    assert me["user"] == {"id": str(account.user_id), "email": account.email, "name": "Ada Lovelace"}
    assert [it["name"] for it in me["organizations"]] == ["Ada Lovelace's organization"]
    assert me["organizations"][0]["role"] == "owner"
    assert (project["name"], project["organization_slug"]) == ("default", me["organizations"][0]["slug"])


async def test_two_organizations_of_one_name_have_different_slugs(account: Account, stranger: Account):
    slugs = {(await it.client.get("/api/v1/me")).json()["organizations"][0]["slug"] for it in (account, stranger)}
    assert len(slugs) == 2


async def test_a_login_opens_a_session_in_the_first_project(client: AsyncClient, account: Account):
    answer = await client.post(LOGIN, json={"email": account.email, "password": PASSWORD})
    session = answer.json()
    assert answer.status_code == 200
    assert session["project_id"] == str(account.project_id)
    assert session["expires_in"] == 900
    assert session["csrf_token"] is None
    assert "set-cookie" not in answer.headers


async def test_an_address_is_the_same_however_it_is_typed(client: AsyncClient, account: Account):
    shouted = f"  {account.email.upper()} "
    assert (await client.post(LOGIN, json={"email": shouted, "password": PASSWORD})).status_code == 200
    again = await client.post(REGISTER, json={"email": shouted, "password": PASSWORD, "name": "Eve"})
    assert again.status_code == 409
    assert again.json()["type"] == "urn:headrace:problem:EmailTaken"


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: AsyncClient, account: Account):
    wrong = await client.post(LOGIN, json={"email": account.email, "password": "not this one"})
    unknown = await client.post(LOGIN, json={"email": "nobody@example.com", "password": "not this one"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["detail"] == unknown.json()["detail"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "too short"}, "at least 10"),
        ({"password": "é" * 37}, "74 bytes"),
        ({"password": ""}, "length"),
        ({"email": "no address"}, "regex"),
        ({"email": "a@b" + "c" * 300}, "length"),
        ({"email": "nul\x00@example.com"}, "regex"),
        ({"email": "ada@example.com\r\nBcc: eve@example.com"}, "regex"),
        ({"email": "ada@example.com,eve@example.com"}, "regex"),
        ({"email": "a\ufe6bb@example.com"}, "not an e-mail address"),
        ({"email": "a\ufe70b@example.com"}, "not an e-mail address"),
        ({"email": "\ufdfa" * 200 + "@example.com"}, "not an e-mail address"),
        ({"name": ""}, "length"),
        ({"name": "two\nlines"}, "nobody sees"),
        ({"name": " padded"}, "regex"),
        ({"session": "forever"}, "enum"),
        ({"admin": True}, "unknown field"),
    ],
)
async def test_an_unfit_registration_is_refused_with_a_reason(client: AsyncClient, change: dict[str, str], words: str):
    fit = {"email": "grace@example.com", "password": PASSWORD, "name": "Grace"}
    answer = await client.post(REGISTER, json=fit | change)
    assert answer.status_code == 422
    assert words in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"email": "\xff"}',
        b'{"email": "\\ud800@example.com"}',
        pytest.param(b'{"email": ' + b"[" * 100_000, id="nested"),
    ],
)
async def test_a_body_that_is_no_registration_is_the_callers_fault(client: AsyncClient, body: bytes):
    answer = await client.post(REGISTER, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_over_the_limit_is_refused(client: AsyncClient):
    answer = await client.post(REGISTER, content=b'{"name": "' + b"x" * (1 << 21) + b'"}')
    assert answer.status_code == 413


async def test_the_longest_password_works_with_any_characters(client: AsyncClient):
    password = "pass\x00word" + "é" * 31
    given = {"email": "linus@example.com", "password": password, "name": "Linus"}
    assert (await client.post(REGISTER, json=given)).status_code == 201
    assert (await client.post(LOGIN, json={"email": given["email"], "password": password})).status_code == 200
    longer = await client.post(LOGIN, json={"email": given["email"], "password": password + "x"})
    assert longer.status_code == 401


async def test_guessing_is_slowed_down_for_that_account_alone(client: AsyncClient, account: Account, stranger: Account):
    for _ in range(FREE_FAILURES):
        await client.post(LOGIN, json={"email": account.email, "password": "a guess"})
    refused = await client.post(LOGIN, json={"email": account.email, "password": PASSWORD})
    other = await client.post(LOGIN, json={"email": stranger.email, "password": PASSWORD})
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert other.status_code == 200


async def test_guesses_sent_all_at_once_are_slowed_down_too(client: AsyncClient, account: Account):
    guesses = ({"email": account.email, "password": f"guess {number}"} for number in range(3 * FREE_FAILURES))
    answers = await asyncio.gather(*(client.post(LOGIN, json=it) for it in guesses))
    assert [it.status_code for it in answers].count(401) == FREE_FAILURES
    assert {it.status_code for it in answers} == {401, 429}


async def test_too_many_logins_at_once_are_asked_to_come_back(app: Litestar, client: AsyncClient, account: Account):
    app.state.resources.passwords.waiting = MAX_WAITING
    answer = await client.post(LOGIN, json={"email": account.email, "password": PASSWORD})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


async def test_logging_out_ends_the_session_at_once(client: AsyncClient, account: Account):
    assert (await account.client.post("/api/v1/auth/logout")).status_code == 204
    after = await account.client.get(f"/api/v1/projects/{account.project_id}")
    refreshed = await client.post("/api/v1/auth/refresh", json={"refresh_token": account.refresh_token})
    assert (after.status_code, refreshed.status_code) == (401, 401)


@pytest.mark.parametrize("registration", ["invited", "closed"])
async def test_registration_can_be_closed(settings: ControlSettings, registration: Literal["invited", "closed"]):
    app = create_app(msgspec.structs.replace(settings, registration=registration))
    async with started(app), open_client(app) as client:
        refused = await client.post(REGISTER, json={"email": "eve@example.com", "password": PASSWORD, "name": "Eve"})
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:headrace:problem:RegistrationClosed")
        assert (await client.get("/api/v1/system")).json()["signup_open"] is False


async def test_logins_do_not_hold_up_other_calls(app: Litestar, client: AsyncClient, account: Account):
    app.state.resources.passwords.cost = 12
    nobody = [{"email": f"nobody-{number}@example.com", "password": PASSWORD} for number in range(12)]
    logins = [asyncio.create_task(client.post(LOGIN, json=it)) for it in nobody]
    answers = [await account.client.get("/api/v1/me") for _ in range(10)]
    still_hashing = [it for it in logins if not it.done()]
    assert {it.status_code for it in answers} == {200}
    assert len(still_hashing) > len(logins) / 2
    assert {it.status_code for it in await asyncio.gather(*logins)} == {401}
