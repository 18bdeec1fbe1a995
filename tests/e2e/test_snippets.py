"""The code that the console offers is pasted and run, and makes the call that the form would make."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.system import Json, System

DEPLOYMENT = "credit-risk"
"""Its inputs are numbers and texts, its outputs numbers and lists."""
COMMANDS = {
    "curl": ("bash",),
    "Python": (sys.executable, "-"),
    "JavaScript": ("node", "--input-type=module", "-"),
    "tritonclient": (sys.executable, "-"),
}


@pytest.fixture(scope="module")
def page(browser: Browser, system: System, demo: Json) -> Generator[Page]:
    """The playground of a sample deployment; what a page copies can be read."""
    context = browser.new_context(base_url=system.facts["console_url"], permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("E-mail").fill(demo["email"])
    page.get_by_label("Password", exact=True).fill(demo["password"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Deployments").first.click()
    page.get_by_role("link", name=DEPLOYMENT, exact=True).click()
    page.get_by_role("button", name="Send request").wait_for()
    yield page
    context.close()


@pytest.fixture(scope="module")
def outputs(system: System, demo: Json) -> dict[str, Any]:
    """What the sample's own example is answered, by output."""
    with system.client(demo["access_token"]) as client:
        deployments = client.get(f"/api/v1/projects/{demo['project_id']}/deployments").json()["items"]
    [deployment] = [it for it in deployments if it["name"] == DEPLOYMENT]
    inputs = json.loads(deployment["revision"]["model_version"]["metadata"]["headrace.example"])
    answer = call(system, demo, f"/v2/models/{DEPLOYMENT}/infer", {"inputs": inputs})
    return {it["name"]: it["data"] for it in answer["outputs"]}


def call(system: System, demo: Json, path: str, body: Json) -> Json:
    headers = {"Authorization": f"Bearer {demo['api_key']}"}
    answer = httpx.post(system.facts["inference_url"] + path, json=body, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def run(language: str, code: str, key: str, folder: Path) -> str:
    """What the code prints, run as somebody runs it who has put their key in its place."""
    mine = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    code = code.replace("HEADRACE_API_KEY=…", f"HEADRACE_API_KEY={key}")
    done = subprocess.run(
        COMMANDS[language],
        input=code,
        env=mine | {"HEADRACE_API_KEY": key},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, f"{code}\n{done.stderr}"
    return done.stdout


def copied(page: Page, language: str) -> str:
    page.get_by_role("tab", name="Try it").click()
    page.get_by_role("button", name="Copy as").click()
    page.get_by_role("menuitem", name=language, exact=True).click()
    page.get_by_text(f"Copied as {language}").first.wait_for()
    return page.evaluate("navigator.clipboard.readText()")


def by_feature_name(page: Page, language: str) -> str:
    page.get_by_role("tab", name="Code").click()
    page.get_by_role("group", name="Language by feature name").get_by_text(language, exact=True).click()
    return page.get_by_role("region", name=f"{language.lower()} snippet by feature name", exact=True).inner_text()


def test_the_call_copied_as_curl_is_answered_as_the_form_is(
    page: Page, system: System, demo: Json, outputs: Json, tmp_path: Path
) -> None:
    answer = json.loads(run("curl", copied(page, "curl"), demo["api_key"], tmp_path))
    assert {it["name"]: it["data"] for it in answer["outputs"]} == outputs


def test_the_call_copied_as_python_prints_every_output(page: Page, demo: Json, outputs: Json, tmp_path: Path) -> None:
    printed = run("Python", copied(page, "Python"), demo["api_key"], tmp_path)
    assert printed == "".join(f"{name} {data}\n" for name, data in outputs.items())


def test_the_call_copied_as_javascript_prints_every_output(page: Page, demo: Json, outputs: Json, tmp_path: Path) -> None:
    printed = run("JavaScript", copied(page, "JavaScript"), demo["api_key"], tmp_path)
    found = {name: json.loads(data) for name, data in re.findall(r"^(\w+) (\[.*\])$", printed, flags=re.MULTILINE)}
    assert found == outputs


def test_the_call_copied_for_tritonclient_prints_every_output(page: Page, demo: Json, outputs: Json, tmp_path: Path) -> None:
    printed = run("tritonclient", copied(page, "tritonclient"), demo["api_key"], tmp_path)
    assert printed.startswith(f"label {outputs['label']}\nprobabilities [[")


def test_rows_by_feature_name_get_predictions_in_every_language(page: Page, demo: Json, outputs: Json, tmp_path: Path) -> None:
    [repaid, default] = outputs["probabilities"]
    answer = json.loads(run("curl", by_feature_name(page, "curl"), demo["api_key"], tmp_path))
    [prediction] = answer["predictions"]
    assert (prediction["probabilities"]["repaid"], prediction["probabilities"]["default"]) == (repaid, default)
    assert ast.literal_eval(run("Python", by_feature_name(page, "Python"), demo["api_key"], tmp_path)) == prediction
    printed = run("JavaScript", by_feature_name(page, "JavaScript"), demo["api_key"], tmp_path)
    assert f"repaid: {repaid}" in printed
