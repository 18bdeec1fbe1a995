"""Two people in two browsers: one invites, the other joins by mail, and what the first one changes shows at once."""

import re

from playwright.sync_api import Page, expect

from tests.control.mailbox import link_in
from tests.e2e.conftest import NewPage
from tests.e2e.console import PASSWORD, sign_up
from tests.e2e.post import PostOffice

DEVELOPER = "grace.hopper@example.com"


def invite(page: Page, email: str, role: str) -> None:
    """From any page of the organization."""
    page.get_by_role("link", name="Members").first.click()
    page.get_by_role("button", name="Invite people").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("E-mail addresses").fill(f"Grace Hopper <{email}>")
    dialog.get_by_label("Role").select_option(role)
    dialog.get_by_role("button", name="Invite", exact=True).click()
    expect(dialog.get_by_role("list", name="Outcome for each address")).to_contain_text("Mail on its way")
    dialog.get_by_role("button", name="Done").click()


def join(page: Page, link: str) -> None:
    """With a new account."""
    page.goto(link)
    expect(page.get_by_label("E-mail")).to_have_value(DEVELOPER)
    page.get_by_label("Name").fill("Grace Hopper")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name=re.compile("^Join ")).click()


def test_an_invited_developer_joins_and_every_change_of_their_role_shows_at_once(new_page: NewPage, post_office: PostOffice):
    admin, developer = new_page(), new_page()
    sign_up(admin, "admin@example.com")
    project = admin.url
    invite(admin, DEVELOPER, "developer")
    join(developer, link_in(post_office.next_to(DEVELOPER)))
    member = admin.get_by_role("row", name=re.compile("Grace Hopper"))
    expect(member).to_be_visible()

    developer.goto(f"{project}/keys")
    developer.evaluate("window.sameDocument = true")
    create = developer.get_by_role("button", name="Create key").first
    expect(create).to_be_enabled()
    expect(developer.get_by_role("status").filter(has_text="Live")).to_be_visible()
    role = member.get_by_role("combobox", name="Role of Grace Hopper")
    role.select_option("viewer")
    expect(create).to_be_disabled(timeout=2000)
    expect(create).to_have_attribute("title", re.compile("needs the role developer"))
    role.select_option("admin")
    expect(create).to_be_enabled(timeout=2000)
    expect(developer.get_by_role("link", name="Audit log")).to_be_visible()

    member.get_by_role("button", name="Remove Grace Hopper").click()
    admin.get_by_role("dialog").get_by_role("button", name="Remove member").click()
    expect(member).not_to_be_visible()
    expect(developer.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert developer.evaluate("window.sameDocument"), "the page was loaded again"
