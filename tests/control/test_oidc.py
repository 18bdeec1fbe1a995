"""Signing in by OpenID Connect at a real provider: the way there and back, and every answer that is not to be believed."""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator, Generator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg
import httpx
import msgspec
import pytest
from httpx import AsyncClient, Response
from joserfc.jwk import RSAKey
from litestar import Litestar

from contracts import settings as contracts
from contracts.errors import SettingInvalid
from contracts.settings import ControlSettings, load_settings
from control.identity.throttle import FREE_FAILURES
from control.oidc.sign_in import LIFE_S, SignIn, cookie, cookie_name
from tests.control.conftest import PASSWORD, SECRET, Account, open_client
from tests.control.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, serving
from tests.control.test_invitations import invite
from tests.control.test_second_factor import code, set_up

OIDC = "/api/v1/auth/oidc"
NAME = "HEADRACE_OIDC"


@pytest.fixture
def provider() -> Generator[OidcProvider]:
    with serving() as provider:
        provider.claims = person()
        yield provider


@pytest.fixture
def settings(settings: ControlSettings, provider: OidcProvider) -> ControlSettings:
    corporate = contracts.OidcProvider("corporate", "Corporate login", provider.issuer, CLIENT_ID, CLIENT_SECRET)
    return msgspec.structs.replace(settings, oidc=(corporate,))


@pytest.fixture
async def browser(app: Litestar) -> AsyncGenerator[AsyncClient]:
    """Keeps cookies."""
    async with open_client(app, {"Origin": "http://127.0.0.1:8080"}) as browser:
        yield browser


def person(**more: Any) -> dict[str, Any]:
    claims = {"sub": uuid4().hex, "email": f"{uuid4().hex}@example.com", "email_verified": True, "name": "Ada Lovelace"}
    return claims | more


def of(account: Account, **more: Any) -> dict[str, Any]:
    """The account's owner, as the provider knows them."""
    return person(email=account.email.upper(), **more)


async def verify(database: asyncpg.Connection, account: Account) -> None:
    await database.execute("UPDATE users SET email_verified_at = now() WHERE id = $1", account.user_id)


