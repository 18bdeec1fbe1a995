"""The cache of model files, where the store is a remote one."""

import os
from pathlib import Path

from gateway.loading import ABANDONED_S, tidy


def test_only_files_that_are_deployed_stay_in_the_cache(tmp_path: Path) -> None:
    kept, dropped = (tmp_path / "sha256" / digest[:2] / digest for digest in ("aa11", "bb22"))
    for path in (kept, dropped):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"model")
    tidy(tmp_path, {"aa11"})
    assert (kept.exists(), dropped.exists()) == (True, False)


def test_a_download_left_behind_by_a_crash_goes_and_one_under_way_stays(tmp_path: Path) -> None:
    left, running = (tmp_path / "sha256" / "aa" / name for name in ("left", "running"))
    for path in (left, running):
        path.mkdir(parents=True)
        (path / "digest").write_bytes(b"half a mod")
    os.utime(left, (0, left.stat().st_mtime - ABANDONED_S - 60))
    tidy(tmp_path, set())
    assert (left.exists(), running.exists()) == (False, True)
