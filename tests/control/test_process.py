"""`python -m control` from outside: starting, stopping, refusing to start, and outliving its database."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from control.__main__ import main
from headrace.embedded.postgres import postgres_command, postgres_url, prepare_postgres
from headrace.supervisor.probes import postgres_probe
from tests.control import processes
from tests.control.conftest import PASSWORD, SECRET, create_database
from tests.services import start, stop, wait_until


@pytest.fixture
def empty_url(postgres_url: str) -> str:
    """URL of a new, empty database."""
    return asyncio.run(create_database(postgres_url, f"process-{uuid4().hex}"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_ends_in_good_order(database_url: str, tmp_path: Path, number: signal.Signals):
    log = tmp_path / "log"
    with processes.serving(database_url, log) as (process, client):
        person = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "name": "Ada"}
        assert client.post("/api/v1/auth/register", json=person).status_code == 201
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
    assert "Traceback" not in log.read_text()
    assert PASSWORD not in log.read_text()


def test_an_unmigrated_database_is_reported_not_served(empty_url: str, tmp_path: Path):
    with processes.serving(empty_url, tmp_path / "log") as (_, client):
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        assert "headrace migrate" in answer.json()["dependencies"]["database"]["detail"]
        assert processes.run("migrate", database_url=empty_url).returncode == 0
        assert client.get("/health/ready").status_code == 200


def test_two_who_migrate_at_once_both_succeed(empty_url: str):
    command = [sys.executable, "-m", "control", "migrate"]
    both = [subprocess.Popen(command, env=processes.environment(empty_url), stderr=subprocess.PIPE, text=True) for _ in range(2)]
    results = [(it.communicate(timeout=60)[1], it.returncode) for it in both]
    assert [status for _, status in results] == [0, 0], results


def test_a_taken_port_is_one_clear_line(database_url: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = processes.run(database_url=database_url, port=port)
    assert ended.returncode == 3
    assert ended.stderr.splitlines() == [f"headrace control: port {port} on 127.0.0.1 is taken"]


@pytest.mark.parametrize("arguments", [(), ("migrate",)])
def test_a_newer_database_is_refused_in_one_clear_line(empty_url: str, arguments: tuple[str, ...]):
    async def make_newer() -> None:
        connection = await asyncpg.connect(empty_url)
        await connection.execute("CREATE TABLE alembic_version (version_num text PRIMARY KEY)")
        await connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        await connection.close()

    asyncio.run(make_newer())
    ended = processes.run(*arguments, database_url=empty_url)
    assert ended.returncode == 4
    assert len(ended.stderr.splitlines()) == 1
    assert "9999" in ended.stderr


@pytest.mark.parametrize("change", [("/process-", "/no-such-"), ("postgresql://", "nonsense://")])
def test_a_database_that_refuses_is_one_clear_line(empty_url: str, change: tuple[str, str]):
    ended = processes.run("migrate", database_url=empty_url.replace(*change))
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1


def test_a_wrong_command_line_says_how(capsys: pytest.CaptureFixture[str]):
    assert main(["fly"]) == 2
    assert "usage" in capsys.readouterr().err


def test_a_wrong_setting_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("HEADRACE_SECRET", SECRET)
    monkeypatch.setenv("HEADRACE_CONTROL_PORT", "70000")
    assert main([]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "HEADRACE_CONTROL_PORT" in lines[0]


def test_the_description_needs_no_database_and_is_the_same_every_time(capsys: pytest.CaptureFixture[str]):
    ended = processes.run("openapi", database_url="postgresql:///?host=/nowhere")
    assert main(["openapi"]) == ended.returncode == 0
    assert json.loads(ended.stdout)["openapi"].startswith("3.1")
    assert capsys.readouterr().out == ended.stdout


def test_it_outlives_its_database(short_tmp: Path):
    data, sockets = short_tmp / "postgres", short_tmp / "pg"
    prepare_postgres(data)
    command = postgres_command(data, sockets)
    url = postgres_url(sockets)
    login = {"email": "ada@example.com", "password": PASSWORD}

    def start_postgres() -> subprocess.Popen[bytes]:
        postgres = start(command, short_tmp / "postgres.log")
        wait_until(lambda: asyncio.run(_is_ready(data, postgres.pid)), "PostgreSQL")
        return postgres

    with processes.serving(url, short_tmp / "control.log") as (process, client):  # started before its database
        assert client.get("/health/ready").status_code == 503
        postgres = start_postgres()
        try:
            assert processes.run("migrate", database_url=url).returncode == 0
            assert client.post("/api/v1/auth/register", json=login | {"name": "Ada"}).status_code == 201
            postgres.kill()
            postgres.wait()
            refused = client.post("/api/v1/auth/login", json=login)
            assert refused.status_code == 503
            assert refused.json()["type"] == "urn:headrace:problem:DatabaseUnavailable"
            assert client.get("/health/ready").json()["dependencies"]["database"]["state"] == "down"
            postgres = start_postgres()
            assert client.post("/api/v1/auth/login", json=login).status_code == 200
            assert process.poll() is None
        finally:
            stop(postgres, command)


async def _is_ready(data: Path, pid: int) -> bool:
    return await postgres_probe(data)(pid)
