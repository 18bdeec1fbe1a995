"""The command line: exit statuses, one line a failure, one JSON object for scripts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.settings import CommandSettings, load_settings
from headrace.commands.models import _read, _request, _tensor  # pyright: ignore[reportPrivateUsage]
from headrace.errors import CommandFailed
from headrace.exits import Exit


def headrace(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    return subprocess.run(
        [sys.executable, "-m", "headrace", *arguments],
        env=environment | {"HEADRACE_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", [("status",), ("down",), ("demo",), ("signup", "--email", "a@b.c", "--password", "x" * 12)])
def test_a_command_without_a_running_instance_says_so(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = headrace(tmp_path, *command, "--json")
    assert done.returncode == Exit.NOT_RUNNING
    assert "does not run on this data directory" in json.loads(done.stdout)["error"]
    assert len(done.stderr.splitlines()) == 1


def test_a_misspelt_setting_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "headrace", "status"],
        env=os.environ | {"HEADRACE_DATA": str(tmp_path), "HEADRACE_PORTBASE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == Exit.FAILED
    assert "unknown setting HEADRACE_PORTBASE" in done.stderr


def test_up_says_that_it_serves_no_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_TLS_CERTIFICATE", "certificate.pem")
    done = subprocess.run(
        [sys.executable, "-m", "headrace", "up", "--port-base", "0"],
        env=os.environ | {"HEADRACE_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == Exit.FAILED
    assert "serves plain HTTP" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_finds_a_data_directory_of_a_newer_version(tmp_path: Path) -> None:
    (tmp_path / "LAYOUT").write_text("999")
    done = headrace(tmp_path, "doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == Exit.FAILED
    finding = next(it for it in report["findings"] if it["what"] == "data directory")
    assert not finding["is_well"]
    assert "newer Headrace" in finding["found"]


def test_up_refuses_a_port_that_does_not_exist(tmp_path: Path) -> None:
    done = headrace(tmp_path, "up", "--port-base", "65535")
    assert done.returncode == 2
    assert "65533" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_log_is_printed_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "control.log").write_text("listening on [::1] [/x] :warning: [bold]\n")
    done = headrace(tmp_path, "logs")
    assert done.returncode == 0
    assert done.stdout == "  control listening on [::1] [/x] :warning: [bold]\n"


@pytest.mark.parametrize("name", ["nothing", "*", "**", "/etc/passwd", "../logs/control"])
def test_a_log_that_is_not_there_is_named_with_those_that_are(tmp_path: Path, name: str) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "control.log").write_text("hello\n")
    done = headrace(tmp_path, "logs", name)
    assert done.returncode == Exit.FAILED
    assert f"there is no log of {name!r}; there are control" in done.stderr


def test_a_data_directory_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = headrace(tmp_path / "file", "status", "--json")
    assert done.returncode == Exit.FAILED
    assert "Not a directory" in json.loads(done.stdout)["error"]
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("text", ["{", "[NaN]", "[1e999]", "[" * 100_000])
def test_data_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(CommandFailed, match="--data is not JSON"):
        _read(text)


def test_an_input_that_the_model_does_not_have_is_named() -> None:
    with pytest.raises(CommandFailed, match=r"no input 'z'; its inputs are \['x'\]"):
        _request({"x": [1], "z": [2]}, lambda: [WANTED])


WANTED = {"name": "x", "datatype": "FP32", "shape": [-1, 4]}


@pytest.mark.parametrize(
    ("values", "shape"),
    [([1, 2, 3, 4], [1, 4]), ([[1, 2, 3, 4], [5, 6, 7, 8]], [2, 4]), (7, [1, 1])],
)
def test_bare_values_become_a_tensor_with_the_missing_dimensions(values: object, shape: list[int]) -> None:
    assert _tensor(WANTED, values)["shape"] == shape


def test_values_with_too_many_dimensions_are_refused_with_both_numbers() -> None:
    with pytest.raises(CommandFailed, match="takes 2 dimensions, --data has 3"):
        _tensor(WANTED, [[[1]]])


def test_bare_values_for_a_model_of_two_inputs_name_the_inputs() -> None:
    with pytest.raises(CommandFailed, match=r"2 inputs.*\['x', 'y'\]"):
        _request([1], lambda: [WANTED, WANTED | {"name": "y"}])


def test_the_password_may_come_from_the_environment() -> None:
    settings = load_settings({"HEADRACE_PASSWORD": "correct horse"}, CommandSettings)
    assert settings.password == "correct horse"
