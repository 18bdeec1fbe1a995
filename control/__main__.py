"""`python -m control`: serve. `python -m control migrate`: bring the schema up to date. `python -m control openapi`: print it.
`python -m control verify-audit`: go over the audit log.
"""

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
from types import FrameType
from typing import Final

import asyncpg
import msgspec

from contracts.errors import HeadraceError
from contracts.logs import configure_logging
from contracts.settings import ControlSettings, load_settings
from control.database import connected
from control.schema_version import SchemaNewer, find_schema

logger = logging.getLogger("control")

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_PORT_TAKEN: Final = 3
EXIT_SCHEMA_NEWER: Final = 4
EXIT_TAMPERED: Final = 5

MIGRATE_PATIENCE_S: Final = 30.0
"""How long `migrate` waits for a database that is only just starting."""
RETRY_S: Final = 0.5
CHATTY: Final = ("httpx", "alembic.runtime.plugins")
"""Libraries that log every call of theirs as news."""
SHUTDOWN_S: Final = 5
"""How long requests under way may take to finish after SIGTERM."""


def main(arguments: list[str]) -> int:
    """Run one command; the answer is the exit status."""
    try:
        match arguments:
            case ["openapi"]:
                return print_openapi()
            case ["verify-audit"]:
                return asyncio.run(verify_audit(_settings().database_url))
            case ["migrate"]:
                return asyncio.run(migrate_when_up(_settings().database_url))
            case []:
                return serve(_settings())
            case _:
                print("usage: python -m control [migrate | openapi | verify-audit]", file=sys.stderr)
                return EXIT_USAGE
    except SchemaNewer as error:
        print(f"headrace control: {error}", file=sys.stderr)
        return EXIT_SCHEMA_NEWER
    except HeadraceError as error:
        print(f"headrace control: {error}", file=sys.stderr)
        return EXIT_FAILED


def print_openapi() -> int:
    """Print the API's description; needs neither settings nor a database."""
    from control.app import create_app  # as slow as for `serve`
    from control.openapi import describe

    app = create_app(ControlSettings(secret="only for the description"))  # noqa: S106
    print(msgspec.json.format(msgspec.json.encode(describe(app), order="deterministic"), indent=2).decode())
    return 0


async def verify_audit(database_url: str) -> int:
    """Print a line for each organization's audit log; the answer is EXIT_TAMPERED if one of them is not as it was written."""
    from control.audit.verifying import describe, verify  # only this command needs it

    try:
        async with connected(database_url) as connection:
            verdicts = await verify(connection)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise HeadraceError(f"the audit log cannot be read: {error}") from error
    for it in verdicts:
        print(describe(it))
    return EXIT_TAMPERED if any(it.fault for it in verdicts) else 0


async def migrate_when_up(database_url: str) -> int:
    """Migrate as soon as the database answers, within `MIGRATE_PATIENCE_S`."""
    deadline = asyncio.get_running_loop().time() + MIGRATE_PATIENCE_S
    while True:
        try:
            await migrate_if_behind(database_url)
            return 0
        except (OSError, asyncpg.CannotConnectNowError) as error:
            if asyncio.get_running_loop().time() > deadline:
                raise HeadraceError(f"the database cannot be reached: {error}") from error
            await asyncio.sleep(RETRY_S)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise HeadraceError(f"the database refuses us: {error}") from error


async def migrate_if_behind(database_url: str) -> None:
    """Apply what is missing; raises what `control.migrate.migrate` raises."""
    async with connected(database_url) as connection:
        schema = await find_schema(connection)
    if schema.found != schema.wanted:
        from control.migrate import migrate  # Alembic takes a second to import, which every start but the first can do without

        await migrate(database_url)


def serve(settings: ControlSettings) -> int:
    """Serve until SIGTERM or SIGINT."""
    import uvicorn  # slow to import, as is the application: `migrate` does without

    from control.app import create_app

    try:
        listener = listen(settings.host, settings.control_port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise HeadraceError(f"cannot listen on {settings.host}:{settings.control_port}: {error.strerror}") from error
        print(f"headrace control: port {settings.control_port} on {settings.host} is taken", file=sys.stderr)
        return EXIT_PORT_TAKEN
    asyncio.run(refuse_newer_schema(settings.database_url))
    app = create_app(settings)

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """End the event streams first: they would hold up the others' good order until their time is up."""
            app.state.resources.feed.end_all()
            await super().shutdown(sockets)

    server = Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignore)
    logger.info("listening on http://%s:%d", settings.host, listener.getsockname()[1])
    server.run([listener])
    return 0 if server.started else EXIT_FAILED


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; bound here rather than by uvicorn, so that a taken port is our error to report."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


async def refuse_newer_schema(database_url: str) -> None:
    """Raises SchemaNewer. A database that is not there yet is not newer; readiness keeps asking."""
    try:
        async with connected(database_url) as connection:
            (await find_schema(connection)).check()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        logger.warning("starting without a database: %s", error)


def _ignore(number: int, frame: FrameType | None) -> None:
    """uvicorn handles the signal while it serves and raises it once more when it is done; by then all is well (status 0)."""


def _settings() -> ControlSettings:
    settings = load_settings(os.environ, ControlSettings)
    configure_logging(settings.log_level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    return settings


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
