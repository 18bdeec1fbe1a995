"""ClickHouse as telemetry uses it: the engine embedded in this process, or a server.

Both speak through clickhouse-connect's synchronous client, because the embedded engine has no other. Calls run in threads of
their own, so that the event loop never waits: one thread and client that writes, `READERS` that read. (Calls on one client of
the embedded engine queue behind each other, so a slow query must not share the writer's.)
"""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

from telemetry.columns import Table
from telemetry.errors import StoreRefused, StoreTimedOut, StoreUnavailable, TooManyReads
from telemetry.migrations import apply_migrations

READERS: Final = 2
MAX_WAITING_READS: Final = 32
"""Reads that may wait for a reader; further ones are refused."""
READ_TIMEOUT_S: Final = 5
WRITE_TIMEOUT_S: Final = 20
CONNECT_TIMEOUT_S: Final = 2

Rows = Sequence[Sequence[Any]]
Result = TypeVar("Result")

_INSERT_SETTINGS: Final = {
    "async_insert": 0,  # a batch joined with others on the server would lose its token, and be acknowledged before it is stored
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,  # a retry reaches a roll-up that a crash left without its part
}
_TIMED_OUT: Final = frozenset({159, 160, 209})
_PASSING: Final = frozenset(
    {
        32,
        60,
        81,
        164,
        173,
        192,
        193,
        194,
        201,
        202,
        203,
        210,
        225,
        236,
        241,
        242,
        243,
        252,
        285,
        319,
        394,
        425,
        439,
        497,
        516,
        999,
    }
)
"""Codes of a ClickHouse that cannot work now (memory, disk, parts, access, missing tables, …), whatever it is asked to do."""


class Connector(Protocol):
    """Opens one more client of the same store."""

    def __call__(self) -> Client: ...


def embedded(directory: Path, memory_bytes: int) -> Connector:
    """The engine in this process, with its data in `directory`, which no other process may have open.

    clickhouse-connect hands inserts to the engine through temporary files; they are kept beside `directory`, and what a
    killed process left of them is removed when the engine, whose lock shows that we are alone, has been opened.
    """
    temporary = directory.with_name(directory.name + "-temporary")
    swept = threading.Event()

    def connect() -> Client:
        directory.parent.mkdir(parents=True, exist_ok=True)
        options = {"max_server_memory_usage": str(memory_bytes)}
        client = clickhouse_connect.get_client(interface="chdb", path=str(directory), database="default", chdb_options=options)
        if not swept.is_set():
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(mode=0o700)
            tempfile.tempdir = str(temporary)
            swept.set()
        return client

    return connect


def server(url: str) -> Connector:
    """The server at `clickhouse://user:password@host:port/database`; the scheme `https` asks for TLS."""
    interface = "https" if urlsplit(url).scheme == "https" else "http"

    def connect() -> Client:
        return clickhouse_connect.get_client(
            dsn=url,
            interface=interface,
            connect_timeout=CONNECT_TIMEOUT_S,
            send_receive_timeout=WRITE_TIMEOUT_S,
            query_retries=0,
            autogenerate_session_id=False,
        )

    return connect


class Store:
    """Every call raises StoreUnavailable before `open` and while ClickHouse cannot be reached."""

    def __init__(self, connect: Connector) -> None:
        self._connect = connect
        self._writers: SimpleQueue[Client] = SimpleQueue()
        self._readers: SimpleQueue[Client] = SimpleQueue()
        self._write_thread = ThreadPoolExecutor(1, "clickhouse-write")
        self._read_threads = ThreadPoolExecutor(READERS, "clickhouse-read")
        self._waiting_reads = 0
        self._is_open = False

    async def open(self) -> None:
        """Connect and bring the schema up to date; may be called again after StoreUnavailable. Raises SchemaTooNew."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._write_thread, self._open)
        except (StoreRefused, StoreTimedOut) as error:
            raise StoreUnavailable(f"ClickHouse cannot be prepared: {error.__cause__}") from error
        finally:
            self._is_open = not self._readers.empty()

    async def insert(self, table: str, columns: Table, token: str) -> None:
        """Add rows to one partition of `table`, unless rows with this `token` were added before.

        Raises StoreTimedOut, or StoreRefused if ClickHouse works but does not take these rows.
        """
        settings = _INSERT_SETTINGS | {"insert_deduplication_token": token}
        await self._run(self._write_thread, self._writers, lambda it: it.insert_arrow(table, columns, settings=settings))

    async def query(self, statement: str, parameters: dict[str, Any], comment: str) -> Rows:
        """Rows of a read; `comment` tells ClickHouse's operator who asked.

        Raises StoreTimedOut after `READ_TIMEOUT_S`, and TooManyReads if `MAX_WAITING_READS` wait already.
        """
        if self._waiting_reads >= MAX_WAITING_READS:
            raise TooManyReads("too many monitoring queries are waiting; try again in a moment")
        settings = {"log_comment": comment, "max_execution_time": READ_TIMEOUT_S}
        self._waiting_reads += 1
        try:
            return await self._run(
                self._read_threads,
                self._readers,
                lambda it: it.query(statement, parameters=parameters, settings=settings).result_rows,
            )
        finally:
            self._waiting_reads -= 1

    async def delete(self, statement: str, parameters: dict[str, Any], comment: str) -> None:
        """Remove rows; between two inserts."""
        settings = {"log_comment": comment}
        await self._run(self._write_thread, self._writers, lambda it: it.command(statement, parameters, settings=settings))

    async def check(self) -> None:
        """Raise StoreUnavailable, saying why, unless ClickHouse answers."""
        await self.query("SELECT 1", {}, "headrace: health")

    def close(self) -> None:
        """Wait for running calls, then disconnect."""
        for threads, clients in ((self._write_thread, self._writers), (self._read_threads, self._readers)):
            threads.shutdown()
            _close_all(clients)

    async def _run(self, threads: Executor, clients: SimpleQueue[Client], call: Callable[[Client], Result]) -> Result:
        if not self._is_open:
            raise StoreUnavailable("ClickHouse is not open yet")
        return await asyncio.get_running_loop().run_in_executor(threads, _call, clients, call)

    def _open(self) -> None:
        try:
            with _errors_translated():
                writer = self._connect()
                self._writers.put(writer)
                apply_migrations(writer)
                for _ in range(READERS):
                    self._readers.put(self._connect())
        except BaseException:
            _close_all(self._writers)
            _close_all(self._readers)
            raise


def _call(clients: SimpleQueue[Client], call: Callable[[Client], Result]) -> Result:
    """Runs in a thread. There are as many clients as threads, so taking one never waits; it is given back even when the
    caller has left long since."""
    client = clients.get_nowait()
    try:
        with _errors_translated():
            return call(client)
    finally:
        clients.put(client)


def _close_all(clients: SimpleQueue[Client]) -> None:
    while not clients.empty():
        clients.get_nowait().close()


@contextmanager
def _errors_translated() -> Generator[None]:
    try:
        yield
    except DatabaseError as error:
        code = error.code
        if code in _TIMED_OUT:
            raise StoreTimedOut("ClickHouse took too long; ask for a shorter range") from error
        if code is None or code in _PASSING or isinstance(error, OperationalError):
            raise StoreUnavailable(f"ClickHouse cannot answer now: {error}") from error
        raise StoreRefused(str(error)) from error
    except (ClickHouseError, OSError) as error:
        raise StoreUnavailable(f"ClickHouse cannot be reached: {error}") from error
