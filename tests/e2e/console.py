"""What a person does in the console on the way to what a test is about."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

PASSWORD = "correct horse battery"


def sign_up(page: Page, email: str) -> None:
    """A new account, and the overview of its project."""
    page.goto("/signup")
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(re.compile(r"/o/[^/]+/p/default"))


def upload(page: Page, file: Path, name: str) -> None:
    """A model file from the page of models, which leads to the page of the model."""
    page.get_by_role("link", name="Models").first.click()
    page.get_by_role("button", name="Upload model").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_label("Model name").fill(name)
    page.get_by_role("button", name="Upload", exact=True).click()


def deploy(page: Page, name: str) -> None:
    """From the page of a model to its deployment, ready."""
    page.get_by_role("button", name="Deploy v1").click()
    page.get_by_role("dialog").get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.get_by_text("Ready", exact=True).first).to_be_visible(timeout=20_000)
