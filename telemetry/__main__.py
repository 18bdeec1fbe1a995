"""`python -m telemetry`: carries the request log into ClickHouse and answers control's questions about it.

Exit status: 0 after SIGTERM or SIGINT, 1 for a defect, 2 for a wrong setting, 3 if the address is taken, 4 if the ClickHouse
schema is of a later Headrace.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import uvicorn
import uvloop
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from contracts.errors import SettingInvalid
from contracts.logs import configure_logging
from contracts.settings import TelemetrySettings, load_settings
from telemetry import store
from telemetry.app import create_app
from telemetry.errors import SchemaTooNew, StoreUnavailable
from telemetry.ingest import Ingest, backoff, pause
from telemetry.listener import AddressTaken, bind
from telemetry.metrics import Metrics
from telemetry.retention import forget_forever
from telemetry.store import Connector, Store

logger = logging.getLogger("telemetry")

REDIS_TIMEOUT_S: Final = 2.0
REDIS_CONNECT_TIMEOUT_S: Final = 1.0
HTTP_STOP_TIMEOUT_S: Final = 2
NICENESS: Final = 5
"""With the embedded engine inference runs on the same cores, and comes first: the stream can wait, a caller cannot."""
INGEST_STOP_TIMEOUT_S: Final = 5.0
"""How long a running insert may take to finish once we were told to stop."""


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: ours must end ingestion as well, and leave with status 0."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


def main() -> int:
    """The exit status."""
    try:
        settings = load_settings(os.environ, TelemetrySettings)
        configure_logging(settings.log_level)
        listener = bind(settings.telemetry_listen)
    except (SettingInvalid, AddressTaken) as error:
        print(f"headrace telemetry: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingInvalid) else 3
    if not settings.clickhouse_url:
        os.nice(NICENESS)
    return uvloop.run(run(settings, listener))


async def run(settings: TelemetrySettings, listener: socket.socket) -> int:
    """Serve and ingest until a signal, or until either ends by itself; returns the exit status."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    database, redis, metrics = Store(_connector(settings)), connect_redis(settings.redis_url), Metrics()
    http = Server(_http_config(create_app(settings.secret, database, redis, metrics)))
    ingesting = asyncio.create_task(ingest(database, Ingest(redis, database, socket.gethostname(), metrics), stopping))
    serving = asyncio.create_task(http.serve(sockets=[listener]))
    forgetting = asyncio.create_task(forget_forever(redis, database))
    for task in (ingesting, serving, forgetting):
        task.add_done_callback(lambda _: stopping.set())
    await stopping.wait()
    http.should_exit = True
    await serving
    forgetting.cancel()
    status = await _end(ingesting)
    await redis.aclose()
    database.close()
    return status


async def ingest(database: Store, consumer: Ingest, stopping: asyncio.Event) -> None:
    """Open the store, however long it takes to come up, then consume. Raises SchemaTooNew."""
    delays = backoff()
    while not stopping.is_set():
        try:
            await database.open()
        except StoreUnavailable as error:
            logger.warning("%s", error.reason)
            await pause(stopping, next(delays))
        else:
            logger.info("ClickHouse is open")
            await consumer.run(stopping)


def connect_redis(url: str) -> Redis:
    """A client that fails fast; whoever uses it decides when to try again."""
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_CONNECT_TIMEOUT_S,
        protocol=2,
    )


def _connector(settings: TelemetrySettings) -> Connector:
    if settings.clickhouse_url:
        return store.server(settings.clickhouse_url)
    return store.embedded(settings.data / "clickhouse", settings.clickhouse_memory_bytes)


def _http_config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=HTTP_STOP_TIMEOUT_S,
    )


async def _end(ingesting: asyncio.Task[None]) -> int:
    await asyncio.wait([ingesting], timeout=INGEST_STOP_TIMEOUT_S)
    if not ingesting.done():
        logger.warning("an insert did not finish in time; its batch stays in the stream and is repeated at the next start")
        os._exit(0)  # a thread that waits for ClickHouse cannot be ended otherwise
    error = ingesting.exception()
    if isinstance(error, SchemaTooNew):
        logger.error("%s", error)
        return 4
    if error is not None:
        logger.error("ingestion ended unexpectedly", exc_info=error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
