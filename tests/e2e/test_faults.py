"""`kill -9`, one process at a time and all at once: predictions go on, and nothing acknowledged is lost."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from headrace.demo import example_request, recorded_requests
from tests.e2e.system import Caller, System, environment, run_headrace, running, start
from tests.services import is_alive, wait_until

SAMPLE = "digits"
RECORDED_REQUESTS = len(recorded_requests(SAMPLE))
"""What `headrace demo` sends."""


@pytest.fixture(scope="module")
def breakable() -> Generator[System]:
    """An instance of its own, to be broken, with the sample project."""
    with tempfile.TemporaryDirectory(prefix="hr-") as folder, running(Path(folder)) as system:
        yield system


@pytest.fixture(scope="module")
def breakable_demo(breakable: System) -> dict[str, Any]:
    return breakable.ask("demo")


@contextmanager
def calling(system: System, demo: dict[str, Any]) -> Generator[Caller]:
    """A client that calls in a loop; what it was answered is added up in `demo`."""
    with Caller(system.facts["inference_url"], demo["api_key"], SAMPLE, example_request(SAMPLE)) as calls:
        yield calls
    demo["answered"] = demo.get("answered", 0) + calls.answered


@pytest.mark.parametrize("name", ["control", "telemetry", "postgres", "valkey"])
def test_predictions_go_on_without_one_error_while_a_process_is_killed(
    breakable: System, breakable_demo: dict[str, Any], name: str
) -> None:
    with calling(breakable, breakable_demo) as calls:
        breakable.kill(name)
        calls.hear(50)
        breakable.kill(name)
        calls.hear(50)
    assert calls.failures == []


def test_nothing_acknowledged_is_lost_when_everything_is_killed(breakable: System, breakable_demo: dict[str, Any]) -> None:
    sent = RECORDED_REQUESTS + breakable_demo["answered"]
    wait_until(lambda: _what_is_there(breakable)["logged"][SAMPLE] == sent, f"all {sent} calls in the request log", 60)
    before = _what_is_there(breakable)
    pids = [breakable.ask("status")["pid"], *breakable.pids().values()]
    for pid in pids:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, pids)), "everything to be dead")
    breakable.facts = start(breakable.data).facts
    assert _what_is_there(breakable) == before
    with calling(breakable, breakable_demo) as calls:
        calls.hear(20)
    assert calls.failures == []


def test_the_gateway_comes_back_by_itself_and_answers(breakable: System, breakable_demo: dict[str, Any]) -> None:
    with calling(breakable, breakable_demo) as calls:
        breakable.kill("gateway")
        calls.hear(50)


def test_nothing_is_left_when_the_supervisor_is_killed(breakable: System, breakable_demo: dict[str, Any]) -> None:
    supervisor = breakable.ask("status")["pid"]
    pids = [child.pid for child in psutil.Process(supervisor).children(recursive=True)]
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, pids)), "the children to end", 10)
    breakable.facts = start(breakable.data).facts


def test_ctrl_c_stops_everything_within_ten_seconds(short_tmp: Path) -> None:
    command = [sys.executable, "-m", "headrace", "up", "--port-base", "0", "--json"]
    with subprocess.Popen(command, env=environment(short_tmp), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert '"phase":"ready"' in process.stdout.readline()
        pids = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
        assert time.monotonic() - started < 10
    assert [pid for pid in pids if is_alive(pid)] == []


def test_a_second_instance_on_the_same_ports_starts_nothing(breakable: System, tmp_path: Path) -> None:
    base = breakable.facts["console_url"].rpartition(":")[2]
    done = run_headrace(tmp_path, "up", "--port-base", base)
    assert done.returncode == 3
    assert f"port {base} on 127.0.0.1 is taken" in done.stderr
    assert not (tmp_path / "postgres").exists()
    assert run_headrace(tmp_path, "status").returncode == 5


def _what_is_there(system: System) -> dict[str, Any]:
    """Everything a person would miss: who can sign in, what is deployed, what was logged."""
    demo = system.ask("demo")
    with system.client(demo["access_token"]) as client:
        project = f"/api/v1/projects/{demo['project_id']}"
        models = client.get(f"{project}/models").raise_for_status().json()["items"]
        deployments = client.get(f"{project}/deployments").raise_for_status().json()["items"]
        logged = {
            it["name"]: client.get(f"{project}/deployments/{it['id']}/monitoring/requests")
            .raise_for_status()
            .json()["totals"]["requests"]
            for it in deployments
        }
    return {
        "email": demo["email"],
        "models": [(it["name"], it["latest_version"]["digest"]) for it in models],
        "deployments": [(it["name"], it["state"]) for it in deployments],
        "logged": logged,
    }
