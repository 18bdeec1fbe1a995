"""Files that spare work, and may be missing, damaged or too many."""

import os
from pathlib import Path

import pytest

from contracts.workers import CurvePoint
from serving.tuning.store import Curve, Directory, name_of, read_curve, write_curve

CURVE = Curve((CurvePoint(1, 2, 3.5),), 1e9, 0.5)


def test_a_curve_comes_back_as_it_was(tmp_path: Path) -> None:
    directory = Directory(tmp_path / "curves", 1 << 20)
    assert read_curve(directory, "a") is None
    write_curve(directory, "a", CURVE)
    assert read_curve(directory, "a") == CURVE
    assert [it.name for it in (tmp_path / "curves").iterdir()] == ["a"]


def test_the_quickest_of_two_measurements_counts() -> None:
    earlier = Curve((CurvePoint(1, 1, 10.0), CurvePoint(2, 1, 20.0), CurvePoint(4, 1, 30.0)), 1e9, 0.5, is_disturbed=True)
    later = Curve((CurvePoint(1, 1, 12.0), CurvePoint(2, 1, 15.0), CurvePoint(1, 2, 8.0)), 2e9, 0.4)
    both = later.with_quickest_of(earlier)
    assert {(it.threads, it.rows): it.run_us for it in both.points} == {(1, 1): 10, (1, 2): 15, (1, 4): 30, (2, 1): 8}
    assert (both.measured_at, both.took_s, both.is_disturbed) == (2e9, 0.4, False)


@pytest.mark.parametrize("content", [b"", b"\x93\x01", b"no curve at all"])
def test_a_damaged_curve_is_none(tmp_path: Path, content: bytes) -> None:
    directory = Directory(tmp_path, 1 << 20)
    (tmp_path / "a").write_bytes(content)
    assert read_curve(directory, "a") is None


def test_a_directory_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    directory = Directory(tmp_path / "taken", 1 << 20)
    write_curve(directory, "a", CURVE)
    assert read_curve(directory, "a") is None


def test_the_longest_unused_files_make_room(tmp_path: Path) -> None:
    directory = Directory(tmp_path, max_bytes=250)
    for age, name in enumerate(("newest", "newer", "old")):
        (tmp_path / name).write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
    assert directory.find("old") is not None  # it is used now
    written = directory.reserve()
    written.write_bytes(b"x" * 100)
    directory.keep(written, "fresh")
    assert {it.name for it in tmp_path.iterdir()} == {"old", "fresh"}


def test_what_another_process_is_writing_is_left_alone_unless_it_was_abandoned(tmp_path: Path) -> None:
    directory = Directory(tmp_path, max_bytes=10)
    busy, abandoned, written = directory.reserve(), directory.reserve(), directory.reserve()
    for path in (busy, abandoned, written):
        path.write_bytes(b"x" * 100)
    os.utime(abandoned, (1e9, 1e9))
    directory.keep(written, "too large")
    assert list(tmp_path.iterdir()) == [busy]


def test_names_differ_with_every_part() -> None:
    assert len({name_of("a", "b"), name_of("ab"), name_of("a", "b", 1), name_of("b", "a")}) == 4
