"""The sample project of a later start: what people changed is theirs, and what they broke stops nothing."""

from pathlib import Path
from typing import Any

import pytest

from headrace.demo import SAMPLES, Demo, load_demo
from headrace.errors import CommandFailed
from tests.headrace.control_plane import Answer, serving

NAMES = sorted(file.stem for file in SAMPLES.glob("*.onnx"))
SESSION = {"access_token": "a", "project_id": "p"}
PROJECT = "/api/v1/projects/p"


def deployment(name: str, state: str) -> dict[str, Any]:
    return {
        "id": name,
        "project_id": "p",
        "name": name,
        "state": state,
        "state_reason": "no reason",
        "workers": [{"state": state}],
    }


def control_plane(states: dict[str, str]) -> dict[str, Answer | list[Answer]]:
    """Every sample is deployed, in these states; nothing can be uploaded or changed."""
    there = [deployment(name, state) for name, state in states.items()]
    answers: dict[str, Answer | list[Answer]] = {
        "POST /api/v1/auth/login": (200, SESSION),
        f"GET {PROJECT}/deployments": (200, {"items": there, "next_cursor": None}),
        "GET /v2/models/no-such-model": (404, {"error": "no such model"}),
    }
    for it in there:
        answers[f"GET {PROJECT}/deployments/{it['id']}"] = (200, it)
    return answers


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """What an earlier start kept."""
    path = tmp_path / "demo.json"
    Demo(password="kept", api_key="hr_a_b", project_id="p", deployments=list(NAMES)).keep(path)
    return path


def test_what_is_there_is_left_alone(kept: Path) -> None:
    with serving(control_plane(dict.fromkeys(NAMES, "ready"))) as fake:
        demo = load_demo(fake.url, fake.url, kept, lambda _: None)
    assert demo.deployments == NAMES
    assert {call for call, _, _ in fake.calls if not call.startswith("GET ")} == {"POST /api/v1/auth/login"}


def test_a_sample_that_somebody_broke_is_mentioned_and_stops_nothing(kept: Path) -> None:
    said: list[str] = []
    with serving(control_plane(dict.fromkeys(NAMES, "ready") | {NAMES[0]: "failed"})) as fake:
        load_demo(fake.url, fake.url, kept, said.append)
    assert said == [f"{NAMES[0]} is failed: no reason"]


def test_an_account_of_another_password_is_one_clear_line(kept: Path) -> None:
    answers: dict[str, Answer | list[Answer]] = {
        "POST /api/v1/auth/login": (401, {"detail": "wrong"}),
        "POST /api/v1/auth/register": (409, {"detail": "the address is taken"}),
    }
    with serving(answers) as fake, pytest.raises(CommandFailed, match=r"not with the password kept here .the address is taken"):
        load_demo(fake.url, fake.url, kept, lambda _: None)
