"""Who may make an account: people of some domains, who confirm their address first, and people who were invited."""

from collections.abc import AsyncGenerator
from uuid import uuid4

import msgspec
import pytest
from httpx import AsyncClient, Response
from litestar import Litestar

from contracts.errors import SettingInvalid
from contracts.settings import ControlSettings, load_settings
from tests.control.conftest import PASSWORD, SECRET, NewAccount
from tests.control.mailbox import Mailbox, link_in, listening
from tests.control.test_invitations import invite, sign_up

AUTH = "/api/v1/auth"


@pytest.fixture
async def mailbox() -> AsyncGenerator[Mailbox]:
    async with listening() as mailbox:
        yield mailbox


@pytest.fixture
def settings(settings: ControlSettings, mailbox: Mailbox) -> ControlSettings:
    return msgspec.structs.replace(settings, smtp_url=f"smtp://127.0.0.1:{mailbox.port}")


def limit(app: Litestar, **settings: str) -> None:
    """Change the settings of the running application, as a restart would."""
    changed = msgspec.structs.replace(app.state.settings, **settings)
    app.state.settings = changed
    app.state.resources = msgspec.structs.replace(app.state.resources, settings=changed)


async def register(client: AsyncClient, email: str) -> Response:
    return await client.post(f"{AUTH}/register", json={"email": email, "password": PASSWORD, "name": "Ada Lovelace"})


async def log_in(client: AsyncClient, email: str) -> Response:
    return await client.post(f"{AUTH}/login", json={"email": email, "password": PASSWORD})


def problem(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.mark.parametrize(
    "domain", ["example.net", "sub.example.com", "notexample.com", "example.com.evil.net", "xn--exmple-cua.com"]
)
async def test_an_address_elsewhere_is_refused_with_the_domains_that_will_do(app: Litestar, client: AsyncClient, domain: str):
    limit(app, registration_domains="example.com,example.org")
    refused = await register(client, f"{uuid4().hex}@{domain}")
    assert problem(refused) == (403, "DomainNotTaken")
    assert "example.com or example.org" in refused.json()["detail"]
    assert (await client.get("/api/v1/system")).json()["signup_domains"] == ["example.com", "example.org"]


async def test_who_signs_up_confirms_the_address_before_the_first_login(app: Litestar, client: AsyncClient, mailbox: Mailbox):
    limit(app, registration_domains="Example.com")
    email = f"{uuid4().hex}@example.com"
    assert problem(await register(client, email.upper())) == (403, "EmailUnconfirmed")
    mail = await mailbox.next()
    assert mail["To"] == email
    assert problem(await log_in(client, email)) == (403, "EmailUnconfirmed")
    confirmed = await client.post(f"{AUTH}/verify-email", json={"token": link_in(mail).partition("#")[2]})
    assert confirmed.status_code == 204
    assert (await log_in(client, email)).json()["user"]["email"] == email


async def test_a_wrong_password_learns_nothing_of_a_link_to_open(app: Litestar, client: AsyncClient, mailbox: Mailbox):
    limit(app, registration_domains="example.com")
    email = f"{uuid4().hex}@example.com"
    await register(client, email)
    answer = await client.post(f"{AUTH}/login", json={"email": email, "password": "another password"})
    assert problem(answer) == (401, "LoginRefused")


async def test_who_comes_by_a_mailed_invitation_is_verified_whatever_the_domain(
    app: Litestar, client: AsyncClient, new_account: NewAccount, mailbox: Mailbox
):
    ada, email = await new_account(), f"{uuid4().hex}@elsewhere.net"
    await invite(ada, email)
    limit(app, registration_domains="example.com")
    token = link_in(await mailbox.next()).partition("#")[2]
    assert (await sign_up(client, token)).status_code == 201
    session = (await log_in(client, email)).json()
    me = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {session['access_token']}"})
    assert me.json()["is_email_verified"] is True


async def test_a_link_shown_to_the_inviter_verifies_nobody(app: Litestar, client: AsyncClient, new_account: NewAccount):
    ada, email = await new_account(), f"{uuid4().hex}@example.com"
    app.state.resources.mailer.server = None
    (sent,) = (await invite(ada, email))["sent"]
    await sign_up(client, sent["link"].partition("#")[2])
    session = (await log_in(client, email)).json()
    me = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {session['access_token']}"})
    assert me.json()["is_email_verified"] is False


async def test_closed_is_closed_to_the_invited_too(app: Litestar, client: AsyncClient, new_account: NewAccount, mailbox: Mailbox):
    await invite(await new_account(), f"{uuid4().hex}@example.com")
    limit(app, registration="closed")
    token = link_in(await mailbox.next()).partition("#")[2]
    assert problem(await sign_up(client, token)) == (403, "RegistrationClosed")


@pytest.mark.parametrize("domains", ["example.com;example.org", "@example.com", "example.com,", "exa mple.com"])
def test_a_list_of_domains_that_is_none_stops_the_program(domains: str):
    with pytest.raises(SettingInvalid, match="HEADRACE_REGISTRATION_DOMAINS"):
        load_settings({"HEADRACE_SECRET": SECRET, "HEADRACE_REGISTRATION_DOMAINS": domains}, ControlSettings)
