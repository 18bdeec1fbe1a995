"""The staging folder: nobody's leftovers stay, and nobody's uploads are taken away."""

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from control.registry.staging import open_staging
from tests.services import wait_until

HOLD = """
import sys
from pathlib import Path
from control.registry.staging import open_staging
with open_staging(Path(sys.argv[1])) as staging:
    (staging.root / "upload").mkdir()
    (staging.root / "upload" / "model.onnx").write_text("half a model")
    print("ready", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process(uploads: Path) -> Generator["subprocess.Popen[bytes]"]:
    """A process with an upload under way below `uploads`."""
    command = [sys.executable, "-c", HOLD, str(uploads)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield process
        finally:
            process.kill()


def files(uploads: Path) -> list[Path]:
    return [it for it in uploads.rglob("*") if it.is_file()]


def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path: Path):
    with other_process(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(files(tmp_path)) == 1
    with open_staging(tmp_path):
        assert files(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_what_a_living_process_holds_is_left_alone(tmp_path: Path):
    with other_process(tmp_path), open_staging(tmp_path) as staging:
        assert len(files(tmp_path)) == 1
        assert staging.root.is_dir()


def test_an_orderly_end_leaves_nothing(tmp_path: Path):
    with other_process(tmp_path) as process:
        assert process.stdin is not None
        process.stdin.close()
        wait_until(lambda: process.poll() is not None, "the process to end")
    assert list(tmp_path.iterdir()) == []
