"""Invitations: from the mail to the member, and everything a link must not do."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Litestar

from contracts.settings import ControlSettings
from control.app import create_app
from tests.control.conftest import PASSWORD, Account, NewAccount, open_client, started
from tests.control.mailbox import Mailbox, kept, link_in, listening
from tests.control.test_members import join


def invitations_of(account: Account) -> str:
    return f"/api/v1/organizations/{account.organization_id}/invitations"


async def invite(by: Account, *emails: str, role: str = "developer", status: int = 201) -> dict[str, Any]:
    answer = await by.client.post(invitations_of(by), json={"emails": emails, "role": role})
    assert answer.status_code == status, answer.text
    return answer.json()


async def invite_one(by: Account, email: str, role: str = "developer") -> str:
    """The token."""
    (sent,) = (await invite(by, email, role=role))["sent"]
    return sent["link"].partition("#")[2]


async def accept(who: Account, token: str) -> httpx.Response:
    return await who.client.post("/api/v1/invitations/accept", json={"token": token})


async def sign_up(client: httpx.AsyncClient, token: str, **fields: str) -> httpx.Response:
    body = {"token": token, "name": "Grace Hopper", "password": PASSWORD} | fields
    return await client.post("/api/v1/invitations/sign-up", json=body)


def new_email() -> str:
    return f"{uuid4().hex}@example.com"


@pytest.fixture
async def mailbox() -> AsyncGenerator[Mailbox]:
    async with listening() as mailbox:
        yield mailbox


async def test_an_invitation_arrives_by_mail_and_makes_an_account(settings: ControlSettings, mailbox: Mailbox):
    mailing = create_app(msgspec.structs.replace(settings, smtp_url=f"smtp://127.0.0.1:{mailbox.port}"))
    email = new_email()
    async with started(mailing), open_client(mailing) as client:
        registered = {"email": new_email(), "password": PASSWORD, "name": "Ada Lovelace"}
        session = (await client.post("/api/v1/auth/register", json=registered)).json()
        client.headers["Authorization"] = f"Bearer {session['access_token']}"
        path = f"/api/v1/organizations/{session['organization_id']}/invitations"
        (sent,) = (await client.post(path, json={"emails": [email], "role": "viewer"})).json()["sent"]
        message = await mailbox.next()
        token = link_in(message).partition("/invite#")[2]
        opened = (await client.post("/api/v1/invitations/open", json={"token": token})).json()
        assert (await sign_up(client, token)).status_code == 201
        entered = (await client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})).json()
    assert sent["link"] is None
    assert (message["To"], message["Subject"]) == (email, "Ada Lovelace invites you to Ada Lovelace's organization")
    assert (opened["email"], opened["role"], opened["has_account"]) == (email, "viewer", False)
    assert entered["organization_id"] == session["organization_id"]
    assert entered["project_id"] == session["project_id"]


async def test_without_a_mail_server_the_inviter_gets_the_link_and_the_mail_is_kept(account: Account, app: Litestar):
    email = new_email()
    (sent,) = (await invite(account, email))["sent"]
    (message,) = await kept(app.state.resources.mailer)
    assert link_in(message) == sent["link"]
    assert message["To"] == email


async def test_an_account_accepts_and_becomes_a_member(account: Account, stranger: Account):
    token = await invite_one(account, stranger.email, "admin")
    accepted = await accept(stranger, token)
    assert accepted.status_code == 200
    assert (accepted.json()["id"], accepted.json()["role"]) == (str(account.organization_id), "admin")
    assert (await stranger.client.get(f"/api/v1/projects/{account.project_id}")).status_code == 200
    assert (await account.client.get(invitations_of(account))).json()["items"] == []


async def test_a_link_works_once(account: Account, stranger: Account, client: httpx.AsyncClient):
    token = await invite_one(account, stranger.email)
    answers = await asyncio.gather(accept(stranger, token), accept(stranger, token))
    assert sorted(it.status_code for it in answers) == [200, 404]
    assert (await sign_up(client, token)).status_code == 404
    assert (await client.post("/api/v1/invitations/open", json={"token": token})).status_code == 404


async def test_two_who_sign_up_with_one_link_make_one_account(account: Account, client: httpx.AsyncClient):
    token = await invite_one(account, new_email())
    answers = await asyncio.gather(sign_up(client, token), sign_up(client, token))
    assert sorted(it.status_code for it in answers) == [201, 404]


async def test_a_link_is_for_the_invited_person_alone(account: Account, stranger: Account, new_account: NewAccount):
    token = await invite_one(account, stranger.email)
    thief = await new_account()
    refused = await accept(thief, token)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:headrace:problem:InvitedSomebodyElse")
    assert (await accept(stranger, token)).status_code == 200


async def test_a_link_takes_over_no_account(account: Account, stranger: Account, client: httpx.AsyncClient):
    token = await invite_one(account, stranger.email)
    refused = await sign_up(client, token, password="another password altogether")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:headrace:problem:EmailTaken")
    assert (await accept(stranger, token)).status_code == 200


@pytest.mark.parametrize("token", ["guess", "x" * 128, "ü", "../../etc"])
async def test_a_guessed_token_opens_nothing(token: str, client: httpx.AsyncClient, account: Account):
    answers = [
        await client.post("/api/v1/invitations/open", json={"token": token}),
        await sign_up(client, token),
        await accept(account, token),
    ]
    assert [it.status_code for it in answers] == [404] * 3
    assert {it.json()["title"] for it in answers} == {"Invitation not valid"}


async def test_the_database_knows_no_token(account: Account, database: asyncpg.Connection):
    token = await invite_one(account, new_email())
    rows = await database.fetch("SELECT to_jsonb(invitations)::text AS row FROM invitations")
    assert all(token not in it["row"] for it in rows)


async def test_an_expired_invitation_lets_nobody_in_until_it_is_sent_again(
    account: Account, stranger: Account, database: asyncpg.Connection
):
    token = await invite_one(account, stranger.email)
    age = "UPDATE invitations SET expires_at = now(), sent_at = now() - interval '2 minutes' WHERE email = $1 RETURNING id"
    invitation_id = await database.fetchval(age, stranger.email)
    assert (await accept(stranger, token)).status_code == 404
    again = await account.client.post(f"{invitations_of(account)}/{invitation_id}/resend")
    assert again.status_code == 200
    assert (await accept(stranger, token)).status_code == 404
    assert (await accept(stranger, again.json()["link"].partition("#")[2])).status_code == 200


async def test_a_revoked_invitation_lets_nobody_in(account: Account, stranger: Account):
    token = await invite_one(account, stranger.email)
    (invitation,) = (await account.client.get(invitations_of(account))).json()["items"]
    assert (await account.client.delete(f"{invitations_of(account)}/{invitation['id']}")).status_code == 204
    assert (await accept(stranger, token)).status_code == 404


async def test_many_are_invited_at_once_and_each_is_accounted_for(account: Account, stranger: Account):
    emails = [new_email() for _ in range(3)]
    await invite(account, emails[0])
    found = await invite(account, *emails, emails[1].upper(), account.email, f" {stranger.email} ")
    assert {it["invitation"]["email"] for it in found["sent"]} == {emails[1], emails[2], stranger.email}
    assert (found["members"], found["waiting"]) == ([account.email], [emails[0]])


async def test_invitations_are_listed_in_pages(account: Account):
    emails = [new_email() for _ in range(3)]
    await invite(account, *emails)
    first = (await account.client.get(invitations_of(account), params={"limit": 2})).json()
    second = (await account.client.get(invitations_of(account), params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert {it["email"] for it in first["items"] + second["items"]} == set(emails)
    assert {it["invited_by"] for it in first["items"]} == {"Ada Lovelace"}
    assert second["next_cursor"] is None


async def test_one_person_is_not_mailed_again_and_again(account: Account):
    await invite(account, new_email())
    (invitation,) = (await account.client.get(invitations_of(account))).json()["items"]
    again = await account.client.post(f"{invitations_of(account)}/{invitation['id']}/resend")
    assert (again.status_code, again.headers["Retry-After"]) == (429, "60")


async def test_an_organization_has_so_many_invitations(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("control.invitations.service.MOST_WAITING", 2)
    await invite(account, new_email(), new_email())
    await invite(account, new_email(), status=409)
    assert len((await account.client.get(invitations_of(account))).json()["items"]) == 2


async def test_an_organization_sends_so_many_a_day_whatever_it_revokes(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("control.invitations.service.MOST_A_DAY", 2)
    for it in (await invite(account, new_email(), new_email()))["sent"]:
        await account.client.delete(f"{invitations_of(account)}/{it['invitation']['id']}")
    refused = await invite(account, new_email(), status=429)
    assert refused["type"] == "urn:headrace:problem:TooManySent"
    assert (await account.client.get(invitations_of(account))).json()["items"] == []


async def test_the_count_begins_anew_every_day(account: Account, monkeypatch: pytest.MonkeyPatch, database: asyncpg.Connection):
    monkeypatch.setattr("control.invitations.service.MOST_A_DAY", 1)
    await invite(account, new_email())
    yesterday = "UPDATE organizations SET invitations_day = current_date - 1 WHERE id = $1"
    await database.execute(yesterday, account.organization_id)
    await invite(account, new_email())


async def test_a_look_alike_is_another_address(account: Account, stranger: Account):
    """With a Cyrillic letter in it; full-width letters, in contrast, are one spelling of the plain ones."""
    latin, look_alike = stranger.email, stranger.email.replace("example", "ex\u0430mple")
    token = await invite_one(account, look_alike)
    assert (await accept(stranger, token)).status_code == 403
    wide = "".join(chr(ord(it) + 0xFEE0) if it.isalnum() else it for it in latin)
    assert (await accept(stranger, await invite_one(account, wide))).status_code == 200


BAD_EMAILS = [
    "ada@example.com\r\nBcc: eve@example.com",
    "ada@example.com, eve@example.com",
    "Ada <ada@example.com>",
    "ada",
    "",
    "ada\x00@example.com",
    "@example.com",
]


@pytest.mark.parametrize("email", BAD_EMAILS)
async def test_one_bad_address_invites_nobody_and_is_named(account: Account, email: str):
    refused = await invite(account, new_email(), email, status=422)
    assert repr(email) in refused["detail"]
    assert (await account.client.get(invitations_of(account))).json()["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"emails": [], "role": "viewer"},
        {"emails": ["a@example.com"] * 101, "role": "viewer"},
        {"emails": ["a@example.com"], "role": "owner"},
        {"emails": ["a@example.com"], "role": "viewer", "organization_id": str(uuid4())},
        {"emails": "a@example.com", "role": "viewer"},
    ],
)
async def test_a_wrong_invitation_is_the_callers_fault(account: Account, body: dict[str, Any]):
    assert (await account.client.post(invitations_of(account), json=body)).status_code in (400, 422)


async def test_a_weak_password_leaves_the_invitation_open(account: Account, client: httpx.AsyncClient):
    token = await invite_one(account, new_email())
    assert (await sign_up(client, token, password="short")).status_code == 422
    assert (await sign_up(client, token)).status_code == 201


async def test_a_member_who_accepts_keeps_their_role(account: Account, stranger: Account, database_url: str):
    token = await invite_one(account, stranger.email, "viewer")
    await join(database_url, account, stranger, "admin")
    assert (await accept(stranger, token)).json()["role"] == "admin"


async def test_invitations_of_another_organization_do_not_exist(account: Account, stranger: Account):
    await invite(account, new_email())
    (invitation,) = (await account.client.get(invitations_of(account))).json()["items"]
    paths = (f"{invitations_of(it)}/{invitation['id']}" for it in (account, stranger))
    answers = [await stranger.client.get(invitations_of(account))]
    for path in paths:
        answers += [await stranger.client.post(f"{path}/resend"), await stranger.client.delete(path)]
    assert [it.status_code for it in answers] == [404] * 5
