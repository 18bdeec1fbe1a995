"""The `headrace` command against a running system, as a script would use it; and clients nobody changed."""

import json
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from headrace.commands.instances import curl_line
from headrace.demo import Demo, example_request
from tests.e2e.system import System
from tests.models import linear_model, mlp_model
from tests.services import wait_until

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tritonclient.grpc

triton: Any = tritonclient.grpc

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def account(system: System) -> dict[str, Any]:
    """What `headrace signup --json` printed."""
    return system.ask("signup", "--email", "script@example.com", "--password", PASSWORD)


def test_status_names_the_addresses_and_every_process(system: System) -> None:
    facts = system.ask("status")
    assert {it["name"]: it["state"] for it in facts["processes"]} == dict.fromkeys(
        ("valkey", "postgres", "gateway", "telemetry", "control"), "ready"
    )
    assert facts["mlflow_uri"] == facts["console_url"]
    assert facts["grpc_target"].startswith("127.0.0.1:")


def test_doctor_finds_nothing_wrong_with_a_running_system(system: System) -> None:
    done = system.headrace("doctor", "--json")
    report = json.loads(done.stdout)
    assert [it for it in report["findings"] if not it["is_well"]] == []
    assert done.returncode == 0


def test_a_file_becomes_an_endpoint_in_two_commands(system: System, account: dict[str, Any], tmp_path: Path) -> None:
    file = mlp_model(tmp_path / "some.onnx")
    deployed = system.ask("deploy", str(file), "--name", "x")
    assert deployed["state"] == "ready"
    assert deployed["deployment"]["project_id"] == account["project_id"]
    answer = system.ask("predict", "x", "--data", "[[1, 2, 3, 4]]")
    wanted: Any = onnxruntime.InferenceSession(str(file)).run(None, {"input": np.array([[1, 2, 3, 4]], np.float32)})[0]
    np.testing.assert_allclose(answer["outputs"][0]["data"], wanted.ravel(), rtol=1e-5)


def test_the_endpoint_answers_over_grpc(system: System, account: dict[str, Any], tmp_path: Path) -> None:
    system.ask("deploy", str(mlp_model(tmp_path / "some.onnx")), "--name", "spoken")
    key = system.ask("key", "create", "--scope", "infer")["secret"]
    tensor = triton.InferInput("input", [1, 4], "FP32")
    tensor.set_data_from_numpy(np.ones((1, 4), np.float32))
    with triton.InferenceServerClient(system.ask("status")["grpc_target"]) as client:
        answer = client.infer("spoken", [tensor], headers={"authorization": f"Bearer {key}"})
    assert answer.as_numpy("probabilities").sum() == pytest.approx(1)


def test_a_new_version_takes_over_and_the_same_file_is_not_sent_twice(
    system: System, account: dict[str, Any], tmp_path: Path
) -> None:
    first = system.ask("deploy", str(linear_model(tmp_path / "a.onnx", seed=1)), "--name", "moving")
    same = system.ask("deploy", str(tmp_path / "a.onnx"), "--name", "moving")
    moved = system.ask("deploy", str(linear_model(tmp_path / "b.onnx", seed=2)), "--name", "moving")
    numbers = [it["deployment"]["revision"]["model_version"]["number"] for it in (first, same, moved)]
    assert numbers == [1, 1, 2]
    assert system.ask("predict", "moving", "--data", "[1, 2, 3, 4]")["model_version"] == "2"


def test_a_refused_file_says_why_and_exits_with_six(system: System, account: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"\x08\x0a not a model")
    done = system.headrace("deploy", str(tmp_path / "bad.onnx"), "--name", "bad", "--json")
    assert done.returncode == 6
    assert "not ONNX" in json.loads(done.stdout)["error"]


def test_a_key_with_a_scope_that_does_not_exist_is_refused(system: System, account: dict[str, Any]) -> None:
    assert system.headrace("key", "create", "--scope", "everything").returncode == 6
    assert system.ask("key", "create", "--scope", "infer")["secret"].startswith("hr_")


def test_logging_in_again_keeps_the_same_project(system: System, account: dict[str, Any]) -> None:
    again = system.ask("login", "--email", "script@example.com", "--password", PASSWORD)
    assert again["project_id"] == account["project_id"]
    assert system.headrace("login", "--email", "script@example.com", "--password", "wrong password").returncode == 6
    system.ask("login", "--email", "script@example.com", "--password", PASSWORD)


def test_the_printed_curl_line_answers_when_pasted(system: System, demo: dict[str, Any]) -> None:
    kept = Demo(password=demo["password"], api_key=demo["api_key"], deployments=demo["deployments"])
    line = curl_line(system.facts["inference_url"], kept).replace("curl -s", "curl -sS --fail-with-body")
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout)["outputs"]


@pytest.mark.filterwarnings("ignore")
def test_the_unmodified_triton_client_predicts_with_a_key(system: System, demo: dict[str, Any]) -> None:
    import tritonclient.http as triton  # its gevent warns when it is imported

    request = example_request("digits")["inputs"][0]
    image = np.array(request["data"], np.float32).reshape(request["shape"])
    tensor = triton.InferInput(request["name"], list(image.shape), "FP32").set_data_from_numpy(image)
    client = triton.InferenceServerClient(system.facts["inference_url"].removeprefix("http://"))
    headers = {"Authorization": f"Bearer {demo['api_key']}"}
    assert client.is_server_ready()
    assert client.is_model_ready("digits", headers=headers)
    answer = client.infer("digits", [tensor], headers=headers)
    probabilities = answer.as_numpy("probabilities")
    assert probabilities is not None
    assert probabilities.shape == (image.shape[0], 10)
    with pytest.raises(Exception, match="401"):
        client.infer("digits", [tensor])


def test_every_call_is_in_the_request_log(system: System, demo: dict[str, Any]) -> None:
    with system.client(demo["access_token"]) as client:
        deployments = client.get(f"/api/v1/projects/{demo['project_id']}/deployments").json()["items"]
        path = f"/api/v1/projects/{demo['project_id']}/deployments/{deployments[0]['id']}"
        before = client.get(f"{path}/monitoring/requests").json()["totals"]["requests"]
        body = example_request(deployments[0]["name"])
        for _ in range(7):
            client.post(f"{path}/infer", json=body).raise_for_status()
        wait_until(lambda: client.get(f"{path}/monitoring/requests").json()["totals"]["requests"] == before + 7, "the log", 20)
        recent = client.get(f"{path}/monitoring/recent", params={"limit": 7}).json()["items"]
    assert [it["status"] for it in recent] == [200] * 7
