"""What a running gateway answers: keys, scopes, paths, versions, health, metrics, and the line in the log."""

import gzip
import hashlib
import json
import time
from collections.abc import Generator
from uuid import UUID

import numpy as np
import pytest

from contracts.workers import RevisionState
from tests.gateway.breakable import BreakableValkey
from tests.gateway.running import ROW, RunningGateway, body
from tests.gateway.tables import authorization, deployment, key, revision, store_model
from tests.models import columns_model, failing_model, sum_model
from tests.services import wait_until

OTHER_PROJECT = UUID(int=99)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    """A gateway with three deployments and five keys."""
    directory = tmp_path_factory.mktemp("served")
    valkey = BreakableValkey(directory)
    valkey.start()
    gateway = RunningGateway(directory, valkey)
    summing = store_model(gateway.artifacts, sum_model(directory / "sum.onnx"))
    columns = store_model(gateway.artifacts, columns_model(directory / "columns.onnx"))
    picky = store_model(gateway.artifacts, failing_model(directory / "failing.onnx"))
    gateway.publish(
        deployment("sum", revision(summing, version=3)),
        deployment("columns", revision(columns)),
        deployment("picky", revision(picky)),
        deployment("secret", revision(summing), project=OTHER_PROJECT),
        keys=(
            key(),
            key("otherproject", project=OTHER_PROJECT),
            key("withoutscope", scopes=("manage",)),
            key("longexpired1", expires_at=time.time() - 1),
            key("expireslater", expires_at=time.time() + 3600),
        ),
    )
    gateway.start()
    yield gateway
    gateway.close()
    valkey.kill()


def test_a_prediction_comes_back_with_its_request_id(served: RunningGateway) -> None:
    answer = served.infer(rows=2)
    assert answer.status_code == 200
    found = answer.json()
    assert (found["model_name"], found["model_version"]) == ("sum", "3")
    assert found["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [2], "data": [10.0, 10.0]}]
    assert UUID(answer.headers["x-request-id"]).version == 7


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic aHI6aHI="},
        {"Authorization": "Bearer hr_"},
        {"Authorization": "Bearer hr_abcdefghijkl"},
        {"Authorization": "Bearer sk_abcdefghijkl_" + "s" * 32},
        authorization("abcdefghijkm"),
        authorization(secret="s" * 31),
        authorization(secret="s" * 33),
        authorization("longexpired1"),
    ],
)
def test_a_bad_key_is_refused_with_a_challenge(served: RunningGateway, headers: dict[str, str]) -> None:
    answer = served.infer(headers=headers)
    assert answer.status_code == 401
    assert list(answer.json()) == ["error"]
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_one_connection_is_judged_by_each_request_s_own_key(served: RunningGateway) -> None:
    keys = (authorization(), authorization("otherproject"), authorization(secret="wrong" * 8), authorization("expireslater"))
    assert [served.infer(headers=it).status_code for it in (*keys, keys[0])] == [200, 404, 401, 200, 200]


def test_a_key_without_the_scope_is_forbidden(served: RunningGateway) -> None:
    answer = served.infer(headers=authorization("withoutscope"))
    assert (answer.status_code, "infer" in answer.json()["error"]) == (403, True)


def test_another_project_s_deployment_is_not_found(served: RunningGateway) -> None:
    assert served.infer("secret").status_code == 404
    assert served.infer("secret", headers=authorization("otherproject")).status_code == 200


@pytest.mark.parametrize("path", ["", "/ready", "/versions/3", "/versions/3/ready"])
def test_a_model_s_pages(served: RunningGateway, path: str) -> None:
    answer = served.http.get(f"/v2/models/sum{path}", headers=authorization())
    assert answer.status_code == 200
    assert served.http.get(f"/v2/models/sum{path}").status_code == 401


@pytest.mark.parametrize("path", ["/versions/4", "/versions/x/infer", "/nothing", "/infer/more"])
def test_a_path_that_is_not_there_is_404_in_the_protocol_s_form(served: RunningGateway, path: str) -> None:
    answer = served.http.get(f"/v2/models/sum{path}", headers=authorization())
    assert (answer.status_code, list(answer.json())) == (404, ["error"])


def test_a_wrong_method_is_405(served: RunningGateway) -> None:
    answer = served.http.get("/v2/models/sum/infer", headers=authorization())
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_the_server_describes_itself_to_a_key(served: RunningGateway) -> None:
    assert served.http.get("/v2").status_code == 401
    assert served.http.get("/v2", headers=authorization()).json()["name"] == "headrace"


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready", "/health/live", "/health/ready", "/metrics"])
def test_health_and_metrics_need_no_key(served: RunningGateway, path: str) -> None:
    assert served.http.get(path).status_code == 200


def test_readiness_shows_the_dependencies(served: RunningGateway) -> None:
    wait_until(lambda: '"down"' not in served.http.get("/health/ready").text, "both dependencies")
    found = served.http.get("/health/ready").json()
    assert found["status"] == "ready"
    assert {name: it["state"] for name, it in found["dependencies"].items()} == {"redis": "up", "artifacts": "up"}


