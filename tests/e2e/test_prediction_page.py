"""The documentation page of a deployment in a real browser: a key, the description, and a prediction made from the page."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.gateway.breakable import BreakableValkey
from tests.gateway.running import RunningGateway
from tests.gateway.tables import authorization, deployment, revision, store_model

MODEL = Path(__file__).parents[2] / "docs" / "samples" / "credit-risk.onnx"


def test_the_page_asks_for_a_key_and_its_example_works(browser: Browser, short_tmp: Path) -> None:
    valkey = BreakableValkey(short_tmp)
    valkey.start()
    gateway = RunningGateway(short_tmp, valkey)
    gateway.publish(deployment("credit", revision(store_model(gateway.artifacts, MODEL))))
    gateway.start()
    context = browser.new_context(base_url=gateway.url)
    page = context.new_page()
    outside: list[str] = []
    page.on("request", lambda request: None if request.url.startswith((gateway.url, "data:")) else outside.append(request.url))
    page.goto("/v1/predict/credit/docs")
    expect(page.get_by_role("heading", name="credit")).to_be_visible()
    page.get_by_label("API key").fill("hr_wrong")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_contain_text("this API key is not known")
    page.get_by_label("API key").fill(authorization()["Authorization"].removeprefix("Bearer "))
    page.get_by_role("button", name="Show").click()
    page.get_by_role("button", name="Predict with credit").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text('"repaid": 0.')
    assert outside == []
    context.close()
    gateway.close()
    valkey.kill()
