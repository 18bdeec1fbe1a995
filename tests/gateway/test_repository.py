"""What is deployed can be listed, taken out of memory, and brought back."""

from collections.abc import Generator
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
import tritonclient.http

from contracts.workers import RevisionState
from tests.gateway.breakable import BreakableValkey
from tests.gateway.running import ROW, Calls, RunningGateway, body
from tests.gateway.tables import authorization, deployment, key, revision, store_model
from tests.models import custom_operator_model, sum_model
from tests.services import wait_until

triton: Any = tritonclient.http
OPERATOR = "withrepo1234"
OTHER_PROJECT = UUID(int=99)


@pytest.fixture
def served(gateway: RunningGateway) -> RunningGateway:
    """Not started: `sum` in versions 1 and 2, `other`, and `broken`, which does not load."""
    summing = store_model(gateway.artifacts, sum_model(gateway.directory / "sum.onnx"))
    broken = store_model(gateway.artifacts, custom_operator_model(gateway.directory / "broken.onnx"))
    gateway.publish(
        deployment("sum", revision(summing, version=1, weight=1), revision(summing, version=2, weight=1)),
        deployment("other", revision(summing)),
        deployment("broken", revision(broken)),
        deployment("secret", revision(summing), project=OTHER_PROJECT),
        keys=(key(), key(OPERATOR, scopes=("infer", "repository"))),
    )
    return gateway


def ask(gateway: RunningGateway, path: str, key_id: str = OPERATOR, json: object = None) -> httpx.Response:
    """A POST to a path of the repository."""
    return gateway.http.post(f"/v2/repository/{path}", headers=authorization(key_id), json=json)


def index(gateway: RunningGateway, **wanted: object) -> dict[tuple[str, str], str]:
    """States by name and version."""
    answer = ask(gateway, "index", json=wanted)
    assert answer.status_code == 200
    return {(it["name"], it["version"]): it["state"] for it in answer.json()}


ALL = {("sum", "1"): "READY", ("sum", "2"): "READY", ("other", "1"): "READY", ("broken", "1"): "UNAVAILABLE"}
SUM_IS_GONE = ALL | {("sum", "1"): "UNAVAILABLE", ("sum", "2"): "UNAVAILABLE"}


def test_what_is_unloaded_is_gone_until_it_is_loaded(served: RunningGateway) -> None:
    served.start()
    assert index(served) == ALL
    assert index(served, ready=True) == {it: state for it, state in ALL.items() if state == "READY"}
    assert (ask(served, "models/sum/unload").status_code, served.infer("other").status_code) == (200, 200)
    for path in ("infer", "versions/2/infer", "ready", "config", ""):
        url = f"/v2/models/sum/{path}".rstrip("/")
        answer = served.http.request("POST" if "infer" in path else "GET", url, json=body(ROW), headers=authorization())
        assert answer.status_code == 503
        assert "it was unloaded; POST /v2/repository/models/sum/load" in answer.json()["error"]
    assert index(served) == SUM_IS_GONE
    wait_until(lambda: unloaded(served) == 2, "control to be told")
    assert ask(served, "models/sum/load").status_code == 200
    assert served.infer().status_code == 200
    assert index(served) == ALL
    assert (ask(served, "models/sum/load").status_code, served.infer().status_code) == (200, 200)


def unloaded(gateway: RunningGateway) -> int:
    """Revisions reported as unloaded, without memory, by the one worker."""
    status = gateway.status()
    revisions = () if status is None else status.revisions
    return sum(it.state is RevisionState.UNLOADED and it.memory_bytes == 0 and "unloaded" in it.error for it in revisions)


def test_all_workers_follow_and_restarts_do_not_forget(served: RunningGateway) -> None:
    served.start(workers=2)
    assert ask(served, "models/sum/unload").status_code == 200
    wait_until(lambda: [len(states(it)) for it in served.workers()] == [2, 2], "both workers to follow")
    served.stop()
    served.start(workers=2)
    wait_until(lambda: [len(states(it)) for it in served.workers()] == [2, 2], "new workers to follow as well")
    assert ask(served, "models/sum/load").status_code == 200
    wait_until(lambda: [len(states(it)) for it in served.workers()] == [0, 0], "both workers to load again")


def states(worker: Any) -> list[Any]:
    """What a worker reports as unloaded."""
    return [it for it in worker.revisions if it.state is RevisionState.UNLOADED]


def test_requests_under_way_are_answered_while_their_model_is_unloaded_and_loaded(served: RunningGateway) -> None:
    served.start()
    with Calls(served) as calls:
        for verb in ("unload", "load"):
            assert ask(served, f"models/sum/{verb}").status_code == 200
            calls.wait_for_more(20)
    assert not calls.failures
    assert set(calls.statuses) == {200, 503}


def test_a_change_needs_the_scope_the_project_and_a_request_that_can_be_met(served: RunningGateway) -> None:
    served.start()
    plain = "abcdefghijkl"
    refusals = [
        (ask(served, "models/sum/unload", plain), 403, "lacks the scope 'repository'"),
        (ask(served, "index", plain), 403, "lacks the scope 'repository'"),
        (ask(served, "models/secret/unload"), 404, "no deployment named 'secret'"),
        (ask(served, "models/nothing/load"), 404, "no deployment named 'nothing'"),
        (ask(served, "models/sum/reload"), 404, "nothing at"),
        (ask(served, "models//load"), 404, "nothing at"),
        (ask(served, "models/sum/load", json={"parameters": {"config": "{}"}}), 400, "'config' is not taken"),
        (ask(served, "models/sum/load", json={"parameters": {"file:1/model.onnx": "AA=="}}), 400, "deploy a new version"),
        (ask(served, "models/sum/load", json=[]), 400, "Expected `object`"),
        (ask(served, "index", json={"ready": "yes"}), 400, "Expected `bool`"),
        (ask(served, "models/broken/load"), 503, "wizard|does not serve"),
        (served.http.get("/v2/repository/index", headers=authorization(OPERATOR)), 405, "takes POST"),
        (served.http.post("/v2/repository/index"), 401, "API key"),
    ]
    for answer, status, reason in refusals:
        assert answer.status_code == status, answer.text
        assert any(it in answer.json()["error"] for it in reason.split("|"))
    assert index(served) == ALL


def test_without_redis_nothing_is_unloaded_and_what_was_stays_so(served: RunningGateway, valkey: BreakableValkey) -> None:
    served.start()
    assert ask(served, "models/other/unload").status_code == 200
    valkey.kill()
    refused = ask(served, "models/sum/unload")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "Redis does not answer" in refused.json()["error"]
    assert (served.infer().status_code, served.infer("other").status_code) == (200, 503)


@pytest.fixture
def client(served: RunningGateway) -> Generator[Any]:
    """The unmodified tritonclient."""
    served.start()
    with triton.InferenceServerClient(f"127.0.0.1:{served.port}") as client:
        yield client


def test_tritonclient_loads_and_unloads(served: RunningGateway, client: Any) -> None:
    headers = authorization(OPERATOR)
    client.unload_model("sum", headers=headers)
    assert not client.is_model_ready("sum", headers=headers)
    client.load_model("sum", headers=headers)
    assert client.is_model_ready("sum", headers=headers)
    assert {it["name"] for it in client.get_model_repository_index(headers=headers)} == {"sum", "other", "broken"}
    rows = triton.InferInput("x", [1, 4], "FP32")
    rows.set_data_from_numpy(np.ones((1, 4), np.float32))
    answer = client.infer("sum", [rows], headers=headers, response_compression_algorithm="gzip")
    assert answer.as_numpy("y").tolist() == [4.0]
