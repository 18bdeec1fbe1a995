"""The console's sessions: cookies, CSRF and origins."""

from collections.abc import AsyncGenerator

import msgspec
import pytest
from httpx import AsyncClient, Response
from litestar import Litestar

from contracts.settings import ControlSettings
from control.identity.cookies import cookie_names, session_cookies
from tests.control.conftest import PASSWORD, Account, open_client
from tests.control.test_permissions import OPERATIONS, call

LOGIN = "/api/v1/auth/login"


@pytest.fixture
async def browser(app: Litestar) -> AsyncGenerator[AsyncClient]:
    """A client that keeps cookies and says where it comes from."""
    async with open_client(app, {"Origin": "http://127.0.0.1:8080"}) as browser:
        yield browser


async def log_in(browser: AsyncClient, account: Account) -> Response:
    return await browser.post(LOGIN, json={"email": account.email, "password": PASSWORD, "session": "cookie"})


async def test_a_cookie_login_keeps_its_tokens_from_scripts(browser: AsyncClient, account: Account):
    answer = await log_in(browser, account)
    session = answer.json()
    cookies = {it.split("=")[0]: it for it in answer.headers.get_list("set-cookie")}
    assert (session["access_token"], session["refresh_token"]) == (None, None)
    assert set(cookies) == {"headrace_access_8080", "headrace_refresh_8080", "headrace_csrf_8080"}
    assert "HttpOnly" in cookies["headrace_access_8080"]
    assert "HttpOnly" in cookies["headrace_refresh_8080"]
    assert "Path=/api/v1/auth" in cookies["headrace_refresh_8080"]
    assert "HttpOnly" not in cookies["headrace_csrf_8080"]
    assert all("SameSite=strict" in it for it in cookies.values())
    assert browser.cookies["headrace_csrf_8080"] == session["csrf_token"]


async def test_reading_needs_no_csrf_token_and_hands_it_out(browser: AsyncClient, account: Account):
    session = (await log_in(browser, account)).json()
    me = await browser.get("/api/v1/me")
    assert me.status_code == 200
    assert me.json()["csrf_token"] == session["csrf_token"]


async def test_writing_needs_the_sessions_own_csrf_token(browser: AsyncClient, account: Account, stranger: Account):
    foreign = (await log_in(browser, stranger)).json()["csrf_token"]
    own = (await log_in(browser, account)).json()["csrf_token"]
    path = f"/api/v1/organizations/{account.organization_id}/projects"
    tokens = [None, "", "made up", foreign, own]
    answers = [
        await browser.post(path, json={"name": "fraud"}, headers={} if it is None else {"X-CSRF-Token": it}) for it in tokens
    ]
    assert [it.status_code for it in answers] == [403, 403, 403, 403, 201]


async def test_no_operation_is_called_by_cookie_alone(browser: AsyncClient, account: Account):
    await log_in(browser, account)
    for operation, (method, _, _) in OPERATIONS.items():
        answer = await call(browser, operation, account)
        if method != "GET":
            assert answer.status_code == 403, operation
            assert "CSRF token" in answer.json()["detail"], operation


async def test_a_bearer_token_needs_no_csrf_token_even_beside_cookies(browser: AsyncClient, account: Account):
    await log_in(browser, account)
    path = f"/api/v1/organizations/{account.organization_id}/projects"
    assert (await browser.post(path, json={"name": "fraud"}, headers=account.headers)).status_code == 201


async def test_a_cookie_session_is_refreshed_by_cookie_with_csrf(browser: AsyncClient, account: Account):
    csrf_token = (await log_in(browser, account)).json()["csrf_token"]
    before = browser.cookies["headrace_refresh_8080"]
    forged = await browser.post("/api/v1/auth/refresh", json={})
    answer = await browser.post("/api/v1/auth/refresh", json={}, headers={"X-CSRF-Token": csrf_token})
    assert (forged.status_code, answer.status_code) == (403, 200)
    assert answer.json()["refresh_token"] is None
    assert answer.json()["csrf_token"] == csrf_token
    assert browser.cookies["headrace_refresh_8080"] != before
    assert (await browser.get("/api/v1/me")).status_code == 200


async def test_an_empty_refresh_token_is_no_way_around_csrf(browser: AsyncClient, account: Account):
    await log_in(browser, account)
    before = browser.cookies["headrace_refresh_8080"]
    forged = await browser.post("/api/v1/auth/refresh", json={"refresh_token": ""})
    assert forged.status_code == 401
    assert browser.cookies["headrace_refresh_8080"] == before


async def test_logging_out_takes_the_cookies_away(browser: AsyncClient, account: Account):
    csrf_token = (await log_in(browser, account)).json()["csrf_token"]
    assert (await browser.post("/api/v1/auth/logout")).status_code == 403
    assert (await browser.post("/api/v1/auth/logout", headers={"X-CSRF-Token": csrf_token})).status_code == 204
    assert not browser.cookies
    assert (await browser.get("/api/v1/me")).status_code == 401


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1:8080.evil.example"])
async def test_another_origin_cannot_log_a_browser_in(browser: AsyncClient, account: Account, origin: str):
    credentials = {"email": account.email, "password": PASSWORD, "session": "cookie"}
    answer = await browser.post(LOGIN, json=credentials, headers={"Origin": origin})
    assert answer.status_code == 403
    assert not browser.cookies


async def test_a_cookie_registration_works_and_checks_the_origin(browser: AsyncClient):
    person = {"email": "ken@example.com", "password": PASSWORD, "name": "Ken", "session": "cookie"}
    foreign = await browser.post("/api/v1/auth/register", json=person, headers={"Origin": "http://evil.example"})
    answer = await browser.post("/api/v1/auth/register", json=person)
    assert (foreign.status_code, answer.status_code) == (403, 201)
    assert (await browser.get("/api/v1/me")).json()["user"]["name"] == "Ken"


@pytest.mark.parametrize(
    ("public_url", "port", "secure"),
    [
        ("", 8080, False),
        ("https://headrace.example", 443, True),
        ("http://headrace.example", 80, False),
        ("https://h:8443", 8443, True),
    ],
)
def test_cookies_follow_the_address_people_use(settings: ControlSettings, public_url: str, port: int, secure: bool):
    public = msgspec.structs.replace(settings, public_url=public_url)
    cookies = session_cookies(public, "a", "r", "c")
    assert cookie_names(public).access == f"headrace_access_{port}"
    assert all(it.secure is secure for it in cookies)
