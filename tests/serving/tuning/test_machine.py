"""What is known of the machine."""

import os
from pathlib import Path

import pytest

from serving.tuning import machine


@pytest.fixture
def quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a container's quota stands."""
    monkeypatch.setattr(machine, "CPU_QUOTA", tmp_path / "cpu.max")
    return tmp_path / "cpu.max"


@pytest.mark.parametrize(
    ("text", "expected"), [("max 100000", 64), ("150000 100000", 2), ("50000 100000", 1), ("nonsense", 64), (None, 64)]
)
def test_a_containers_quota_bounds_the_cores(
    quota: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, expected: int
) -> None:
    def affinity(_pid: int) -> set[int]:
        return set(range(64))

    monkeypatch.setattr(os, "sched_getaffinity", affinity)
    if text is not None:
        quota.write_text(text)
    assert machine.cores.__wrapped__() == expected


def test_a_hop_takes_some_time() -> None:
    assert 0.5 < machine.hop_us() < 100_000


def test_processors_are_told_apart_by_what_they_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    for flags in ("avx2", "avx2 avx512f"):
        (tmp_path / flags).write_text(f"model name\t: one\nflags\t\t: {flags}\nmodel name\t: one\nbogomips\t: 1\n")
        monkeypatch.setattr(machine, "CPU_DESCRIPTION", tmp_path / flags)
        seen.add(machine.describe_cpu.__wrapped__())
    monkeypatch.setattr(machine, "CPU_DESCRIPTION", tmp_path / "none")
    assert len(seen | {machine.describe_cpu.__wrapped__()}) == 3
