"""The page of metrics: what Prometheus' checker says, sums over workers, counters that never go back, and the loop's turns."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from contracts.routes import Cache, RevisionSettings
from gateway import siblings
from gateway.exposition import SLICE_S, paced, render
from gateway.metric_families import FAMILIES, Series
from gateway.siblings import FILE_NAME, STALE_S, Siblings
from gateway.traffic import Counts
from serving.batch_statistics import Statistics
from serving.batches import Batch
from tests.gateway.running import RunningGateway
from tests.gateway.tables import deployment, revision, store_model
from tests.models import sum_model
from tests.services import wait_until

PROMTOOL: Final = shutil.which("promtool") or str(Path(__file__).parents[2] / ".tools" / "promtool")
PROJECT: Final = ("o", "p")
ROWS: Final = "headrace_inference_rows_total"
DURATION: Final = "headrace_inference_duration_seconds"

NUMBERS: Final = st.integers(0, 1 << 40).map(float)
TEXTS: Final = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), max_size=8)


@st.composite
def pages(draw: st.DrawFn) -> list[Series]:
    """Series of any families, none twice."""
    found: dict[tuple[str, tuple[str, ...]], Series] = {}
    for name in draw(st.lists(st.sampled_from(sorted(FAMILIES)), max_size=8)):
        family = FAMILIES[name]
        labels = tuple(draw(TEXTS) for _ in range(len(family.labels) + family.is_per_worker))
        count = len(family.bounds) + 2 if family.kind == "histogram" else 1
        found[name, labels] = Series(name, labels, draw(st.lists(NUMBERS, min_size=count, max_size=count)))
    return list(found.values())


@given(pages())
def test_a_page_is_read_as_it_was_meant(series: list[Series]) -> None:
    text = b"".join(asyncio.run(render(series))).decode()
    samples = {
        (it.name, frozenset(it.labels.items())): it.value
        for family in text_string_to_metric_families(text)
        for it in family.samples
    }
    expected = dict(_samples(series))
    assert samples == expected


def _samples(series: list[Series]) -> Iterator[tuple[tuple[str, frozenset[tuple[str, str]]], float]]:
    for it in series:
        family = FAMILIES[it.family]
        labels = dict(zip((*family.labels, *("worker",) * family.is_per_worker), it.labels, strict=True))
        if family.kind != "histogram":
            yield (it.family, frozenset(labels.items())), it.values[0]
            continue
        *counts, total = it.values
        for bound, number in zip((*family.bounds, float("inf")), range(1, len(counts) + 1), strict=True):
            le = "+Inf" if bound == float("inf") else str(int(bound)) if bound.is_integer() else repr(bound)
            yield (f"{it.family}_bucket", frozenset((labels | {"le": le}).items())), sum(counts[:number])
        yield (f"{it.family}_sum", frozenset(labels.items())), total
        yield (f"{it.family}_count", frozenset(labels.items())), sum(counts)


def test_promtool_finds_nothing_to_say(gateway: RunningGateway, short_tmp: Path) -> None:
    served = revision(store_model(gateway.artifacts, sum_model(short_tmp / "sum.onnx")))
    settings = RevisionSettings(cache=Cache(), max_concurrency=10)
    gateway.publish(deployment("sum", msgspec.structs.replace(served, settings=settings)))
    gateway.start(workers=2)
    gateway.infer()
    gateway.infer("nobody")
    wait_until(lambda: f'{DURATION}_count{{organization_id="' in gateway.http.get("/metrics").text, "a request's stages")
    page = gateway.http.get("/metrics").text
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), "run `make setup` if promtool is missing"
    shown = {it.split()[2] for it in page.splitlines() if it.startswith("# TYPE")}
    assert shown == FAMILIES.keys()


class Numbers:
    """One worker's, of deployments each with some rows."""

    def __init__(self, home: Path, **rows: float) -> None:
        home.mkdir(exist_ok=True)
        self.rows, self._name = rows, home.name
        self.siblings = Siblings(home)

    async def collect(self) -> list[Series]:
        rows = [Series(ROWS, (*PROJECT, name, "1"), [it]) for name, it in self.rows.items()]
        return [*rows, Series("headrace_gateway_connections", (), [1]), Series("headrace_routes_version", (self._name,), [7])]

    async def page(self) -> dict[tuple[str, str], float]:
        """The sum, by family and deployment."""
        found = await self.siblings.sum(self.collect)
        return {(it.family, "".join(it.labels[2:3] if it.family == ROWS else it.labels)): it.values[0] for it in found}


