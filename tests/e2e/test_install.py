"""The packages that `make up` installs are enough to run everything: nothing works only because the tests' packages are there."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from headrace.bootstrap import ROOT, UV
from tests.e2e.system import environment


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Programs of an environment with the locked packages of production alone; the checkout's own is left as it is."""
    subprocess.run(
        [str(UV), "sync", "--frozen", "--no-dev", "--quiet"],
        cwd=ROOT,
        env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(tmp_path / "venv"), "UV_PYTHON_DOWNLOADS": "never"},
        check=True,
    )
    return tmp_path / "venv" / "bin"


def test_the_sample_project_answers_with_the_packages_of_production_alone(bare: Path, tmp_path: Path) -> None:
    variables = environment(tmp_path / "data")
    command = [str(bare / "headrace"), "up", "--detach", "--demo", "--port-base", "0", "--json"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    try:
        assert len(json.loads(done.stdout)["deployments"]) == 3
    finally:
        subprocess.run([str(bare / "headrace"), "down"], env=variables, check=True, capture_output=True)