async def go(browser: AsyncClient, start: Response | None = None) -> dict[str, str]:
    """Over the provider and back: what it answered."""
    start = start or await browser.post(f"{OIDC}/corporate/start")
    assert start.status_code == 200, start.text
    async with httpx.AsyncClient() as elsewhere:
        led = await elsewhere.get(start.json()["url"])
    back = urlsplit(led.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == "http://127.0.0.1:8080/signed-in"
    return {name: values[0] for name, values in parse_qs(back.query).items()}


async def finish(browser: AsyncClient, given: dict[str, str]) -> Response:
    return await browser.post(f"{OIDC}/finish", json=given)


async def sign_in(browser: AsyncClient) -> Response:
    return await finish(browser, await go(browser))


def problem(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def test_a_new_person_gets_an_account_and_the_same_one_the_next_time(browser: AsyncClient, provider: OidcProvider):
    first = (await sign_in(browser)).json()
    me = (await browser.get("/api/v1/me")).json()
    assert first["outcome"] == "session"
    assert first["session"]["access_token"] is None
    assert me["user"] == first["session"]["user"]
    assert (me["user"]["email"], me["user"]["name"]) == (provider.claims["email"], "Ada Lovelace")
    assert (me["is_email_verified"], me["has_password"]) == (True, False)
    assert [it["role"] for it in me["organizations"]] == ["owner"]
    again = (await sign_in(browser)).json()
    assert again["session"]["user"] == first["session"]["user"]
    (identity,) = (await browser.get("/api/v1/me/identities")).json()["items"]
    assert (identity["label"], identity["email"]) == ("Corporate login", provider.claims["email"])
    assert identity["last_used_at"] is not None


async def test_the_browser_is_sent_with_state_nonce_and_a_challenge(browser: AsyncClient):
    url = urlsplit((await browser.post(f"{OIDC}/corporate/start")).json()["url"])
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert {"state", "nonce", "code_challenge"} < asked.keys()
    assert (asked["scope"], asked["response_type"], asked["code_challenge_method"]) == ("openid email profile", "code", "S256")


async def test_where_one_may_sign_in_is_known_before(client: AsyncClient):
    assert (await client.get("/api/v1/system")).json()["sign_in_providers"] == [{"name": "corporate", "label": "Corporate login"}]
    assert problem(await client.post(f"{OIDC}/elsewhere/start")) == (404, "ProviderNotFound")


async def test_a_confirmed_account_is_linked_by_its_address(
    browser: AsyncClient, provider: OidcProvider, account: Account, database: asyncpg.Connection
):
    await verify(database, account)
    provider.claims = of(account)
    assert (await sign_in(browser)).json()["session"]["user"]["id"] == str(account.user_id)
    entries = (await account.client.get(f"/api/v1/organizations/{account.organization_id}/audit")).json()["items"]
    assert [it["action"] for it in entries][:2] == ["account.login", "account.link_sign_in"]


async def test_an_account_that_somebody_made_for_anothers_address_is_not_linked(
    browser: AsyncClient, provider: OidcProvider, account: Account
):
    provider.claims = of(account)
    assert problem(await sign_in(browser)) == (403, "OwnerUnproven")


@pytest.mark.parametrize("vouched", [False, None, "false", "true", 1])
async def test_an_address_that_the_provider_does_not_vouch_for_opens_nothing(
    browser: AsyncClient, provider: OidcProvider, account: Account, database: asyncpg.Connection, vouched: Any
):
    await verify(database, account)
    provider.claims = of(account, email_verified=vouched)
    assert problem(await sign_in(browser)) == (403, "EmailUnproven")
    provider.claims = person(email_verified=vouched)
    assert problem(await sign_in(browser)) == (403, "EmailUnproven")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"nonce": "another"}, "SignInRefused"),
        ({"nonce": ""}, "SignInRefused"),
        ({"nonce": None}, "SignInRefused"),
        ({"aud": "another"}, "SignInRefused"),
        ({"aud": ["another", CLIENT_ID]}, "SignInRefused"),
        ({"aud": None}, "SignInRefused"),
        ({"iss": "http://127.0.0.1:1"}, "SignInRefused"),
        ({"iss": None}, "SignInRefused"),
        ({"exp": 1_000_000_000}, "SignInRefused"),
        ({"exp": None}, "SignInRefused"),
        ({"exp": "tomorrow"}, "SignInRefused"),
        ({"sub": ""}, "SignInRefused"),
        ({"sub": 7}, "SignInRefused"),
        ({"iat": 4_000_000_000}, "SignInRefused"),
        ({"nbf": 4_000_000_000}, "SignInRefused"),
        ({"azp": "another"}, "SignInRefused"),
        ({"email": ["a@example.com"]}, "SignInRefused"),
        ({"email": "no address"}, "EmailUnfit"),
        ({"email": "a@example.com\r\nBcc: b@example.com"}, "EmailUnfit"),
    ],
)
async def test_claims_that_do_not_hold_are_refused(
    browser: AsyncClient, provider: OidcProvider, change: dict[str, Any], refusal: str
):
    provider.claims |= change
    assert (await sign_in(browser)).json()["type"].rpartition(":")[2] == refusal
    assert (await browser.get("/api/v1/me")).status_code == 401


async def test_clocks_may_be_a_minute_off(browser: AsyncClient, provider: OidcProvider):
    provider.claims |= {"exp": int(time.time()) - 30, "iat": int(time.time()) + 30}
    assert (await sign_in(browser)).status_code == 200
    provider.claims |= {"exp": int(time.time()) - 90}
    assert problem(await sign_in(browser)) == (401, "SignInRefused")


async def test_no_key_and_no_algorithm_but_the_providers_own_will_do(browser: AsyncClient, provider: OidcProvider):
    def part(value: dict[str, Any]) -> str:
        return urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()

    claims = {"iss": provider.issuer, "aud": CLIENT_ID, "exp": int(time.time()) + 300, "iat": 1} | provider.claims
    for unsigned in (f"{part({'alg': 'none'})}.{part(claims)}.", f"{part({'alg': 'None'})}.{part(claims)}.", "a.b.c", ""):
        provider.id_token = unsigned
        assert problem(await sign_in(browser)) == (401, "SignInRefused")
    provider.id_token = None
    provider.signing_key = RSAKey.generate_key(2048, {"kid": "first"})
    assert problem(await sign_in(browser)) == (401, "SignInRefused")
    signed = f"{part({'alg': 'HS256', 'kid': 'first'})}.{part(claims)}"
    mac = hmac.digest(provider.keys[0].as_pem(private=False), signed.encode(), "sha256")
    provider.id_token = f"{signed}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert problem(await sign_in(browser)) == (401, "SignInRefused")


