"""What breaks around a gateway while it is called: predictions go on, and the log loses nothing."""

import os
import resource
import signal
import socket
from contextlib import closing
from pathlib import Path
from uuid import UUID

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contracts.routes import Artifact, Batching
from contracts.workers import RevisionState, RevisionStatus
from tests.gateway.breakable import BreakableValkey
from tests.gateway.running import ROW, Calls, RunningGateway, body, seconds_until
from tests.gateway.tables import authorization, deployment, key, revision, store_model
from tests.models import linear_model, sum_model
from tests.services import wait_until


@pytest.fixture
def summing(gateway: RunningGateway, tmp_path: Path) -> Artifact:
    """The stored sum model."""
    return store_model(gateway.artifacts, sum_model(tmp_path / "sum.onnx"))


@pytest.fixture
def linear(gateway: RunningGateway, tmp_path: Path) -> Artifact:
    """Another stored model with the same input and other answers."""
    return store_model(gateway.artifacts, linear_model(tmp_path / "linear.onnx"))


def reported(gateway: RunningGateway, revision_id: UUID) -> RevisionStatus | None:
    """What the worker last reported of a revision."""
    status = gateway.status()
    return next((it for it in status.revisions if it.revision_id == revision_id), None) if status else None


def ids(calls: Calls) -> set[bytes]:
    return {UUID(it).bytes for it in calls.request_ids}


def test_redis_may_die_and_return_without_an_error_or_a_lost_record(
    gateway: RunningGateway, valkey: BreakableValkey, summing: Artifact
) -> None:
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start()
    with Calls(gateway) as calls:
        calls.wait_for_more(50)
        valkey.kill()
        calls.wait_for_more(200)
        assert gateway.is_ready()
        assert gateway.http.get("/health/ready").json()["dependencies"]["redis"]["state"] == "down"
        valkey.start()
        calls.wait_for_more(50)
    assert (list(calls.statuses), calls.failures) == ([200], [])
    wait_until(lambda: not dropped(gateway) and spilled(gateway) == 0, "the replay")
    assert gateway.stop() == 0
    # Valkey writes its file once a second: what it took in its last second it may have lost itself
    kept = {it.request_id for it in gateway.records()}
    after_the_kill = [UUID(it).bytes for it in calls.request_ids[-250:]]
    assert kept.issuperset(after_the_kill)
    assert sum(it.lost for it in gateway.batches()) == 0


def test_a_gateway_killed_without_redis_comes_back_from_its_disk(
    gateway: RunningGateway, valkey: BreakableValkey, summing: Artifact
) -> None:
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start()
    wait_until((gateway.data / "gateway" / "routes.msgpack").exists, "the kept table")
    valkey.kill()
    with Calls(gateway) as calls:
        wait_until(lambda: spilled(gateway) > 0, "the spill")
    wait_until(lambda: ring_depth(gateway) == 0, "an empty ring")
    gateway.kill()
    gateway.start()
    answer = gateway.infer()
    assert (answer.status_code, answer.json()["outputs"][0]["data"]) == (200, [10.0])
    assert gateway.infer(headers=authorization(secret="wrong")).status_code == 401
    valkey.start()
    expected = ids(calls) | {UUID(answer.headers["x-request-id"]).bytes}
    wait_until(lambda: {it.request_id for it in gateway.records()} == expected, "every record of both lives")


def test_a_new_revision_takes_over_under_load_without_a_failed_call(
    gateway: RunningGateway, summing: Artifact, linear: Artifact
) -> None:
    first, second = deployment("sum", revision(summing)), revision(linear, version=2)
    gateway.publish(first)
    gateway.start()
    with Calls(gateway) as calls:
        calls.wait_for_more(20)
        gateway.publish(deployment("sum", second, deployment_id=first.deployment_id))
        wait_until(lambda: len(calls.values) == 2, "answers of the new model")
        for number in range(3, 9):
            swapped = deployment("sum", revision((summing, linear)[number % 2], number), deployment_id=first.deployment_id)
            version = gateway.publish(swapped)
            wait_until(lambda version=version: is_serving_only(gateway, version), "the swap")
        calls.wait_for_more(20)
    assert (list(calls.statuses), calls.failures) == ([200], [])
    assert set(calls.values) > {10.0}


def test_a_revision_that_does_not_load_leaves_the_old_one_serving(
    gateway: RunningGateway, summing: Artifact, tmp_path: Path
) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model at all")
    broken = revision(store_model(gateway.artifacts, tmp_path / "broken.onnx"), version=2)
    good = deployment("sum", revision(summing))
    gateway.publish(good)
    gateway.start()
    gateway.publish(deployment("sum", broken, deployment_id=good.deployment_id))
    wait_until(lambda: state(gateway, broken.revision_id) is RevisionState.FAILED, "the failure")
    found = reported(gateway, broken.revision_id)
    assert found is not None
    assert found.error
    assert state(gateway, good.revisions[0].revision_id) is RevisionState.READY
    assert gateway.infer().json()["model_version"] == "1"
    assert gateway.http.get("/v2/models/sum/versions/2/ready", headers=authorization()).status_code == 503


