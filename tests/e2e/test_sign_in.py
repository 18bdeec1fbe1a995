"""Signing in at a provider in a real browser, over real redirects: a new account, the same one again, and refusals in words."""

import re
from typing import Any
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.control.oidc_provider import OidcProvider
from tests.e2e.conftest import NewPage

BUTTON = "Continue with Corporate login"


def person(name: str) -> dict[str, Any]:
    return {"sub": uuid4().hex, "email": f"{uuid4().hex}@example.com", "email_verified": True, "name": name}


def sign_in(page: Page, path: str = "/login") -> None:
    page.goto(path)
    page.get_by_role("button", name=BUTTON).click()


def test_a_new_person_gets_an_account_and_the_same_one_in_another_browser(new_page: NewPage, provider: OidcProvider):
    provider.claims = person("Katherine Johnson")
    first, second = new_page(), new_page()
    sign_in(first, "/signup")
    expect(first).to_have_url(re.compile(r"/o/katherine-johnsons-organization/p/default$"))
    first.goto("/account")
    expect(first.get_by_role("main").get_by_text("Corporate login").first).to_be_visible()
    sign_in(second, "/login?next=%2Faccount")
    expect(second).to_have_url(re.compile("/account$"))
    expect(second.get_by_text(f"Katherine Johnson, {provider.claims['email']}")).to_be_visible()


def test_an_answer_for_another_browser_is_refused_in_words(new_page: NewPage, provider: OidcProvider):
    provider.claims = person("Dorothy Vaughan")
    page, other = new_page(), new_page()
    answers: list[str] = []
    page.on("request", lambda request: answers.append(request.url) if "/signed-in?" in request.url else None)
    sign_in(page)
    expect(page).to_have_url(re.compile("/p/default$"))
    other.goto(answers[0])
    expect(other.get_by_role("alert")).to_be_visible()
    other.get_by_role("link", name="Back to log in").click()
    expect(other.get_by_role("button", name=BUTTON)).to_be_visible()


def test_an_address_that_the_provider_does_not_vouch_for_is_refused_in_words(new_page: NewPage, provider: OidcProvider):
    provider.claims = person("Mary Jackson") | {"email_verified": False}
    page = new_page()
    sign_in(page)
    expect(page.get_by_role("alert")).to_contain_text("Corporate login")
