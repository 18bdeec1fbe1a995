"""Predictions over the wire, through a real gateway."""

import gzip
import json
import re
import zlib
from collections.abc import Generator
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from msgspec.structs import replace

from contracts.routes import Cache, KeyLimits, RevisionSettings
from tests.gateway.breakable import BreakableValkey
from tests.gateway.predict.predicting import classifier
from tests.gateway.running import RunningGateway
from tests.gateway.tables import authorization, deployment, key, revision, store_model
from tests.models import columns_model, failing_model
from tests.services import wait_until

ROW = {"x": [0, 5, 0]}
LABELS = ("cat", "dog", "bird")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    """A gateway that serves `animals`, `columns` and `failing` to a key without limits, and to one with."""
    directory = tmp_path_factory.mktemp("predict")
    valkey = BreakableValkey(directory)
    valkey.start()
    running = RunningGateway(directory, valkey)
    animals = revision(store_model(running.artifacts, classifier(directory / "a.onnx", LABELS)), version=2)
    columns = revision(store_model(running.artifacts, columns_model(directory / "c.onnx")))
    failing = revision(store_model(running.artifacts, failing_model(directory / "f.onnx")))
    deployments = (
        deployment("animals", animals),
        deployment("columns", replace(columns, settings=RevisionSettings(cache=Cache()))),
        deployment("failing", failing),
    )
    running.publish(
        *[replace(it, organization_slug="acme", project_slug="zoo") for it in deployments],
        keys=(key(), replace(key("limitedlimit"), limits=KeyLimits(requests_per_s=0.01, burst=1))),
    )
    running.start()
    yield running
    running.close()
    valkey.kill()


def ask(gateway: RunningGateway, path: str, *rows: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    return gateway.http.post(path, json={"rows": rows}, headers=authorization() if headers is None else headers)


def test_a_prediction(gateway: RunningGateway) -> None:
    answer = ask(gateway, "/v1/predict/animals", ROW, {"x": [9, 0, 0]})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()["model_version"] == "2"
    assert [it["label"] for it in answer.json()["predictions"]] == ["dog", "cat"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/predict/animals",
        "/v1/predict/animals?version=2",
        "/v1/predict/animals/versions/2",
        "/o/acme/p/zoo/v1/predict/animals",
        "/o/acme/p/zoo/v1/predict/animals/versions/2",
    ],
)
def test_every_path_answers_again_and_again(gateway: RunningGateway, path: str) -> None:
    for _ in range(3):
        assert ask(gateway, path, ROW).json()["predictions"][0]["label"] == "dog"
    described = gateway.http.get(path.partition("?")[0] + "/openapi.json", headers=authorization()).json()
    assert list(described["paths"]) == [path.partition("?")[0]]


def test_the_described_example_works(gateway: RunningGateway) -> None:
    for name in ("animals", "columns"):
        answer = gateway.http.get(f"/v1/predict/{name}/openapi.json", headers=authorization())
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        ((path, item),) = answer.json()["paths"].items()
        example = item["post"]["requestBody"]["content"]["application/json"]["example"]
        assert gateway.http.post(path, json=example, headers=authorization()).status_code == 200


