"""Workers are replaced, and end, without a request being lost."""

import os
import signal
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from contracts.routes import Artifact
from tests.gateway.hammer import hammering
from tests.gateway.running import ROW, RunningGateway, body
from tests.gateway.tables import authorization, deployment, revision, store_model
from tests.models import slow_model, sum_model
from tests.services import wait_until


@pytest.fixture
def summing(gateway: RunningGateway, short_tmp: Path) -> Artifact:
    return store_model(gateway.artifacts, sum_model(short_tmp / "sum.onnx"))


def workers_of(gateway: RunningGateway) -> set[int]:
    """Pids of the processes below the parent."""
    children = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text()
    return {int(it) for it in children.split()}


def said(gateway: RunningGateway, words: str, times: int = 1) -> Callable[[], bool]:
    return lambda: gateway.output().count(words) >= times


@pytest.mark.parametrize("settings", [{"workers": 2}, {"restartable": True}], ids=["two workers", "one with a parent"])
def test_a_restart_loses_no_request(gateway: RunningGateway, summing: Artifact, settings: dict[str, object]) -> None:
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start(**settings)
    before = workers_of(gateway)
    with hammering(gateway) as calls:
        for round_number in (1, 2):
            gateway.process.send_signal(signal.SIGHUP)
            wait_until(said(gateway, "all workers are replaced", round_number), "the new workers", 60)
            calls.wait_for_more(20)
    assert calls.failures == []
    assert set(calls.statuses) == {200}
    wait_until(lambda: len(workers_of(gateway)) == len(before), "the old workers to have ended")
    assert not before & workers_of(gateway)
    assert gateway.stop() == 0


def test_a_worker_told_to_end_loses_no_client(gateway: RunningGateway, summing: Artifact) -> None:
    """(One that connects in the very moment in which its socket ends may be reset: only a restart keeps the socket.)"""
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start(workers=2)
    wait_until(said(gateway, "listens on port", 2), "the other worker")
    with hammering(gateway, keep_alive=True) as calls:
        ended = min(workers_of(gateway))
        os.kill(ended, signal.SIGTERM)
        wait_until(lambda: ended not in workers_of(gateway), "its end")
        calls.wait_for_more(20)
    assert calls.failures == []
    assert set(calls.statuses) == {200}


def test_what_has_begun_when_the_end_comes_is_answered(gateway: RunningGateway, short_tmp: Path) -> None:
    slow = store_model(gateway.artifacts, slow_model(short_tmp / "slow.onnx"))
    gateway.publish(deployment("slow", revision(slow)))
    gateway.start()
    content = b'{"inputs":[{"name":"x","shape":[1,600],"datatype":"FP32","data":[%s]}]}' % b",".join([b"1"] * 600)
    request = b"POST /v2/models/slow/infer HTTP/1.1\r\nauthorization: %s\r\ncontent-length: %d\r\n\r\n" % (
        authorization()["Authorization"].encode(),
        len(content),
    )
    clients = [socket.create_connection(("127.0.0.1", gateway.port), 20) for _ in range(8)]
    for client in clients:
        client.sendall(request + content)
    gateway.process.send_signal(signal.SIGTERM)
    answers = [read_all(it) for it in clients]
    assert [it[:15] for it in answers] == [b"HTTP/1.1 200 OK"] * 8
    assert gateway.process.wait(20) == 0


def read_all(client: socket.socket) -> bytes:
    with closing(client):
        pieces: list[bytes] = []
        with suppress(ConnectionResetError):
            while piece := client.recv(65536):
                pieces.append(piece)
        return b"".join(pieces)


def test_a_successor_that_cannot_serve_changes_nothing(gateway: RunningGateway, summing: Artifact) -> None:
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start(restartable=True)
    before = workers_of(gateway)
    folder = gateway.data / "gateway" / "worker-1"
    folder.mkdir()
    (folder / "lock").mkdir()  # so that its process ends at once
    with hammering(gateway, clients=2) as calls:
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(said(gateway, "could not take over"), "the failure")
        calls.wait_for_more(20)
    assert calls.failures == []
    assert workers_of(gateway) == before
    (folder / "lock").rmdir()
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(said(gateway, "all workers are replaced"), "the new worker", 60)
    assert not before & workers_of(gateway)


def test_a_worker_that_crashes_while_it_is_replaced_has_one_successor(gateway: RunningGateway, summing: Artifact) -> None:
    """Not two: the one that was to replace it, and the one that is started because it crashed."""
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start(restartable=True)
    (crashing,) = workers_of(gateway)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(workers_of(gateway)) == 2, "its successor")
    os.kill(crashing, signal.SIGKILL)
    wait_until(said(gateway, "all workers are replaced"), "the new worker", 60)
    wait_until(lambda: len(workers_of(gateway)) == 1, "the other to have ended")
    assert gateway.infer().status_code == 200
    assert gateway.stop() == 0


def test_the_end_in_the_middle_of_a_restart_leaves_nobody(gateway: RunningGateway, summing: Artifact) -> None:
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start(workers=2)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(workers_of(gateway)) == 3, "the first successor")
    pids = workers_of(gateway)
    assert gateway.stop() == 0
    assert not any(Path(f"/proc/{it}").exists() for it in pids)


def test_one_worker_without_a_parent_passes_a_restart_over(gateway: RunningGateway, summing: Artifact) -> None:
    gateway.publish(deployment("sum", revision(summing)))
    gateway.start()
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(said(gateway, "HEADRACE_RESTARTABLE"), "the advice")
    assert gateway.http.post("/v2/models/sum/infer", json=body(ROW), headers=authorization()).status_code == 200