async def test_a_new_key_of_the_provider_is_fetched_when_it_is_used(browser: AsyncClient, provider: OidcProvider):
    await sign_in(browser)
    provider.rotate()
    assert (await sign_in(browser)).status_code == 200
    assert provider.asked.count("/jwks") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    provider.header = {"kid": "made up"}
    assert problem(await sign_in(browser)) == (401, "SignInRefused")
    assert provider.asked.count("/jwks") == 2  # not at everybody's wish


async def test_what_the_id_token_does_not_say_is_asked_for_apart(browser: AsyncClient, provider: OidcProvider):
    provider.tells_apart = True
    assert (await sign_in(browser)).json()["session"]["user"]["email"] == provider.claims["email"]


async def test_an_answer_is_good_once_and_in_the_browser_that_began(app: Litestar, browser: AsyncClient):
    given = await go(browser)
    kept = dict(browser.cookies)
    async with open_client(app) as another:
        assert problem(await finish(another, given)) == (401, "SignInLapsed")
    assert problem(await finish(browser, given | {"state": "made up"})) == (401, "SignInLapsed")
    assert (await finish(browser, given)).status_code == 200
    assert problem(await finish(browser, given)) == (401, "SignInLapsed")
    async with open_client(app) as thief:
        thief.cookies.update(kept)
        assert problem(await finish(thief, given)) == (401, "SignInLapsed")


async def test_a_sign_in_that_took_too_long_has_lapsed(browser: AsyncClient, settings: ControlSettings):
    late = SignIn("corporate", None, until=time.time() - 1)
    kept = cookie(settings, late)
    browser.cookies.set(cookie_name(settings), kept.value or "", domain="127.0.0.1", path="/api/v1/auth/oidc")
    assert kept.max_age == LIFE_S
    assert problem(await finish(browser, {"state": late.state, "code": "any"})) == (401, "SignInLapsed")


async def test_a_refusal_of_the_provider_is_said(browser: AsyncClient):
    state = (await go(browser))["state"]
    assert problem(await finish(browser, {"state": state})) == (401, "SignInRefused")
    given = await go(browser)
    assert problem(await finish(browser, given | {"code": "made up"})) == (401, "SignInRefused")


async def test_another_site_cannot_sign_anybody_in(browser: AsyncClient):
    evil = {"Origin": "https://evil.example"}
    assert (await browser.post(f"{OIDC}/corporate/start", headers=evil)).status_code == 403
    given = await go(browser)
    assert (await browser.post(f"{OIDC}/finish", json=given, headers=evil)).status_code == 403


async def test_a_provider_that_is_away_or_another_is_said_plainly(browser: AsyncClient, provider: OidcProvider):
    for metadata in ({"issuer": "https://another.example"}, {"token_endpoint": "ftp://127.0.0.1/token"}, {"jwks_uri": 7}):
        provider.metadata = metadata
        answer = await browser.post(f"{OIDC}/corporate/start")
        assert problem(answer) == (503, "ProviderUnavailable")
        assert "log in by password" in answer.json()["detail"]


async def test_the_second_factor_is_asked_for_all_the_same(
    browser: AsyncClient, provider: OidcProvider, account: Account, database: asyncpg.Connection
):
    await verify(database, account)
    await set_up(account)
    provider.claims = of(account)
    assert (await sign_in(browser)).json() == {"outcome": "second_factor", "session": None}
    assert (await browser.get("/api/v1/me")).status_code == 401
    guesses = [await browser.post(f"{OIDC}/second-factor", json={"code": "guess"}) for _ in range(FREE_FAILURES)]
    assert {problem(it) for it in guesses} == {(403, "SecondFactorWrong")}
    slowed = await browser.post(f"{OIDC}/second-factor", json={"code": "guess"})
    assert problem(slowed) == (429, "LoginThrottled")