def test_a_call_leaves_its_record(served: RunningGateway) -> None:
    before = time.time()
    request_id = UUID(served.infer(rows=2).headers["x-request-id"]).bytes
    wait_until(lambda: any(it.request_id == request_id for it in served.records()), "the record")
    record = next(it for it in served.records() if it.request_id == request_id)
    assert (record.status, record.error_code, record.rows, record.batch_rows) == (200, "", 2, 2)
    assert before - 1 < record.time_us / 1e6 < time.time()
    assert record.total_us >= record.infer_us + record.queue_us > 0
    assert np.frombuffer(record.input_numbers, "<f8").tolist() == ROW * 2
    assert np.frombuffer(record.output_numbers, "<f8").tolist() == [10, 10]


def test_values_are_logged_in_the_order_of_the_signature(served: RunningGateway) -> None:
    inputs = [
        {"name": "country", "shape": [1, 1], "datatype": "BYTES", "data": ["Ōsaka"]},
        {"name": "amount", "shape": [1, 1], "datatype": "FP32", "data": [7.5]},
    ]
    answer = served.http.post("/v2/models/columns/infer", json={"inputs": inputs}, headers=authorization())
    request_id = UUID(answer.headers["x-request-id"]).bytes
    wait_until(lambda: any(it.request_id == request_id for it in served.records()), "the record")
    record = next(it for it in served.records() if it.request_id == request_id)
    assert (np.frombuffer(record.input_numbers, "<f8").tolist(), record.input_texts) == ([7.5], ("Ōsaka",))
    assert (np.frombuffer(record.output_numbers, "<f8").tolist(), record.output_texts) == ([7.5], ("Ōsaka",))


def test_many_values_are_logged_by_number_of_rows_only(served: RunningGateway) -> None:
    request_id = UUID(served.infer(rows=300).headers["x-request-id"]).bytes
    wait_until(lambda: any(it.request_id == request_id for it in served.records()), "the record")
    record = next(it for it in served.records() if it.request_id == request_id)
    assert (record.rows, record.input_numbers, record.output_numbers) == (300, b"", b"")


@pytest.mark.parametrize(
    ("name", "content", "status", "error_code"),
    [
        ("sum", b"{", 400, "RequestMalformed"),
        ("sum", b'{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}', 400, "ShapeMismatch"),
        ("picky", b'{"inputs":[{"name":"x","shape":[1],"datatype":"INT64","data":[77]}]}', None, None),
    ],
)
def test_a_failed_call_is_logged_with_its_error(
    served: RunningGateway, name: str, content: bytes, status: int | None, error_code: str | None
) -> None:
    answer = served.http.post(f"/v2/models/{name}/infer", content=content, headers=authorization())
    assert answer.status_code == status or (status is None and answer.status_code >= 400)
    assert list(answer.json()) == ["error"]
    request_id = UUID(answer.headers["x-request-id"]).bytes
    wait_until(lambda: any(it.request_id == request_id for it in served.records()), "the record")
    record = next(it for it in served.records() if it.request_id == request_id)
    assert record.status == answer.status_code
    assert record.error_code == error_code or (error_code is None and record.error_code)


def test_metrics_count_answers_by_deployment_and_class(served: RunningGateway) -> None:
    def count(status_class: str) -> float:
        lines = served.http.get("/metrics").text.splitlines()
        wanted = ("headrace_inference_requests_total{", 'deployment="sum"', f'status_class="{status_class}"', 'version="3"')
        return sum(float(it.rpartition(" ")[2]) for it in lines if all(part in it for part in wanted))

    before = count("2xx"), count("4xx")
    served.infer()
    served.http.post("/v2/models/sum/infer", content=b"{", headers=authorization())
    assert (count("2xx"), count("4xx")) == (before[0] + 1, before[1] + 1)


def test_the_worker_reports_what_it_serves(served: RunningGateway) -> None:
    wait_until(lambda: served.status() is not None, "the status")
    status = served.status()
    assert status is not None
    assert (status.pid, status.routes_version) == (served.process.pid, 1)
    assert {it.state for it in status.revisions} == {RevisionState.READY}
    assert len(status.revisions) == 4
    assert all(it.memory_bytes > 0 for it in status.revisions)
    assert all(it.tuning is not None and it.tuning.points and it.tuning.choices for it in status.revisions)


def test_a_gzip_body_is_taken(served: RunningGateway) -> None:
    headers = authorization() | {"Content-Encoding": "gzip"}
    answer = served.http.post("/v2/models/sum/infer", content=gzip.compress(json.dumps(body(ROW)).encode()), headers=headers)
    assert answer.json()["outputs"][0]["data"] == [10.0]


def test_secrets_are_nowhere_in_what_the_gateway_writes(served: RunningGateway) -> None:
    secret = authorization()["Authorization"].rpartition("_")[2]
    served.infer()
    written = [it for it in served.data.rglob("*") if it.is_file()]
    assert written
    assert all(secret.encode() not in it.read_bytes() for it in written)
    assert secret not in served.output()
    assert hashlib.sha256(secret.encode()).hexdigest() not in served.output()
