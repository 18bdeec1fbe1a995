"""Every page of the console, with data: axe finds nothing in either theme, wide or narrow; none is wider than the screen."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.system import System

AXE = (Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js").read_text()
CALM = """
    Promise.allSettled(document.getAnimations().filter(it => it.effect.getComputedTiming().endTime < 1e4).map(it => it.finished))
"""
FIND = """
    axe.run(document, {resultTypes: ['violations']}).then(({violations}) =>
        violations.flatMap(({id, nodes}) => nodes.map(it => `${id}: ${it.target.join(' ')}: ${it.failureSummary}`)))
"""
WIDER = "document.documentElement.scrollWidth > innerWidth ? ['wider than the screen'] : []"
SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}

OUTSIDE = [
    "login",
    "signup",
    "forgot-password",
    "reset-password#void",
    "verify-email#void",
    "invite#void",
    "signed-in?error=denied",
]
INSIDE = [
    "account",
    "organizations",
    "o/{org}",
    "o/{org}?state=archived",
    "o/{org}/new-project",
    "o/{org}/audit?entry=1",
    "o/{org}/settings/general",
    "o/{org}/settings/members",
    "o/{org}/settings/invitations",
    "o/{org}/settings/roles",
    "o/{org}/settings/service-accounts",
    "o/{org}/settings/keys",
    "o/{org}/settings/policies",
    "o/{org}/settings/usage",
    "o/{org}/p/{project}",
    "o/{org}/p/{project}/models",
    "o/{org}/p/{project}/models/{model}",
    "o/{org}/p/{project}/deployments",
    "o/{org}/p/{project}/deployments/{deployment}",
    "o/{org}/p/{project}/batch-jobs",
    "o/{org}/p/{project}/keys",
    "o/{org}/p/{project}/keys/{key}",
    "o/{org}/p/{project}/settings",
    "o/{org}/nowhere",
]
DIALOGS = {
    "two factors": ("account", "Turn on…"),
    "a new organization": ("organizations", "New organization"),
    "invitations": ("o/{org}/settings/members", "Invite people"),
    "a service account": ("o/{org}/settings/service-accounts", "New service account"),
    "a key": ("o/{org}/p/{project}/keys", "Create key"),
    "a rotation": ("o/{org}/p/{project}/keys", "Rotate checkout"),
    "a project's members": ("o/{org}/p/{project}/settings", "Add a member"),
    "a deletion": ("o/{org}/p/{project}/settings", "Delete…"),
}
MENUS = {
    "account": ("account", re.compile("^Account of")),
    "projects and organizations": ("o/{org}/p/{project}/models", re.compile("^Switch project")),
}


def ok(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def names(system: System, demo: dict[str, Any]) -> dict[str, str]:
    """What stands in the addresses of pages, once there is something on each."""
    with system.client(demo["access_token"]) as client:
        project = ok(client.get(f"/api/v1/projects/{demo['project_id']}"))
        organization, here = f"/api/v1/organizations/{project['organization_id']}", f"/api/v1/projects/{project['id']}"
        ok(client.post(f"{organization}/invitations", json={"emails": ["waiting@example.com"], "role": "viewer"}))
        ok(client.post(f"{organization}/service-accounts", json={"name": "nightly", "role": "developer"}))
        old = ok(client.post(f"{organization}/projects", json={"name": "Last year", "tags": ["tabular"]}))
        ok(client.post(f"/api/v1/projects/{old['id']}/archive"))
        key = ok(client.post(f"{here}/keys", json={"name": "checkout", "scopes": ["infer"], "limits": {"requests_per_s": 5}}))
        return {
            "org": project["organization_slug"],
            "project": project["slug"],
            "key": key["key"]["id"],
            "model": ok(client.get(f"{here}/models"))["items"][0]["id"],
            "deployment": ok(client.get(f"{here}/deployments"))["items"][0]["id"],
        }


@contextmanager
def opened(browser: Browser, system: System) -> Generator[Page]:
    """A page that spares us animations and lets a script be put in."""
    context = browser.new_context(base_url=system.facts["console_url"], reduced_motion="reduce", bypass_csp=True)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def outside(browser: Browser, system: System) -> Generator[Page]:
    with opened(browser, system) as page:
        yield page


@pytest.fixture(scope="module")
def inside(browser: Browser, system: System, demo: dict[str, Any]) -> Generator[Page]:
    with opened(browser, system) as page:
        log_in(page, demo)
        yield page


def log_in(page: Page, demo: dict[str, Any]) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill(demo["email"])
    page.get_by_label("Password", exact=True).fill(demo["password"])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Headrace, home")).to_be_visible()


def settle(page: Page) -> None:
    """Wait until the page shows what it has."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Loading", exact=True)).to_have_count(0)


def findings(page: Page) -> list[str]:
    """What is wrong with the page as it stands, in both themes and sizes."""
    page.evaluate(AXE)
    found: list[str] = []
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)  # pyright: ignore[reportArgumentType]
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            expect(page.locator(f"html[data-theme={theme}]")).to_be_attached()
            page.evaluate(CALM)
            found += [f"{size}, {theme}: {it}" for it in page.evaluate(FIND) + page.evaluate(WIDER)]
    return found


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_page_before_the_login(outside: Page, path: str):
    outside.goto(f"/{path}")
    settle(outside)
    assert findings(outside) == []


@pytest.mark.parametrize("path", INSIDE)
def test_a_page_within(inside: Page, names: dict[str, str], path: str):
    inside.goto("/" + path.format(**names))
    settle(inside)
    assert findings(inside) == []


@pytest.mark.parametrize("dialog", DIALOGS)
def test_a_dialog(inside: Page, names: dict[str, str], dialog: str):
    path, button = DIALOGS[dialog]
    inside.goto("/" + path.format(**names))
    inside.get_by_role("button", name=button).first.click()
    expect(inside.get_by_role("dialog").or_(inside.get_by_role("alertdialog"))).to_be_visible()
    assert findings(inside) == []


@pytest.mark.parametrize("menu", MENUS)
def test_a_menu(inside: Page, names: dict[str, str], menu: str):
    path, button = MENUS[menu]
    inside.goto("/" + path.format(**names))
    inside.get_by_role("button", name=button).click()
    expect(inside.get_by_role("menu")).to_be_visible()
    assert findings(inside) == []
