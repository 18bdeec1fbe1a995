"""A large model comes and goes beside a small one that is being called: nobody is held up, and its memory comes back."""

import time

import psutil

from contracts.workers import RevisionState
from tests.gateway.running import RunningGateway, body
from tests.gateway.tables import authorization, deployment, revision, store_model
from tests.models import linear_model, sum_model
from tests.services import wait_until

WIDTH = 5000
MODEL_BYTES = 4 * WIDTH * WIDTH


def ready(gateway: RunningGateway, models: int) -> bool:
    """Whether so many are loaded, and no other is known."""
    status = gateway.status()
    return status is not None and [it.state for it in status.revisions] == [RevisionState.READY] * models


def rss(gateway: RunningGateway) -> int:
    return psutil.Process(gateway.process.pid).memory_info().rss


def test_a_large_model_comes_and_goes_unnoticed(gateway: RunningGateway) -> None:
    small = deployment("sum", revision(store_model(gateway.artifacts, sum_model(gateway.directory / "sum.onnx"))))
    large = revision(store_model(gateway.artifacts, linear_model(gateway.directory / "large.onnx", WIDTH, WIDTH)))
    gateway.publish(small)
    gateway.start()
    wait_until(lambda: ready(gateway, 1), "the small model")
    before = rss(gateway)
    for _ in range(3):
        gateway.publish(small, deployment("large", large))
        began, longest_s = time.monotonic(), 0.0
        while not ready(gateway, 2):
            asked = time.monotonic()
            assert gateway.infer().status_code == 200
            longest_s = max(longest_s, time.monotonic() - asked)
            assert asked < began + 60
        took_s = time.monotonic() - began
        assert longest_s < max(took_s / 3, 0.1), f"a call took {longest_s} s of the {took_s} s that loading did"
        assert rss(gateway) > before + MODEL_BYTES * 0.9
        row = body([1.0] * WIDTH)
        assert gateway.http.post("/v2/models/large/infer", json=row, headers=authorization()).status_code == 200
        gateway.publish(small)
        wait_until(lambda: rss(gateway) < before + MODEL_BYTES * 0.35, "the memory to come back", 30)
    assert gateway.infer().status_code == 200
