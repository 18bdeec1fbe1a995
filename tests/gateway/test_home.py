"""A worker's folder: one owner at a time, the same identity after a restart, orphans' logs adopted."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.home import Home, HomeTaken

HOLD = (
    "import sys, pathlib; from gateway.home import Home; Home(pathlib.Path(sys.argv[1]), 0); print('held', flush=True); input()"
)


def held_elsewhere(data: Path) -> subprocess.Popen[bytes]:
    """A process that holds worker 0's folder until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_gateway_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as other:
        with pytest.raises(HomeTaken, match="HEADRACE_DATA"):
            Home(tmp_path, 0, patience_s=0.1)
        Home(tmp_path, 1).release()
        other.kill()


def test_an_owner_that_is_about_to_leave_is_waited_for(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as other:
        other.kill()
        Home(tmp_path, 0).release()


def test_a_worker_keeps_its_identity_and_no_two_share_one(tmp_path: Path) -> None:
    first, second = Home(tmp_path, 0), Home(tmp_path, 1)
    first.release()
    again = Home(tmp_path, 0)
    assert again.worker_id == first.worker_id != second.worker_id
    again.release()
    second.release()


def test_logs_of_workers_that_run_no_more_are_adopted(tmp_path: Path) -> None:
    for index in range(3):
        home = Home(tmp_path, index)
        home.spill.mkdir()
        (home.spill / f"{index}.seg").touch()
        home.release()
    home = Home(tmp_path, 0)
    home.adopt_beyond(2)
    assert sorted(it.name for it in home.spill.iterdir()) == ["0.seg", "2.seg"]
    home.release()
