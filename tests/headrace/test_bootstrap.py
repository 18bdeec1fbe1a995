"""The bootstrap refuses what cannot work in one clear line, before anything is half installed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from headrace import bootstrap

ROOT = Path(__file__).parents[2]


def test_a_python_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "MINIMUM_PYTHON", (99, 0))
    with pytest.raises(bootstrap.SetupFailed, match=r"Python 3\.\d+ is too old"):
        bootstrap.check_python()


@pytest.mark.parametrize(
    ("script", "message"),
    [("echo v18.2.0", r"Node\.js v18\.2\.0 is too old"), ("exit 1", r"Node\.js 20\.19 or newer with npm is needed")],
)
def test_a_node_that_will_not_do_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(bootstrap.SetupFailed, match=message):
        bootstrap.check_node()


def test_a_first_install_that_will_not_fit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / "absent")
    monkeypatch.setattr(bootstrap, "FIRST_INSTALL_BYTES", 1 << 60)
    with pytest.raises(bootstrap.SetupFailed, match="free some space"):
        bootstrap.check_disk()


def test_a_product_is_made_again_when_what_it_is_made_from_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "STAMPS", tmp_path)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    source = tmp_path / "source"
    source.write_text("one")
    before = bootstrap.digest([source])
    bootstrap.keep_stamp("console", before)
    assert bootstrap.is_current("console", before, tmp_path)
    source.write_text("two")
    assert not bootstrap.is_current("console", bootstrap.digest([source]), tmp_path)


def test_no_browser_and_no_right_to_install_one_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "CHROMIUM", tmp_path / "absent")
    monkeypatch.setattr(shutil, "which", {}.get)
    with pytest.raises(bootstrap.SetupFailed, match="apt-get install chromium"):
        bootstrap.install_chromium()


def test_no_promtool_and_no_package_to_take_it_from_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "PROMTOOL", tmp_path / "absent")
    monkeypatch.setattr(shutil, "which", {}.get)
    with pytest.raises(bootstrap.SetupFailed, match="promtool"):
        bootstrap.install_promtool()


def test_it_runs_on_the_bare_interpreter_without_any_package() -> None:
    code = "import sys; sys.path.insert(0, 'headrace'); import bootstrap; print(sorted(bootstrap.__dict__)[0])"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