def test_a_deployment_whose_only_revision_fails_says_why(gateway: RunningGateway, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model at all")
    gateway.publish(deployment("sum", revision(store_model(gateway.artifacts, tmp_path / "broken.onnx"))))
    gateway.start()
    answer = gateway.infer()
    assert (answer.status_code, "does not serve" in answer.json()["error"]) == (503, True)
    assert "retry-after" in answer.headers
    wait_until(lambda: [it.status for it in gateway.records()] == [503], "the record")


def test_damaged_bytes_never_serve_and_are_tried_for_again(gateway: RunningGateway, summing: Artifact) -> None:
    (stored,) = (it for it in gateway.artifacts.rglob(summing.digest))
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-1] + b"?")
    wanted = revision(summing)
    gateway.publish(deployment("sum", wanted))
    gateway.start()
    wait_until(lambda: state(gateway, wanted.revision_id) is RevisionState.FAILED, "the failure")
    found = reported(gateway, wanted.revision_id)
    assert found is not None
    assert "damaged" in found.error
    assert gateway.infer().status_code == 503
    stored.write_bytes(whole)
    wait_until(lambda: state(gateway, wanted.revision_id) is RevisionState.READY, "the next try", timeout_s=40)
    assert gateway.infer().status_code == 200


def test_a_revoked_key_is_refused_within_a_second_on_an_open_connection(gateway: RunningGateway, summing: Artifact) -> None:
    served = deployment("sum", revision(summing))
    gateway.publish(served)
    gateway.start()
    assert gateway.infer().status_code == 200
    gateway.publish(served, keys=(key("anotherkey12"),))
    assert seconds_until(lambda: gateway.infer().status_code == 401, "the refusal") < 1
    assert gateway.infer(headers=authorization("anotherkey12")).status_code == 200


def test_a_removed_deployment_is_gone_and_its_memory_let_go(gateway: RunningGateway, summing: Artifact, linear: Artifact) -> None:
    staying, leaving = deployment("sum", revision(summing)), deployment("linear", revision(linear))
    gateway.publish(staying, leaving)
    gateway.start()
    assert gateway.infer("linear").status_code == 200
    version = gateway.publish(staying)
    wait_until(lambda: is_serving_only(gateway, version), "the removal")
    assert gateway.infer("linear").status_code == 404
    assert "linear (model tiny version 1) is let go" in gateway.output()


def test_traffic_is_split_by_weight(gateway: RunningGateway, summing: Artifact, linear: Artifact) -> None:
    gateway.publish(deployment("sum", revision(summing, 1, weight=80), revision(linear, 2, weight=20)))
    gateway.start()
    versions = [gateway.infer().json()["model_version"] for _ in range(300)]
    assert 25 < versions.count("2") < 110
    answer = gateway.http.get("/v2/models/sum/versions/2", headers=authorization())
    assert answer.json()["versions"] == ["2"]


def test_other_batching_is_a_new_revision_of_the_same_version(gateway: RunningGateway, summing: Artifact) -> None:
    first = deployment("sum", revision(summing))
    gateway.publish(first)
    gateway.start()
    slower = revision(summing, batching=Batching(max_delay_us=300_000))
    version = gateway.publish(deployment("sum", slower, deployment_id=first.deployment_id))
    wait_until(lambda: is_serving_only(gateway, version), "the swap")
    assert gateway.infer().elapsed.total_seconds() > 0.25
    samples = [it for family in text_string_to_metric_families(gateway.http.get("/metrics").text) for it in family.samples]
    assert len({(it.name, *sorted(it.labels.items())) for it in samples}) == len(samples)


def test_requests_under_way_are_answered_and_logged_before_the_end(gateway: RunningGateway, summing: Artifact) -> None:
    gateway.publish(deployment("sum", revision(summing, batching=Batching(max_delay_us=1_000_000))))
    gateway.start()
    with closing(socket.create_connection(("127.0.0.1", gateway.port), timeout=10)) as client:
        content = b'{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}'
        head = f"POST /v2/models/sum/infer HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n"
        secret = f"authorization: {authorization()['Authorization']}\r\n\r\n"
        client.sendall((head + secret).encode() + content)
        wait_until(lambda: in_flight(gateway) == 1, "the request to be under way")
        gateway.process.send_signal(signal.SIGTERM)
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert gateway.process.wait(8) == 0
    assert [it.status for it in gateway.records()] == [200]
    assert gateway.status() is None


def test_it_ends_in_time_with_redis_away_and_keeps_the_log(
    gateway: RunningGateway, valkey: BreakableValkey, summing: Artifact
) -> None:
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start()
    valkey.kill()
    gateway.infer()
    assert gateway.stop() == 0
    assert [it.stat().st_size > 0 for it in (gateway.data / "gateway").rglob("*.seg")] == [True]


