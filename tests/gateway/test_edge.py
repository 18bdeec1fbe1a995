"""What only a defect brings about, on an edge without a process around it."""

from typing import Any, cast
from uuid import UUID

import pytest

from contracts.routes import Artifact, RouteTable
from contracts.workers import RevisionState
from gateway import edge as edges
from gateway.edge import Edge
from gateway.endpoints import Endpoint, Placement
from gateway.log_records import Entry
from gateway.routing import Routes
from gateway.traffic import Traffic
from serving.http import Exchange
from serving.models import Model
from tests.gateway.tables import authorization, deployment, key, revision


class Connection:
    """A client that keeps what it was answered."""

    def __init__(self) -> None:
        self.state: Any = None
        self.status = 0

    def send(self, _: Exchange, status: int, *__: object) -> None:
        self.status = status


def break_down(*_: object) -> None:
    raise ZeroDivisionError


def test_a_defect_is_500_in_the_log_and_in_the_counts(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    wanted = revision(Artifact("0" * 64, 1))
    table = RouteTable(1, (deployment("sum", wanted, deployment_id=UUID(int=5)),), (key(),))
    traffic, entries, endpoint, connection = Traffic(), list[Entry](), Endpoint(), Connection()
    placement = Placement(table.deployments[0], wanted, traffic.counts_of(UUID(int=5), 1))
    placement.state, placement.model = RevisionState.READY, cast("Model", object())
    endpoint.wanted = (placement,)
    endpoint.settle()
    edge = Edge(traffic, entries.append, 1 << 20, lambda: (True, b""), lambda: b"")
    edge.routes = Routes(table, {UUID(int=5): endpoint})
    monkeypatch.setattr(edges, "answer_model", break_down)
    headers = {b"authorization": authorization()["Authorization"].encode()}
    edge.answer(Exchange(cast("Any", connection), b"POST", b"/v2/models/sum/infer", headers, b"", True, 0))
    assert connection.status == 500
    assert [(it.status, it.error_code) for it in entries] == [(500, "ZeroDivisionError")]
    assert placement.counts.by_class[5] == 1
    assert "ZeroDivisionError" in caplog.text