def test_what_is_wrong_is_a_problem_that_names_row_and_column(gateway: RunningGateway) -> None:
    answer = ask(gateway, "/v1/predict/columns", {"amount": 1, "country": "CH"}, {"amount": True, "country": "CH"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:headrace:problem:RowsInvalid",
        "title": "Rows invalid",
        "status": 422,
        "detail": "row 1, column 'amount': takes a number, not true",
        "instance": "/v1/predict/columns",
        "request_id": answer.headers["x-request-id"],
        "errors": [{"message": "takes a number, not true", "row": 1, "column": "amount"}],
    }
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/v1/predict/animals", {}, 401),
        ("POST", "/v1/predict/animals", authorization(secret="wrong"), 401),
        ("GET", "/v1/predict/animals/openapi.json", {}, 401),
        ("POST", "/v1/predict/other", authorization(), 404),
        ("POST", "/v1/predict/animals?version=7", authorization(), 404),
        ("POST", "/v1/predict/animals/versions/x", authorization(), 404),
        ("POST", "/o/acme/p/other/v1/predict/animals", authorization(), 404),
        ("POST", "/v1/predict/animals/more", authorization(), 404),
        ("POST", "/v1/predict/", authorization(), 404),
        ("GET", "/v1/other", authorization(), 404),
        ("GET", "/v1/docs/other.js", {}, 404),
        ("GET", "/v1/docs/../predict", {}, 404),
        ("GET", "/v1/predict/animals", authorization(), 405),
        ("POST", "/v1/predict/animals/openapi.json", authorization(), 405),
        ("DELETE", "/v1/predict/animals/docs", {}, 405),
    ],
)
def test_refusals_are_problems(gateway: RunningGateway, method: str, path: str, headers: dict[str, str], status: int) -> None:
    answer = gateway.http.request(method, path, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert ("www-authenticate" in answer.headers, "allow" in answer.headers) == (status == 401, status == 405)


def test_a_model_that_fails_is_a_problem_too(gateway: RunningGateway) -> None:
    assert ask(gateway, "/v1/predict/failing", {"x": 3}).json()["predictions"] == [{"y": 30}]
    answer = ask(gateway, "/v1/predict/failing", {"x": 30})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code >= 400


def test_limits_of_the_key_hold(gateway: RunningGateway) -> None:
    answers = [ask(gateway, "/v1/predict/animals", ROW, headers=authorization("limitedlimit")) for _ in range(2)]
    assert [it.status_code for it in answers] == [200, 429]
    assert "ratelimit" in answers[0].headers
    assert (answers[1].headers["content-type"], int(answers[1].headers["retry-after"]) > 0) == ("application/problem+json", True)


def test_the_cache_answers_the_same_row(gateway: RunningGateway) -> None:
    row = {"amount": 4711, "country": str(uuid4())}
    answers = [ask(gateway, "/v1/predict/columns", row) for _ in range(2)]
    assert [it.headers["x-headrace-cache"] for it in answers] == ["miss", "hit"]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_bodies(gateway: RunningGateway, encoding: str) -> None:
    packed = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding](json.dumps({"rows": [ROW]}).encode())
    answer = gateway.http.post("/v1/predict/animals", content=packed, headers=authorization() | {"content-encoding": encoding})
    assert answer.json()["predictions"][0]["label"] == "dog"


def test_rows_are_text_whatever_a_header_says(gateway: RunningGateway) -> None:
    headers = authorization() | {"inference-header-content-length": "1"}
    body = json.dumps({"rows": [ROW]}).ljust(600_000)
    answer = gateway.http.post("/v1/predict/animals", content=body, headers=headers)
    assert (answer.status_code, answer.json()["predictions"]) == (
        200,
        ask(gateway, "/v1/predict/animals", ROW).json()["predictions"],
    )


def test_a_prediction_is_logged_with_its_values(gateway: RunningGateway) -> None:
    request_id = UUID(ask(gateway, "/v1/predict/animals", {"x": [1, 2, 4]}).headers["x-request-id"]).bytes
    wait_until(lambda: any(it.request_id == request_id for it in gateway.records()), "the record")
    (record,) = [it for it in gateway.records() if it.request_id == request_id]
    assert (record.status, record.rows) == (200, 1)
    assert np.frombuffer(record.input_numbers).tolist() == [1, 2, 4]
    assert np.frombuffer(record.output_numbers)[0] == LABELS.index("bird")


def test_the_page_and_its_files_need_no_key_and_nothing_from_outside(gateway: RunningGateway) -> None:
    for path in ("/v1/predict/animals/docs", "/v1/predict/unknown/docs", "/o/acme/p/zoo/v1/predict/animals/versions/2/docs"):
        page = gateway.http.get(path)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "script-src 'self';" in page.headers["content-security-policy"]
        names = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(names) == 5
        for name in names:
            file = gateway.http.get(httpx.URL(f"{gateway.url}{path}").join(name))
            assert (file.status_code, len(file.content) > 100) == (200, True), name
            assert file.headers["x-content-type-options"] == "nosniff"