def test_it_starts_before_redis_and_says_not_ready(gateway: RunningGateway, valkey: BreakableValkey, summing: Artifact) -> None:
    valkey.kill()
    gateway.launch()
    wait_until(lambda: listens(gateway.port), "the gateway to listen")
    answer = gateway.http.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert gateway.http.get("/health/live").status_code == 200
    assert gateway.http.get("/v2/health/ready").status_code == 503
    assert gateway.infer().status_code == 503
    valkey.start()
    gateway.publish(deployment("sum", revision(summing)))
    wait_until(gateway.is_ready, "the gateway to be ready")
    assert gateway.infer().status_code == 200


def test_few_file_handles_to_begin_with_are_no_bound_to_connections(gateway: RunningGateway) -> None:
    few, most = 256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    before = resource.prlimit(0, resource.RLIMIT_NOFILE, (few, most))
    try:
        gateway.launch(restartable=True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    gateway.publish()
    wait_until(gateway.is_ready, "the gateway to be ready")
    (worker,) = psutil.Process(gateway.process.pid).children()
    assert worker.rlimit(psutil.RLIMIT_NOFILE) == (most, most)


def test_a_taken_port_is_one_clear_line_and_status_3(gateway: RunningGateway) -> None:
    with closing(socket.socket()) as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        stranger.bind(("127.0.0.1", gateway.port))
        stranger.listen()
        for workers in (1, 2):
            assert gateway.launch(workers=workers).wait(20) == 3
    lines = gateway.output().splitlines()
    assert len(lines) == 2
    assert all(it.startswith(f"headrace gateway: port {gateway.port} is taken; ") for it in lines)


def test_a_wrong_setting_is_one_clear_line_and_status_2(gateway: RunningGateway) -> None:
    assert gateway.launch(workers=0).wait(20) == 2
    assert "HEADRACE_WORKERS" in gateway.output()
    assert len(gateway.output().splitlines()) == 1


def test_several_workers_share_the_port_and_a_killed_one_comes_back(gateway: RunningGateway, summing: Artifact) -> None:
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start(workers=2)
    wait_until(lambda: len(gateway.workers()) == 2, "two workers")
    assert gateway.process.pid not in {it.pid for it in gateway.workers()}
    victim = gateway.workers()[0]
    os.kill(victim.pid, signal.SIGKILL)
    wait_until(lambda: "starting it again" in gateway.output(), "its socket to be closed, and who waited there to be told")
    statuses = set[int]()

    def has_successor() -> bool:
        statuses.add(one_call(gateway))
        found = {it.worker_id: it for it in gateway.workers()}
        return len(found) == 2 and found[victim.worker_id].pid != victim.pid

    wait_until(has_successor, "its successor")
    assert statuses == {200}  # who is not ready yet leaves new connections to the other
    pids = [it.pid for it in gateway.workers()]
    assert gateway.stop() == 0
    assert not any(exists(it) for it in pids)


def test_one_scrape_shows_every_worker(gateway: RunningGateway, summing: Artifact) -> None:
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start(workers=2)
    calls = 30
    assert {one_call(gateway) for _ in range(calls)} == {200}
    wait_until(lambda: metric(gateway, "headrace_inference_requests_total") == calls, "all calls in one scrape")
    wait_until(lambda: metric(gateway, 'headrace_models{state="ready"') == 2, "both workers' models in one scrape")
    text = gateway.http.get("/metrics").text
    samples = [it for family in text_string_to_metric_families(text) for it in family.samples]
    assert len({(it.name, *sorted(it.labels.items())) for it in samples}) == len(samples)


def test_workers_do_not_outlive_their_parent(gateway: RunningGateway, summing: Artifact) -> None:
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start(workers=2)
    wait_until(lambda: len(gateway.workers()) == 2, "two workers")
    pids = [it.pid for it in gateway.workers()]
    gateway.kill()
    wait_until(lambda: not any(exists(it) for it in pids), "the workers to end")
    gateway.start()
    assert gateway.infer().status_code == 200


def one_call(gateway: RunningGateway) -> int:
    """Status of one call on a connection of its own, which any worker may get."""
    url = f"{gateway.url}/v2/models/sum/infer"
    return httpx.post(url, json=body(ROW), headers=authorization(), trust_env=False).status_code


def state(gateway: RunningGateway, revision_id: UUID) -> RevisionState | None:
    found = reported(gateway, revision_id)
    return found.state if found else None


def is_serving_only(gateway: RunningGateway, version: int) -> bool:
    """Whether the worker serves the table of `version`, all of it, and nothing besides."""
    status = gateway.status()
    return (
        status is not None
        and status.routes_version == version
        and len(status.revisions) == 1
        and status.revisions[0].state is RevisionState.READY
    )


def metric(gateway: RunningGateway, name: str) -> float:
    lines = gateway.http.get("/metrics").text.splitlines()
    return sum(float(it.rpartition(" ")[2]) for it in lines if it.startswith(name))


def spilled(gateway: RunningGateway) -> float:
    return metric(gateway, "headrace_log_spilled_records")


def dropped(gateway: RunningGateway) -> float:
    return metric(gateway, "headrace_log_dropped_total")


def ring_depth(gateway: RunningGateway) -> float:
    return metric(gateway, "headrace_log_ring_depth")


def in_flight(gateway: RunningGateway) -> float:
    return metric(gateway, "headrace_inference_in_flight")


def listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
