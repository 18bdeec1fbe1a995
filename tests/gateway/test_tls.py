"""The gateway over TLS, as a process."""

import signal

import httpx
import pytest

from tests.certificates import Files, issue, trusting
from tests.gateway.running import ROW, RunningGateway, body
from tests.gateway.tables import authorization, deployment, revision, store_model
from tests.models import sum_model
from tests.services import wait_until


@pytest.fixture
def files(gateway: RunningGateway) -> Files:
    """A certificate; the gateway, not started, has the deployment `sum`."""
    model = store_model(gateway.artifacts, sum_model(gateway.directory / "sum.onnx"))
    gateway.publish(deployment("sum", revision(model)))
    return issue(gateway.directory)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_gateway_answers_over_tls_and_ends_in_order(gateway: RunningGateway, files: Files, workers: int) -> None:
    gateway.launch(workers=workers, **files.settings)
    with httpx.Client(base_url=f"https://127.0.0.1:{gateway.port}", verify=trusting(), trust_env=False, timeout=10) as client:
        wait_until(lambda: is_ready(client), f"the gateway to be ready: {gateway.output()[-2000:]}")
        for _ in range(3):
            answer = client.post("/v2/models/sum/infer", json=body(ROW), headers=authorization())
            assert answer.json()["outputs"][0]["data"] == [10.0]
        with pytest.raises(httpx.TransportError):
            gateway.infer()  # plain HTTP
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(10) == 0


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tls_key": ""}, "HEADRACE_TLS_KEY is not set"),
        ({"tls_certificate": "/nowhere/certificate.pem"}, "/nowhere/certificate.pem cannot be read: No such file"),
    ],
)
def test_a_certificate_that_will_not_do_stops_the_start(
    gateway: RunningGateway, files: Files, changes: dict[str, str], reason: str
) -> None:
    for workers in (1, 2):
        process = gateway.launch(workers=workers, **files.settings | changes)
        assert process.wait(20) == 2
    assert gateway.output().count(reason) == 2
    assert "Traceback" not in gateway.output()
