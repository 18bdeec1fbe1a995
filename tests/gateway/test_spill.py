"""Segment files: what is kept comes back, torn and damaged frames do not, and the bound holds."""

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from gateway import spill as spills
from gateway.spill import Frame, Spill, read_segment

FRAMES = [Frame(b"first", 3, 0), Frame(b"", 0, 2), Frame(b"third" * 100, 5, 1)]


class Opened(Protocol):
    def __call__(self, folder: Path, bound_bytes: int = 1 << 20, epoch: str = "epoch") -> Spill: ...


@pytest.fixture
def opened() -> Generator[Opened]:
    """Opens spills that are closed at the end of the test."""
    with ExitStack() as stack:

        def opener(folder: Path, bound_bytes: int = 1 << 20, epoch: str = "epoch") -> Spill:
            spill = Spill(folder, bound_bytes, epoch)
            spill.open()
            stack.callback(spill.close)
            return spill

        yield opener


def test_frames_come_back_in_order_after_a_restart(opened: Opened, tmp_path: Path) -> None:
    spill = opened(tmp_path)
    assert [spill.append(it) for it in FRAMES] == [0, 0, 0]
    again = opened(tmp_path, epoch="next")
    assert again.oldest() == FRAMES
    assert again.records == sum(it.missed for it in FRAMES)
    assert again.size_bytes == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_a_removed_segment_is_gone_for_good(opened: Opened, tmp_path: Path) -> None:
    spill = opened(tmp_path)
    spill.append(FRAMES[0])
    spill.remove_oldest()
    assert (spill.oldest(), spill.records, spill.size_bytes, list(tmp_path.iterdir())) == ([], 0, 0, [])


def test_what_is_appended_while_the_oldest_is_replayed_goes_to_another_segment(opened: Opened, tmp_path: Path) -> None:
    spill = opened(tmp_path)
    spill.append(FRAMES[0])
    assert spill.oldest() == FRAMES[:1]
    spill.append(FRAMES[2])
    spill.remove_oldest()
    assert spill.oldest() == FRAMES[2:]


@pytest.mark.parametrize("cut", [1, 15, 16, 17, 400])
def test_a_torn_last_frame_costs_only_itself(opened: Opened, tmp_path: Path, cut: int) -> None:
    spill = opened(tmp_path)
    for frame in FRAMES:
        spill.append(frame)
    (segment,) = tmp_path.iterdir()
    segment.write_bytes(segment.read_bytes()[:-cut])
    assert read_segment(segment) == FRAMES[:2]


def test_a_damaged_frame_is_not_replayed(opened: Opened, tmp_path: Path) -> None:
    spill = opened(tmp_path)
    for frame in FRAMES:
        spill.append(frame)
    (segment,) = tmp_path.iterdir()
    blob = bytearray(segment.read_bytes())
    blob[-1] ^= 1
    segment.write_bytes(blob)
    assert read_segment(segment) == FRAMES[:2]


def test_at_the_bound_the_oldest_segment_goes_and_its_records_are_counted(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spills, "SEGMENT_BYTES", 100)
    spill = opened(tmp_path, bound_bytes=400)
    dropped = sum(spill.append(Frame(b"%03d" % number * 20, 2, 0)) for number in range(20))
    assert spill.size_bytes <= 400
    assert dropped + spill.records == 40
    assert spill.oldest()[-1].blob != b"000" * 20


def test_a_bound_of_nothing_drops_every_frame(opened: Opened, tmp_path: Path) -> None:
    assert opened(tmp_path, bound_bytes=0).append(FRAMES[2]) == 6


def test_a_disk_that_refuses_costs_the_frame_and_no_more(opened: Opened, tmp_path: Path) -> None:
    folder = tmp_path / "spill"
    spill = opened(folder)
    folder.rmdir()
    assert spill.append(FRAMES[0]) == 3
    folder.mkdir()
    assert spill.append(FRAMES[2]) == 0
    assert spill.oldest() == [FRAMES[2]]
