"""The metrics of a server of one model: its calls by both protocols, as Prometheus reads them."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from serving.alone import application
from serving.grpc.single import SingleModel
from serving.metrics import DURATION_BUCKETS_US, PROMETHEUS, STAGES, Metrics
from tests import models
from tests.serving.conftest import Dial, Load, Serve
from tests.serving.grpc.conftest import Channels, ListenGrpc
from tests.serving.grpc.hosts import infer_request, unary
from tests.serving.wire import get, post

PROMTOOL: Final = shutil.which("promtool") or str(Path(__file__).parents[3] / ".tools" / "promtool")
OF_MODEL: Final = (("model", "sum"), ("version", "1"))
ROWS: Final = [[1.0, 2.0, 3.0, 4.0]] * 3


async def test_calls_by_both_protocols_are_counted(
    load: Load, serve: Serve, dial: Dial, listen: ListenGrpc, dial_grpc: Channels
) -> None:
    model = load(models.sum_model)
    metrics = Metrics(model)
    wire = await dial(await serve(application(model, 10_000, metrics)))
    await unary(dial_grpc(await listen(SingleModel(model, metrics.count))), "ModelInfer", infer_request())
    inputs = [{"name": "x", "shape": [3, 4], "datatype": "FP32", "data": ROWS}]
    assert (await wire.ask(post("/v2/models/sum/infer", json.dumps({"inputs": inputs}).encode()))).status == 200
    assert (await wire.ask(post("/v2/models/sum/infer", b"{"))).status == 400
    reply = await wire.ask(get("/metrics"))
    assert reply.headers["content-type"] == PROMETHEUS.decode()
    page = reply.body.decode()
    found = {
        (it.name, tuple(sorted(it.labels.items()))): it.value
        for family in text_string_to_metric_families(page)
        for it in family.samples
    }
    assert found["headrace_inference_requests_total", (OF_MODEL[0], ("status_class", "2xx"), OF_MODEL[1])] == 2
    assert found["headrace_inference_requests_total", (OF_MODEL[0], ("status_class", "4xx"), OF_MODEL[1])] == 1
    assert found["headrace_inference_rows_total", OF_MODEL] == 4
    assert found["headrace_inference_batches_total", OF_MODEL] == 2
    assert found["headrace_inference_batch_rows_sum", OF_MODEL] == 4
    assert found["headrace_inference_batch_rows_bucket", (("le", "1"), *OF_MODEL)] == 1
    assert found["headrace_inference_in_flight", OF_MODEL] == 0
    for stage in STAGES:
        labels = (OF_MODEL[0], ("stage", stage), OF_MODEL[1])
        assert found["headrace_inference_duration_seconds_count", labels] == 3
        assert [it for (name, them), it in found.items() if name.endswith("seconds_bucket") and ("stage", stage) in them][-1] == 3
    assert found["headrace_inference_duration_seconds_sum", (OF_MODEL[0], ("stage", "total"), OF_MODEL[1])] > 0
    assert (DURATION_BUCKETS_US[0], DURATION_BUCKETS_US[-1]) == (50, 60_000_000)
    assert await asyncio.to_thread(promtool_says, page) == "", "run `make setup` if promtool is missing"


def promtool_says(page: str) -> str:
    """What it finds wrong."""
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    return f"{checked.stdout}{checked.stderr}" if checked.returncode == 0 else f"failed: {checked.stdout}{checked.stderr}"
