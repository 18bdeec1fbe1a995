"""The console by keyboard alone: everything can be reached, done and left, and the focus is never lost."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.console import sign_up

MOST_STEPS = 80


def reach(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press a key until `wanted` has the focus."""
    expect(wanted).to_be_visible()
    for _ in range(MOST_STEPS):
        if wanted.evaluate("it => it === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{wanted} is not reached by {MOST_STEPS} times {key}")


def test_a_key_is_made_rotated_and_revoked(page: Page) -> None:
    sign_up(page, "keyboard@example.com")
    page.goto(f"{page.url}/keys")
    reach(page, page.get_by_role("button", name="Create key").first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    page.keyboard.type("checkout")
    page.keyboard.press("Enter")
    leave_with_the_secret(page)

    reach(page, page.get_by_role("button", name="Rotate checkout"))
    page.keyboard.press("Enter")
    reach(page, page.get_by_role("dialog").get_by_role("button", name="Rotate key"))
    page.keyboard.press("Enter")
    leave_with_the_secret(page)

    revoke = page.get_by_role("button", name="Revoke checkout")
    reach(page, revoke)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").or_(page.get_by_role("alertdialog"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(revoke).to_be_focused()
    page.keyboard.press("Enter")
    reach(page, page.get_by_role("dialog").or_(page.get_by_role("alertdialog")).get_by_role("button", name=re.compile("^Revoke")))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No key works any more")).to_be_visible()
    expect(page.locator(":focus")).to_have_count(1)
    reach(page, page.get_by_label(re.compile("^Show revoked")))
    page.keyboard.press("Space")
    expect(page.get_by_role("row", name=re.compile("checkout.*Revoked"))).to_be_visible()


def leave_with_the_secret(page: Page) -> None:
    """It is shown once, so the dialog stays until one says that it is stored; Escape does not close it."""
    stored = page.get_by_label("I have stored it in a safe place")
    reach(page, stored)
    page.keyboard.press("Escape")
    page.keyboard.press("Space")
    reach(page, page.get_by_role("button", name="Done"))
    page.keyboard.press("Enter")
    expect(stored).not_to_be_visible()
    expect(page.locator(":focus")).to_have_count(1)


def test_the_way_past_the_navigation_and_through_menus(page: Page) -> None:
    sign_up(page, "menus@example.com")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()

    switcher = page.get_by_role("button", name=re.compile("^Switch project"))
    reach(page, switcher)
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(switcher).to_be_focused()
    page.keyboard.press("Enter")
    reach(page, page.get_by_role("menuitem", name="All projects"), "ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Projects", level=1)).to_be_visible()
