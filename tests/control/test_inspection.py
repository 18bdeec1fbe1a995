"""Inspection in a process that may crash, hang, babble or lie."""

import asyncio
import sys
from pathlib import Path

import pytest

from control.registry import inspection, slots
from control.registry.errors import ModelRefused, UploadsBusy
from control.registry.inspection import Inspector
from tests import models
from tests.services import is_alive, wait_until


def inspector(script: str, timeout_s: float = 20.0) -> Inspector:
    """An inspector that runs `script` instead of serving."""
    return Inspector(2**30, timeout_s, (sys.executable, "-c", script))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import os; os.kill(os.getpid(), 11)", "crashed with SIGSEGV"),
        ("import os; os.kill(os.getpid(), 9)", "more memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "more time"),
        ("raise SystemExit(7)", "it crashed"),
        ("raise ValueError('no JSON on standard output')", "it crashed"),
        ("print('not JSON')", "it crashed"),
        ("print('{}')", "it crashed"),
        ("print('x' * 300_000)", "256 KiB"),
        ("""print('{"reason": "node 7 is bad"}'); raise SystemExit(1)""", "node 7 is bad"),
    ],
)
async def test_a_file_whose_inspection_goes_wrong_is_refused(tmp_path: Path, script: str, reason: str):
    with pytest.raises(ModelRefused, match=reason):
        await inspector(script).inspect(tmp_path / "model.onnx")


async def test_a_process_that_hangs_is_killed_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inspection, "GRACE_S", 1.0)
    pids = tmp_path / "pids"
    script = f"""
import os, signal
child = os.fork()
with open({str(pids)!r}, "a") as file:
    print(os.getpid(), file=file)
signal.pause()
"""
    with pytest.raises(ModelRefused, match="longer than 1 s"):
        await inspector(script, timeout_s=1.0).inspect(tmp_path / "model.onnx")
    wait_until(lambda: not any(is_alive(int(it)) for it in pids.read_text().split()), "both to be gone")


async def test_the_process_gets_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADRACE_SECRET", "the secret of the tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another secret")
    script = "import json, os; print(json.dumps({'reason': ' '.join(sorted(os.environ))})); raise SystemExit(1)"
    with pytest.raises(ModelRefused) as refused:
        await inspector(script).inspect(tmp_path / "model.onnx")
    assert "ORT_DISABLE_TELEMETRY" in str(refused.value)
    assert "HEADRACE" not in str(refused.value)
    assert "AWS" not in str(refused.value)


async def test_much_noise_on_standard_error_does_no_harm(tmp_path: Path):
    script = """import sys; sys.stderr.write("x" * 1_000_000); print('{"reason": "heard"}'); raise SystemExit(1)"""
    with pytest.raises(ModelRefused, match="heard"):
        await inspector(script).inspect(tmp_path / "model.onnx")


async def test_few_run_at_once_and_few_may_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slots, "MAX_WAITING", 4)
    log = tmp_path / "log"
    script = f"""
import os, time
def note(word):
    with open({str(log)!r}, "a") as file:
        print(word, file=file)
note("begin"); time.sleep(0.2); note("end")
print('{{"reason": "done"}}'); raise SystemExit(1)
"""
    one = inspector(script)
    outcomes = await asyncio.gather(*(one.inspect(tmp_path / "model.onnx") for _ in range(6)), return_exceptions=True)
    assert [type(it) for it in outcomes] == [ModelRefused] * 4 + [UploadsBusy] * 2
    running = most = 0
    for word in log.read_text().split():
        running += 1 if word == "begin" else -1
        most = max(most, running)
    assert most == slots.AT_ONCE
    assert one.slots.waiting == 0


async def test_a_real_model_is_inspected_by_the_real_program(tmp_path: Path):
    found = await Inspector(2 * 2**30, 30).inspect(models.mlp_model(tmp_path / "mlp.onnx"))
    assert [it.name for it in found.inputs] == ["input"]
    assert found.parameters == 4 * 16 + 16 + 16 * 3
