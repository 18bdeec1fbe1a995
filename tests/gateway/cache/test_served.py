"""A deployment with a cache, as its callers and its operators see it."""

from uuid import UUID

import httpx
import pytest

from contracts.routes import Cache, Revision, RevisionSettings
from tests.gateway.hammer import hammering
from tests.gateway.running import ROW, RunningGateway, body
from tests.gateway.tables import authorization, deployment, revision, store_model
from tests.models import sum_model
from tests.services import wait_until

DEPLOYMENT = UUID(int=5)


def cached(it: Revision, ttl_s: float = 600) -> Revision:
    return Revision(
        it.revision_id, it.version_id, it.model_name, it.version, it.artifact, it.weight, RevisionSettings(cache=Cache(ttl_s))
    )


@pytest.fixture
def served(gateway: RunningGateway) -> RunningGateway:
    """A gateway whose deployment `sum` caches, and `plain` does not."""
    model = store_model(gateway.artifacts, sum_model(gateway.directory / "sum.onnx"))
    gateway.publish(deployment("sum", cached(revision(model)), deployment_id=DEPLOYMENT), deployment("plain", revision(model)))
    gateway.start()
    return gateway


def ask(gateway: RunningGateway, value: float, name: str = "sum") -> httpx.Response:
    answer = gateway.http.post(f"/v2/models/{name}/infer", json=body([value, 0, 0, 0]), headers=authorization())
    assert answer.status_code == 200
    assert answer.json()["outputs"][0]["data"] == [value]
    return answer


def samples(gateway: RunningGateway, name: str) -> dict[str, float]:
    """Values of a metric, by their last label."""
    lines = [it for it in gateway.http.get("/metrics").text.splitlines() if it.startswith(name)]
    return {it.split('"')[-2]: float(it.rpartition(" ")[2]) for it in lines}


def test_answers_say_whether_they_were_kept(served: RunningGateway) -> None:
    assert [ask(served, it).headers["x-headrace-cache"] for it in (1, 1, 2, 1)] == ["miss", "hit", "miss", "hit"]
    assert "x-headrace-cache" not in ask(served, 1, "plain").headers
    assert samples(served, "headrace_cache_requests_total") == {"memory": 2, "redis": 0, "joined": 0, "miss": 2}
    assert samples(served, "headrace_cache_answers") == {"sum": 2}


def test_the_log_knows_hits_from_runs(served: RunningGateway) -> None:
    ids = [UUID(ask(served, 1).headers["x-request-id"]).bytes for _ in range(2)]
    wait_until(lambda: {it.request_id for it in served.records()} >= set(ids), "the records")
    records = {it.request_id: it for it in served.records()}
    assert [(records[it].cache_hit, records[it].batch_rows) for it in ids] == [(False, 1), (True, 0)]


def test_a_restarted_gateway_finds_answers_in_redis(served: RunningGateway) -> None:
    for value in range(20):
        ask(served, value)
    wait_until(lambda: "headrace_cache_stored_total 20" in served.http.get("/metrics").text, "the answers to be stored")
    assert served.stop() == 0
    served.start()
    # a look-up that is late because this machine is busy is a miss, and then another value must be asked for
    found = [ask(served, value).headers["x-headrace-cache"] for value in range(20)].count("hit")
    assert samples(served, "headrace_cache_requests_total")["redis"] == found > 0


def test_a_new_revision_has_answers_of_its_own(served: RunningGateway) -> None:
    ask(served, 1)
    model = store_model(served.artifacts, sum_model(served.directory / "sum.onnx"))
    newer = cached(revision(model, version=2))
    served.publish(deployment("sum", newer, deployment_id=DEPLOYMENT))
    wait_until(lambda: ask(served, 3).json()["model_version"] == "2", "the new revision")
    assert ask(served, 1).headers["x-headrace-cache"] == "miss"


def test_a_redeployment_loses_no_request_that_waits_for_redis(served: RunningGateway) -> None:
    model = store_model(served.artifacts, sum_model(served.directory / "sum.onnx"))
    with hammering(served) as calls:
        for version in range(2, 8):
            served.publish(deployment("sum", cached(revision(model, version), ttl_s=0.1), deployment_id=DEPLOYMENT))
            wait_until(lambda it=version: served.infer().json()["model_version"] == str(it), "the next revision")
            calls.wait_for_more(5)
    assert calls.failures == []
    assert set(calls.statuses) == {200}


def test_redis_may_stall_and_go(served: RunningGateway) -> None:
    with hammering(served) as calls:
        with served.valkey.stalled():
            calls.wait_for_more(50)
        served.valkey.kill()
        calls.wait_for_more(50)
        served.valkey.start()
        calls.wait_for_more(50)
    assert calls.failures == []
    assert set(calls.statuses) == {200}
    assert served.infer().json()["outputs"][0]["data"] == [sum(ROW)]
