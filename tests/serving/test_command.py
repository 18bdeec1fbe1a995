"""`python -m serving`: what its exit says."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from tests import models


def serve(path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """A server that cannot start."""
    environment = os.environ | {f"HEADRACE_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "serving", "serve", str(path)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_a_taken_port_is_one_line_and_exit_3(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = serve(models.sum_model(tmp_path / "m.onnx"), inference_port=port, log_level="ERROR")
    assert done.returncode == 3
    assert done.stderr == "serving: the port is taken; stop what listens there, or set HEADRACE_INFERENCE_PORT\n"


def test_a_taken_port_for_grpc_is_one_line_and_exit_3(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = serve(models.sum_model(tmp_path / "m.onnx"), inference_port="0", grpc_port=str(port), log_level="ERROR")
    assert done.returncode == 3
    assert done.stderr == f"serving: gRPC cannot listen on 127.0.0.1:{port}; stop what listens there, or set HEADRACE_GRPC_PORT\n"


def test_a_file_that_is_no_model_is_one_line_and_exit_1(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"not a model")
    done = serve(path, inference_port="0")
    assert done.returncode == 1
    assert done.stderr.startswith("serving: ")
    assert done.stderr.count("\n") == 1


def test_a_misspelt_setting_is_one_line_and_exit_1(tmp_path: Path) -> None:
    done = serve(models.sum_model(tmp_path / "m.onnx"), inferense_port="0")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "HEADRACE_INFERENSE_PORT" in done.stderr
