"""The programs by role, for production: each runs in the foreground with the settings of the environment."""

import os
from pathlib import Path
from typing import Annotated

import typer

from headrace.commands import options
from headrace.errors import CommandFailed
from headrace.supervisor.ports import Ports
from headrace.supervisor.stack import PYTHON, program_environment

audit_commands = typer.Typer(help="The audit log.", no_args_is_help=True)


def control() -> None:
    """Run the control plane: API and console."""
    _become("control")


def telemetry() -> None:
    """Run telemetry: request logs and what is made of them."""
    _become("telemetry")


def gateway() -> None:
    """Run the gateway: the inference API."""
    _become("gateway")


def serve(
    model: Annotated[Path, typer.Argument(help="An ONNX file.", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option(help="Name to serve it under; the file's own if empty.")] = "",
) -> None:
    """Serve one model alone, without keys or a database."""
    _become("serving", "serve", str(model), *(["--name", name] if name else []))


def migrate() -> None:
    """Bring the database schema up to date: HEADRACE_DATABASE_URL's, or the running instance's."""
    _use_database("which migrates it")
    _become("control", "migrate")


@audit_commands.command("verify")
def verify_audit() -> None:
    """Go over the audit log of every organization: is each entry as it was written, and is none missing? Status 5 if not."""
    _use_database("whose log is meant")
    _become("control", "verify-audit")


def _use_database(why: str) -> None:
    """Let HEADRACE_DATABASE_URL name the running instance's database, unless it names one."""
    settings = options.settings()
    if not settings.database_url:
        here = options.instance()
        if not here.is_locked():
            raise CommandFailed(f"set HEADRACE_DATABASE_URL, or start the embedded database with `headrace up` ({why})")
        os.environ.update(program_environment(here, settings, Ports(settings.host, settings.port_base)))


def _become(module: str, *arguments: str) -> None:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    os.execv(PYTHON[0], [*PYTHON, "-m", module, *arguments])  # noqa: S606