async def test_with_the_code_of_the_second_factor_one_is_in(
    app: Litestar, browser: AsyncClient, provider: OidcProvider, account: Account, database: asyncpg.Connection
):
    await verify(database, account)
    secret, _ = await set_up(account)
    provider.claims = of(account)
    await sign_in(browser)
    async with open_client(app) as another:
        answer = await another.post(f"{OIDC}/second-factor", json={"code": code(secret)})
        assert problem(answer) == (401, "SignInLapsed")
    assert (await browser.post(f"{OIDC}/second-factor", json={"code": code(secret)})).json()["outcome"] == "session"
    assert (await browser.get("/api/v1/me")).json()["user"]["id"] == str(account.user_id)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [({"registration": "invited"}, "RegistrationClosed"), ({"registration_domains": "example.org"}, "DomainNotTaken")],
)
async def test_new_accounts_obey_the_registration(app: Litestar, browser: AsyncClient, change: dict[str, str], refusal: str):
    changed = msgspec.structs.replace(app.state.settings, **change)
    app.state.resources = msgspec.structs.replace(app.state.resources, settings=changed)
    assert problem(await sign_in(browser)) == (403, refusal)


async def test_a_login_elsewhere_is_linked_and_removed_by_password(browser: AsyncClient, account: Account, stranger: Account):
    async def link(who: Account, password: str = PASSWORD) -> Response:
        return await who.client.post("/api/v1/me/identities", json={"provider": "corporate", "password": password})

    assert problem(await link(account, "a guess")) == (403, "PasswordWrong")
    assert (await finish(account.client, await go(account.client, await link(account)))).json()["outcome"] == "linked"
    assert (await sign_in(browser)).json()["session"]["user"]["id"] == str(account.user_id)
    taken = await finish(stranger.client, await go(stranger.client, await link(stranger)))
    assert problem(taken) == (409, "IdentityTaken")
    (identity,) = (await account.client.get("/api/v1/me/identities")).json()["items"]
    remove = f"/api/v1/me/identities/{identity['id']}/remove"
    assert problem(await stranger.client.post(remove, json={"password": PASSWORD})) == (404, "IdentityNotFound")
    assert (await account.client.post(remove, json={"password": PASSWORD})).status_code == 204
    assert (await account.client.get("/api/v1/me/identities")).json() == {"items": []}


async def test_who_has_no_password_sets_one_before_what_asks_for_it(browser: AsyncClient, provider: OidcProvider):
    session = (await sign_in(browser)).json()["session"]
    csrf = {"X-CSRF-Token": session["csrf_token"]}
    (identity,) = (await browser.get("/api/v1/me/identities")).json()["items"]
    for path in ("deletion", "second-factor", f"identities/{identity['id']}/remove"):
        answer = await browser.post(f"/api/v1/me/{path}", json={"password": PASSWORD}, headers=csrf)
        assert problem(answer) == (409, "PasswordMissing")
    refused = await browser.post("/api/v1/auth/login", json={"email": provider.claims["email"], "password": PASSWORD})
    assert problem(refused) == (401, "LoginRefused")


@pytest.mark.parametrize("name", ["  Ada\r\nBcc: x\x00 ", "", "x" * 300, "\u202e\u0007"])
async def test_a_name_from_elsewhere_is_made_to_fit(browser: AsyncClient, provider: OidcProvider, name: str):
    provider.claims |= {"name": name}
    given: str = (await sign_in(browser)).json()["session"]["user"]["name"]
    assert 1 <= len(given) <= 64
    assert given.isprintable()
    assert given == given.strip()


@pytest.mark.parametrize(
    "value",
    ["[", "{}", '[{"name":"x"}]', '[{"name":"A B","label":"x","issuer":"https://x.example","client_id":"i","client_secret":"s3cret"}]',
     '[{"name":"a","label":"x","issuer":"http://x.example","client_id":"i","client_secret":"s3cret"}]'],
)  # fmt: skip
def test_a_provider_that_is_set_wrongly_stops_the_program_and_keeps_its_secret(value: str):
    with pytest.raises(SettingInvalid, match=NAME) as caught:
        load_settings({"HEADRACE_SECRET": SECRET, NAME: value}, ControlSettings)
    assert "s3cret" not in str(caught.value)


def test_settings_do_not_show_a_providers_secret(settings: ControlSettings):
    assert CLIENT_SECRET not in repr(settings)


async def test_who_was_invited_may_make_an_account_this_way(
    app: Litestar, browser: AsyncClient, provider: OidcProvider, account: Account
):
    await invite(account, provider.claims["email"])
    changed = msgspec.structs.replace(app.state.settings, registration="invited")
    app.state.resources = msgspec.structs.replace(app.state.resources, settings=changed)
    assert (await sign_in(browser)).json()["outcome"] == "session"
