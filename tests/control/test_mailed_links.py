"""Forgotten passwords and addresses to verify: what a link by mail does, and what it gives away."""

from collections.abc import AsyncGenerator

import httpx
import msgspec
import pytest
from httpx import AsyncClient
from litestar import Litestar

from contracts.settings import ControlSettings
from control.identity.mailed_tokens import SECONDS_BETWEEN
from control.identity.throttle import FREE_ACCOUNT_FAILURES, FREE_MAILS
from tests.control.conftest import PASSWORD, Account
from tests.control.mailbox import Mailbox, link_in, listening

ASK = "/api/v1/auth/password-reset"
RESET = "/api/v1/auth/password-reset/complete"
LOGIN = "/api/v1/auth/login"
NEW_PASSWORD = "four unrelated words"


@pytest.fixture
async def mailbox() -> AsyncGenerator[Mailbox]:
    async with listening() as mailbox:
        yield mailbox


@pytest.fixture
def settings(settings: ControlSettings, mailbox: Mailbox) -> ControlSettings:
    return msgspec.structs.replace(settings, smtp_url=f"smtp://127.0.0.1:{mailbox.port}", public_url="https://ml.example.com")


async def token_for(client: AsyncClient, account: Account, mailbox: Mailbox) -> str:
    assert (await client.post(ASK, json={"email": account.email})).status_code == 204
    message = await mailbox.next()
    assert message["To"] == account.email
    page, _, token = link_in(message).partition("#")
    assert page == "https://ml.example.com/reset-password"
    return token


async def age(app: Litestar, account: Account, seconds: int) -> None:
    """Make the person's links older."""
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        await connection.execute(
            """
            UPDATE mailed_tokens
            SET sent_at = sent_at - make_interval(secs => $2), expires_at = expires_at - make_interval(secs => $2)
            WHERE user_id = $1
            """,
            account.user_id,
            seconds,
        )


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def test_a_forgotten_password_is_set_anew_and_ends_every_session(client: AsyncClient, account: Account, mailbox: Mailbox):
    token = await token_for(client, account, mailbox)
    assert (await client.post(RESET, json={"token": token, "new_password": NEW_PASSWORD})).status_code == 204
    assert (await account.client.get("/api/v1/me")).status_code == 401
    assert (await client.post(LOGIN, json={"email": account.email, "password": PASSWORD})).status_code == 401
    session = (await client.post(LOGIN, json={"email": account.email, "password": NEW_PASSWORD})).json()
    me = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {session['access_token']}"})
    assert me.json()["is_email_verified"] is True


async def test_a_link_works_once(client: AsyncClient, account: Account, mailbox: Mailbox):
    token = await token_for(client, account, mailbox)
    body = {"token": token, "new_password": NEW_PASSWORD}
    assert (await client.post(RESET, json=body)).status_code == 204
    assert problem(await client.post(RESET, json=body)) == (422, "LinkVoid")


async def test_an_unfit_password_leaves_the_link_good(client: AsyncClient, account: Account, mailbox: Mailbox):
    token = await token_for(client, account, mailbox)
    assert problem(await client.post(RESET, json={"token": token, "new_password": account.email})) == (422, "PasswordUnfit")
    assert (await client.post(RESET, json={"token": token, "new_password": NEW_PASSWORD})).status_code == 204


async def test_an_old_guessed_or_foreign_link_is_void(app: Litestar, client: AsyncClient, account: Account, mailbox: Mailbox):
    token = await token_for(client, account, mailbox)
    for made_up in ("made up", token[:-1], account.refresh_token):
        assert problem(await client.post(RESET, json={"token": made_up, "new_password": NEW_PASSWORD})) == (422, "LinkVoid")
    assert problem(await client.post("/api/v1/auth/verify-email", json={"token": token})) == (422, "LinkVoid")
    await age(app, account, 3601)
    assert problem(await client.post(RESET, json={"token": token, "new_password": NEW_PASSWORD})) == (422, "LinkVoid")


async def test_a_newer_link_replaces_the_older_but_not_within_a_minute(
    app: Litestar, client: AsyncClient, account: Account, mailbox: Mailbox
):
    first = await token_for(client, account, mailbox)
    assert (await client.post(ASK, json={"email": account.email})).status_code == 204
    await age(app, account, SECONDS_BETWEEN + 1)
    second = await token_for(client, account, mailbox)  # the next mail: the call between has sent none
    assert problem(await client.post(RESET, json={"token": first, "new_password": NEW_PASSWORD})) == (422, "LinkVoid")
    assert (await client.post(RESET, json={"token": second, "new_password": NEW_PASSWORD})).status_code == 204


async def test_nobody_learns_which_addresses_have_accounts(client: AsyncClient, account: Account, mailbox: Mailbox):
    unknown = await client.post(ASK, json={"email": "nobody@example.com"})
    known = await client.post(ASK, json={"email": account.email.upper()})
    assert (unknown.status_code, unknown.content) == (known.status_code, known.content) == (204, b"")
    assert (await mailbox.next())["To"] == account.email
    assert mailbox.arrived.empty()


@pytest.mark.parametrize("email", ["a@b.c\r\nBcc: eve@example.com", "no address", ""])
async def test_no_header_is_smuggled_into_a_mail(client: AsyncClient, email: str):
    assert (await client.post(ASK, json={"email": email})).status_code == 422


async def test_one_address_cannot_have_mails_sent_forever(client: AsyncClient):
    answers = [await client.post(ASK, json={"email": f"{number}@example.com"}) for number in range(FREE_MAILS + 1)]
    assert [it.status_code for it in answers] == [204] * FREE_MAILS + [429]


async def test_a_new_password_lets_a_locked_out_person_in(app: Litestar, client: AsyncClient, account: Account, mailbox: Mailbox):
    for number in range(FREE_ACCOUNT_FAILURES + 3):
        await app.state.resources.throttle.count_failure(account.email, f"10.0.0.{number}")
    token = await token_for(client, account, mailbox)
    assert (await client.post(LOGIN, json={"email": account.email, "password": PASSWORD})).status_code == 429
    await client.post(RESET, json={"token": token, "new_password": NEW_PASSWORD})
    assert (await client.post(LOGIN, json={"email": account.email, "password": NEW_PASSWORD})).status_code == 200


async def test_an_address_is_verified_by_its_link(client: AsyncClient, account: Account, mailbox: Mailbox):
    assert (await account.client.get("/api/v1/me")).json()["is_email_verified"] is False
    assert (await account.client.post("/api/v1/me/verification")).status_code == 204
    page, _, token = link_in(await mailbox.next()).partition("#")
    assert page == "https://ml.example.com/verify-email"
    assert problem(await client.post(RESET, json={"token": token, "new_password": NEW_PASSWORD})) == (422, "LinkVoid")
    assert (await client.post("/api/v1/auth/verify-email", json={"token": token})).status_code == 204
    assert (await account.client.get("/api/v1/me")).json()["is_email_verified"] is True
    assert problem(await client.post("/api/v1/auth/verify-email", json={"token": token})) == (422, "LinkVoid")


async def test_tokens_are_stored_as_digests_only(app: Litestar, client: AsyncClient, account: Account, mailbox: Mailbox):
    token = await token_for(client, account, mailbox)
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        stored = await connection.fetchval("SELECT mailed_tokens::text FROM mailed_tokens WHERE user_id = $1", account.user_id)
    assert token not in stored