async def test_workers_are_summed(tmp_path: Path) -> None:
    one, other = Numbers(tmp_path / "worker-0", a=1, b=2), Numbers(tmp_path / "worker-1", a=10, b=20)
    await one.page()
    page = await other.page()
    assert (page[ROWS, "a"], page[ROWS, "b"]) == (11, 22)
    assert page["headrace_gateway_connections", ""] == 2
    assert page["headrace_routes_version", "worker-0"] == page["headrace_routes_version", "worker-1"] == 7


async def test_a_worker_that_is_gone_still_counts_and_has_no_gauges(tmp_path: Path) -> None:
    one, gone = Numbers(tmp_path / "worker-0", a=1), Numbers(tmp_path / "worker-1", a=10)
    await gone.page()
    long_ago = time.time() - STALE_S - 1
    os.utime(tmp_path / "worker-1" / FILE_NAME, (long_ago, long_ago))
    page = await one.page()
    assert (page[ROWS, "a"], page["headrace_gateway_connections", ""]) == (11, 1)


async def test_a_worker_goes_on_from_what_was_counted_in_its_folder(tmp_path: Path) -> None:
    await Numbers(tmp_path / "worker-0", a=5).page()
    again = Numbers(tmp_path / "worker-0", a=1)
    assert (await again.page())[ROWS, "a"] == 6
    assert (await again.page())[ROWS, "a"] == 6
    assert (await Numbers(tmp_path / "worker-0", a=0).page())[ROWS, "a"] == 6


async def test_what_is_shown_is_on_disk(tmp_path: Path) -> None:
    worker = Numbers(tmp_path / "worker-0", a=5)
    shown = await worker.page()
    worker.rows["a"] = 9  # and it is killed before it tells anybody
    assert (await Numbers(tmp_path / "worker-0", a=0).page())[ROWS, "a"] == shown[ROWS, "a"]


async def test_a_deployment_that_is_gone_is_shown_no_more(tmp_path: Path) -> None:
    await Numbers(tmp_path / "worker-1", gone=1, a=1).page()
    worker = Numbers(tmp_path / "worker-0", gone=1, a=1)
    await worker.page()
    del worker.rows["gone"]
    assert [name for family, name in await worker.page() if family == ROWS] == ["a"]
    assert b"gone" not in (tmp_path / "worker-0" / FILE_NAME).read_bytes()


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"nonsense",
        msgspec.msgpack.encode([("headrace_removed_total", ("x",), [1])]),
        msgspec.msgpack.encode([(ROWS, ("too", "few"), [1])]),
        msgspec.msgpack.encode([(DURATION, (*PROJECT, "a", "total"), [1, 2, 3])]),
    ],
)
async def test_numbers_of_another_version_are_passed_over(tmp_path: Path, blob: bytes) -> None:
    for name in ("worker-0", "worker-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / FILE_NAME).write_bytes(blob)
    assert (await Numbers(tmp_path / "worker-0", a=1).page())[ROWS, "a"] == 1


async def test_a_disk_that_refuses_is_no_reason_not_to_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, blob: bytes) -> None:
        raise OSError("no space")

    monkeypatch.setattr(siblings, "_replace", refuse)
    assert (await Numbers(tmp_path / "worker-0", a=1).page())[ROWS, "a"] == 1


async def test_a_large_page_leaves_turns_to_everybody_else() -> None:
    """200 deployments with two versions each: about 30,000 lines."""
    series = [
        Series(DURATION, (*PROJECT, f"d{number}", stage), [1.0] * (len(FAMILIES[DURATION].bounds) + 2))
        for number in range(200)
        for stage in ("queue", "preprocess", "infer", "postprocess", "total")
    ]
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    spent = time.process_time()
    page = b"".join(await render(series))
    spent = time.process_time() - spent
    task.cancel()
    assert page.count(b"\n") == 2 + 1000 * (len(FAMILIES[DURATION].bounds) + 3)
    assert turns > 3, f"{spent} s without a turn"


async def test_pacing_loses_nothing() -> None:
    assert [it async for it in paced(range(1000))] == list(range(1000))
    assert SLICE_S <= 0.002


def test_runs_are_counted_over_models_that_come_and_go() -> None:
    def ran(statistics: Statistics, *rows: int) -> Statistics:
        for it in rows:
            statistics.add_batch(Batch([], it, started_ns=1, run_ns=1), 1, 0)
        return statistics

    counts = Counts()
    first, second = ran(Statistics(), 1, 8), ran(Statistics(), 3, 200)
    counts.begin(first)
    counts.begin(second)
    before = counts.runs()
    counts.end(first)
    after = counts.runs()
    assert (before.counts, before.sum) == (after.counts, after.sum)
    assert after.sum == 212
    assert dict(zip((*after.bounds, None), after.counts, strict=True)) == dict.fromkeys(after.bounds, 0) | {
        1: 1,
        4: 1,
        8: 1,
        256: 1,
        None: 0,
    }
