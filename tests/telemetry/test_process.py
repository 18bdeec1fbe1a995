"""`python -m telemetry` as a process: start, stop, kill, and dependencies that go and come back."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from contracts.records import DEAD_LETTER_STREAM, LOG_STREAM
from contracts.tenancy import TENANT_HEADER, sign_tenant
from headrace.embedded.valkey import valkey_url
from tests.services import accepts, free_port, running_valkey, wait_until
from tests.telemetry.clickhouse_server import clickhouse_server, listens
from tests.telemetry.records import Source, fields, lognormal_batches

SECRET = "a secret for the tests"


class Telemetry:
    """One process on a Unix socket, and an HTTP client of it."""

    def __init__(self, directory: Path, redis_url: str, **settings: str) -> None:
        self.path = directory / "telemetry.sock"
        self.log = directory / "telemetry.log"
        environment = {"DATA": str(directory / "data"), "SECRET": SECRET, "REDIS_URL": redis_url, **settings}
        environment = {"TELEMETRY_LISTEN": f"unix:{self.path}"} | environment
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "telemetry"],
                env=os.environ | {f"HEADRACE_{name}": value for name, value in environment.items()},
                stdout=output,
                stderr=output,
            )
        self.http = httpx.Client(transport=httpx.HTTPTransport(uds=str(self.path)), base_url="http://telemetry")

    def get(self, path: str, **arguments: Any) -> httpx.Response | None:
        """None while nobody listens (asked first, since httpcore leaks the socket of a failed attempt)."""
        return self.http.get(path, **arguments) if accepts(self.path) else None

    def ready(self) -> bool:
        answer = self.get("/health/ready")
        return answer is not None and answer.status_code == 200

    def state_of(self, dependency: str) -> str:
        answer = self.get("/health/ready")
        return answer.json()["dependencies"][dependency]["state"] if answer else "unknown"

    def ask(self, source: Source) -> httpx.Response:
        """The summary of `source` of the last two days."""
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2 * 86400))
        return self.http.get(
            "/monitoring/requests",
            params={"deployment_id": str(source.deployment_id), "from": since},
            headers={TENANT_HEADER: sign_tenant(source.tenant(time.time()), SECRET)},
        )

    def calls(self, source: Source) -> int:
        """How many calls of `source` the summary counts."""
        return self.ask(source).raise_for_status().json()["totals"]["requests"]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)

    def close(self) -> None:
        self.http.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def telemetry(directory: Path, redis_url: str, **settings: str) -> Generator[Telemetry]:
    program = Telemetry(directory, redis_url, **settings)
    try:
        yield program
    finally:
        program.close()


@pytest.fixture
def stream(redis_url: str) -> Generator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_becomes_ready_and_ends_in_good_order(short_tmp: Path, redis_url: str, number: signal.Signals) -> None:
    with telemetry(short_tmp, redis_url) as program:
        wait_until(program.ready, "telemetry")
        assert program.http.get("/health/live").json() == {"status": "live"}
        assert stat.S_IMODE(program.path.stat().st_mode) == 0o600
        started = time.monotonic()
        assert program.end(number) == 0
        assert time.monotonic() - started < 8


def test_a_single_call_is_soon_visible(short_tmp: Path, redis_url: str, stream: redis.Redis) -> None:
    source = Source()
    with telemetry(short_tmp, redis_url) as program:
        wait_until(program.ready, "telemetry")
        stream.xadd(LOG_STREAM, fields(source.batch(source.record(time.time_ns() // 1000))))
        wait_until(lambda: program.calls(source) == 1, "the call", timeout_s=5.0)
        wait_until(lambda: "headrace_log_stream_entries 0.0\n" in program.http.get("/metrics").text, "its end in the stream")
        assert "headrace_log_ingest_rows_total 1.0\n" in program.http.get("/metrics").text


def test_kills_in_the_middle_neither_lose_nor_repeat_a_record(short_tmp: Path, redis_url: str, stream: redis.Redis) -> None:
    source = Source()
    batches, _ = lognormal_batches(source, minutes=80, per_minute=20)
    for batch in batches:
        stream.xadd(LOG_STREAM, fields(batch))
    for remaining in (70, 45, 20):
        with telemetry(short_tmp, redis_url) as program:
            wait_until(lambda below=remaining: stream.xlen(LOG_STREAM) < below, f"fewer than {remaining} batches")
            assert stream.xlen(LOG_STREAM) > 0
            program.end(signal.SIGKILL)
    with telemetry(short_tmp, redis_url) as program:
        wait_until(lambda: stream.xlen(LOG_STREAM) == 0, "the last batch")
        assert program.calls(source) == 80 * 20
        assert not list((short_tmp / "data" / "clickhouse-temporary").iterdir())
    assert stream.xlen(DEAD_LETTER_STREAM) == 0


def test_it_starts_before_redis_and_survives_its_death(short_tmp: Path) -> None:
    source = Source()
    url = valkey_url(short_tmp / "valkey.sock")
    with telemetry(short_tmp, url) as program:
        wait_until(lambda: program.state_of("clickhouse") == "up", "ClickHouse")
        assert program.state_of("redis") == "down"
        for calls in (1, 2):
            with running_valkey(short_tmp), redis.Redis.from_url(url) as stream:
                stream.xadd(LOG_STREAM, fields(source.batch(source.record())))
                wait_until(lambda calls=calls: program.calls(source) == calls, f"call {calls}")
                wait_until(program.ready, "telemetry")
            wait_until(lambda: program.state_of("redis") == "down", "Redis to be missed")
        assert program.end() == 0


def test_a_clickhouse_server_that_goes_and_comes_back_loses_nothing(short_tmp: Path, redis_url: str, stream: redis.Redis) -> None:
    source, port = Source(), free_port()
    url = f"clickhouse://headrace:a%20password@127.0.0.1:{port}/default"
    with telemetry(short_tmp, redis_url, CLICKHOUSE_URL=url) as program:
        wait_until(lambda: program.state_of("redis") == "up", "telemetry")
        assert program.state_of("clickhouse") == "down"
        assert program.ask(source).status_code == 503
        for calls in (5, 10):
            for _ in range(5):
                stream.xadd(LOG_STREAM, fields(source.batch(source.record())))
            with clickhouse_server(short_tmp / "db", port):
                wait_until(lambda: stream.xlen(LOG_STREAM) == 0, "the batches")
                assert program.calls(source) == calls
            assert program.state_of("clickhouse") == "down"
        assert program.end() == 0
    assert stream.xlen(DEAD_LETTER_STREAM) == 0
    assert "password" not in program.log.read_text()


def test_a_second_process_on_the_same_data_says_so_and_takes_over(short_tmp: Path, redis_url: str) -> None:
    with telemetry(short_tmp, redis_url) as first:
        wait_until(first.ready, "the first")
        with telemetry(short_tmp, redis_url, TELEMETRY_LISTEN=f"127.0.0.1:{(port := free_port())}") as second:
            wait_until(lambda: listens(port), "the second")
            wait_until(lambda: "cannot" in second.log.read_text(), "its warning")
            assert httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 503
            assert first.end() == 0
            wait_until(lambda: httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200, "the second to take over")
            assert second.end() == 0


def test_a_taken_socket_is_status_3_and_a_dead_ones_is_replaced(short_tmp: Path, redis_url: str) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(short_tmp / "telemetry.sock"))
    with telemetry(short_tmp, redis_url) as first:
        wait_until(first.ready, "telemetry")
        with telemetry(short_tmp, redis_url) as second:
            assert second.process.wait(20) == 3
        assert first.ready()
        assert "is taken" in first.log.read_text()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("TELEMETRY_LISTEN", "8083"), ("SECRET", "short"), ("CLICKHOUSE_MEMORY_BYTES", "none"), ("TELEMETRIE", "1")],
)
def test_a_wrong_setting_is_status_2_and_is_named(short_tmp: Path, redis_url: str, setting: str, value: str) -> None:
    with telemetry(short_tmp, redis_url, **{setting: value}) as program:
        assert program.process.wait(20) == 2
        assert f"HEADRACE_{setting}" in program.log.read_text()


def test_a_later_schema_is_status_4(short_tmp: Path, redis_url: str) -> None:
    with telemetry(short_tmp, redis_url) as program:
        wait_until(program.ready, "telemetry")
        program.end()
    insert = "INSERT INTO schema_version (version, name) VALUES (9999, 'of the future')"
    script = f"import chdb, sys; chdb.connect(sys.argv[1]).query({insert!r})"
    subprocess.run([sys.executable, "-c", script, str(short_tmp / "data" / "clickhouse")], check=True, timeout=60)
    with telemetry(short_tmp, redis_url) as program:
        assert program.process.wait(20) == 4
        assert "version 9999" in program.log.read_text()
