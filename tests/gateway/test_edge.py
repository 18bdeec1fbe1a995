"""What only a defect brings about, on an edge without a process around it."""

from typing import Any, cast
from uuid import UUID

import pytest

from contracts.routes import Artifact, RouteTable
from gateway.edge import Edge
from gateway.endpoints import Endpoint, Placement
from gateway.inference import Inference
from gateway.log_records import Entry
from gateway.routing import Routes
from gateway.traffic import Traffic
from serving.http import Exchange, Head
from serving.models import Model
from tests.gateway.tables import authorization, deployment, key, revision


class Connection:
    """A client that keeps what it was answered."""

    address = ""
    memo: object = None

    def __init__(self) -> None:
        self.status = 0

    def send(self, _: Exchange, status: int, *__: object) -> None:
        self.status = status


class Broken:
    """A model with a defect."""

    name = "sum"

    @property
    def decoder(self) -> object:
        raise ZeroDivisionError

    def submit(self, *_: object) -> None:
        raise AssertionError("nothing was decoded")


async def no_metrics() -> list[bytes]:
    return []


def refuse_all(*_: object) -> None:
    """No repository here."""
    raise AssertionError("nobody asked for the repository")


def test_a_defect_is_500_in_the_log_and_in_the_counts(caplog: pytest.LogCaptureFixture) -> None:
    wanted = revision(Artifact("0" * 64, 1))
    table = RouteTable(1, (deployment("sum", wanted, deployment_id=UUID(int=5)),), (key(),))
    traffic, entries, endpoint, connection = Traffic(), list[Entry](), Endpoint(), Connection()
    placement = Placement(table.deployments[0], wanted, traffic.counts_of(UUID(int=5), 1))
    broken = cast("Model", Broken())
    placement.serve(broken, broken.submit)
    endpoint.wanted = (placement,)
    endpoint.settle()
    inference = Inference(traffic, lambda entry, _: entries.append(entry))
    inference.routes = Routes(table, {UUID(int=5): endpoint})
    edge = Edge(inference, 1 << 20, lambda: (True, b""), no_metrics, refuse_all, lambda caller, _: caller.token)
    headers = {b"authorization": authorization()["Authorization"].encode(), b"content-length": b"0"}
    head = Head(b"POST", b"/v2/models/sum/infer", headers, keeps_alive=True)
    edge.answer(Exchange(cast("Any", connection), head, b"", 0))
    assert connection.status == 500
    assert [it[4:6] for it in entries] == [(500, "CallFailed")]
    assert placement.counts.by_class[5] == 1
    assert "ZeroDivisionError" in caplog.text
