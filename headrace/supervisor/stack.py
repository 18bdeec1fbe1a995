"""Which processes one instance consists of, and the settings each of them gets."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.settings import PREFIX, CommandSettings
from headrace.embedded.postgres import postgres_command, postgres_url
from headrace.embedded.service import Command
from headrace.embedded.valkey import valkey_command, valkey_url
from headrace.errors import TlsUnserved
from headrace.instance import Instance
from headrace.supervisor.child import Plan
from headrace.supervisor.ports import Ports
from headrace.supervisor.probes import http_probe, postgres_probe, valkey_probe

CHECKOUT: Final = Path(__file__).resolve().parents[2]
PYTHON: Final = (sys.executable, "-P")
"""`-P`: a folder named `control` or `serving` where somebody calls us from is not ours to run."""
DRAIN_S: Final = 3.0
"""How long Ctrl-C waits for requests under way; the supervisor ends the gateway after twice that."""
CONSOLE: Final = CHECKOUT / "frontend" / "dist"


@dataclass(frozen=True)
class Stack:
    """The plans in the order of their needs: stores first, then programs."""

    stores: tuple[Plan, ...]
    programs: tuple[Plan, ...]
    control: Plan
    migrate: Command
    """Brings the database's schema up to date; runs to its end before control starts."""


def plan_stack(instance: Instance, settings: CommandSettings, ports: Ports) -> Stack:
    """Plan `instance`; a service whose URL is set in `settings` is used where it is instead of being started.

    Raises TlsUnserved.
    """
    if settings.tls_certificate:
        raise TlsUnserved
    environment = program_environment(instance, settings, ports)
    control = Plan("control", _program(environment, "control"), http_probe(f"{console_url(ports)}/health/ready"))
    gateway = Plan("gateway", _program(environment, "gateway"), http_probe(f"{inference_url(ports)}/health/ready"))
    telemetry = Plan(
        "telemetry",
        _program(environment, "telemetry"),
        http_probe("http://telemetry/health/ready", instance.sockets / "telemetry.sock"),
    )
    return Stack(
        stores=_stores(instance, settings),
        programs=(gateway, telemetry),
        control=control,
        migrate=_program(environment, "control", "migrate"),
    )


def _stores(instance: Instance, settings: CommandSettings) -> tuple[Plan, ...]:
    sockets, plans = instance.sockets, list[Plan]()
    if not settings.redis_url:
        socket = sockets / "valkey.sock"
        plans.append(Plan("valkey", valkey_command(instance.data / "valkey", socket), valkey_probe(socket)))
    if not settings.database_url:
        data = instance.data / "postgres"
        plans.append(Plan("postgres", postgres_command(data, sockets / "pg"), postgres_probe(data)))
    return tuple(plans)


def program_environment(instance: Instance, settings: CommandSettings, ports: Ports) -> dict[str, str]:
    """The `HEADRACE_*` variables every program of the instance gets; what the user set for a program alone stays as it is."""
    sockets = instance.sockets
    values = {
        "data": instance.data,
        "host": ports.host,
        "secret": settings.secret or instance.secret(),
        "database_url": settings.database_url or postgres_url(sockets / "pg"),
        "redis_url": settings.redis_url or valkey_url(sockets / "valkey.sock"),
        "clickhouse_url": settings.clickhouse_url,
        "artifacts": settings.artifacts_location(),
        "telemetry_url": f"unix:{sockets / 'telemetry.sock'}",
        "telemetry_listen": f"unix:{sockets / 'telemetry.sock'}",
        "control_port": ports.console,
        "inference_port": ports.inference,
        "grpc_port": ports.grpc,
        "inference_url": inference_url(ports),
        "workers": settings.workers,
        "drain_s": DRAIN_S,
        "console_directory": CONSOLE,
    }
    return {PREFIX + name.upper(): str(value) for name, value in values.items()} | {"ORT_DISABLE_TELEMETRY": "1"}


def console_url(ports: Ports) -> str:
    """Where people reach the console."""
    return f"http://{_reachable(ports.host)}:{ports.console}"


def inference_url(ports: Ports) -> str:
    """Where applications reach the inference API over HTTP."""
    return f"http://{_reachable(ports.host)}:{ports.inference}"


def grpc_target(ports: Ports) -> str:
    """Where gRPC clients reach the inference API."""
    return f"{_reachable(ports.host)}:{ports.grpc}"


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _program(environment: dict[str, str], *arguments: str) -> Command:
    return Command((*PYTHON, "-m", *arguments), environment)
