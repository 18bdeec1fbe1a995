"""The Dockerfile and docker-compose.yml agree with the code. They cannot be run where this is tested, so they are read."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec.structs
import pytest
import typer.main
import yaml

from contracts.settings import (
    CommandSettings,
    ControlSettings,
    GatewaySettings,
    SharedSettings,
    TelemetrySettings,
    load_settings,
)
from control.app import create_app as create_control
from headrace.__main__ import app as command
from telemetry.app import create_app as create_telemetry

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
SETTINGS: dict[str, type[SharedSettings]] = {
    "migrate": ControlSettings,
    "control": ControlSettings,
    "telemetry": TelemetrySettings,
    "gateway": GatewaySettings,
}
each_program = pytest.mark.parametrize("program", SETTINGS)


def with_defaults(text: str) -> str:
    """As Compose reads it when nothing is set: `${NAME:-default}` becomes the default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(with_defaults(COMPOSE))["services"]


def instructions(name: str) -> list[str]:
    """Arguments of every `name` of the Dockerfile, in order."""
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, flags=re.MULTILINE)


def image_environment() -> dict[str, str]:
    return dict(it.split("=", 1) for it in shlex.split(instructions("ENV")[-1]))


def environment(program: str) -> dict[str, str]:
    """What the program sees: the image's variables and the service's."""
    return image_environment() | {name: str(value) for name, value in SERVICES[program]["environment"].items()}


def settings_of(program: str) -> Any:
    return load_settings(environment(program), SETTINGS[program])


def health_url(program: str) -> Any:
    return urlsplit(environment(program)["HEALTH_URL"])


def paths_of(program: str) -> set[str]:
    """Paths the program answers."""
    if program == "control":
        return {route.path for route in create_control(ControlSettings(secret="only for the routes")).routes}
    if program == "telemetry":
        absent: Any = None
        return {route.path for route in create_telemetry("", absent, absent, absent).routes}
    sources = [path.read_text() for folder in ("gateway", "serving") for path in (ROOT / folder).rglob("*.py")]
    return set(re.findall(r'b?"(/health/\w+)"', "\n".join(sources)))


@each_program
def test_every_variable_is_a_setting_of_its_role_and_has_a_valid_value(program: str) -> None:
    settings_of(program)
    given = {name.removeprefix("HEADRACE_").lower() for name in SERVICES[program]["environment"] if name.startswith("HEADRACE_")}
    known = set(SETTINGS[program].__struct_fields__)
    if program == "migrate":
        known |= set(CommandSettings.__struct_fields__)
    assert given <= known


@each_program
def test_the_command_exists(program: str) -> None:
    assert instructions("ENTRYPOINT") == ['["headrace"]']
    assert set(SERVICES[program]["command"]) <= set(typer.main.get_command(command).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("program", ["control", "telemetry", "gateway"])
def test_the_health_check_asks_a_path_the_program_answers_on_its_port(program: str) -> None:
    settings = settings_of(program)
    port = {"control": "control_port", "gateway": "inference_port"}.get(program)
    listening = getattr(settings, port) if port else int(settings.telemetry_listen.rpartition(":")[2])
    assert health_url(program).port == listening
    assert health_url(program).path in paths_of(program)
    assert "os.environ['HEALTH_URL']" in instructions("HEALTHCHECK")[0]


@pytest.mark.parametrize(
    ("program", "setting"),
    [
        ("control", "control_port"),
        ("gateway", "inference_port"),
        ("gateway", "grpc_port"),
        ("telemetry", "telemetry_listen"),
    ],
)
def test_ports_are_the_defaults_of_the_settings(program: str, setting: str) -> None:
    value = str(getattr(settings_of(program), setting))
    default = str(next(it.default for it in msgspec.structs.fields(SETTINGS[program]) if it.name == setting))
    assert value.rpartition(":")[2] == default.rpartition(":")[2]
    assert value.rpartition(":")[2] in instructions("EXPOSE")[0].split()


@pytest.mark.parametrize("program", ["control", "gateway"])
def test_published_ports_are_the_ones_listened_on_and_only_for_this_machine(program: str) -> None:
    listening = {str(health_url(program).port)}
    if program == "gateway":
        listening.add(str(settings_of("gateway").grpc_port))
    published = [it.split(":") for it in SERVICES[program]["ports"]]
    assert {host for host, _, _ in published} == {"127.0.0.1"}
    assert {outside for _, outside, _ in published} == {inside for _, _, inside in published} == listening


def test_nothing_else_is_published() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"control", "gateway"}


def addresses(program: str) -> dict[str, str]:
    """Variables that name another service, and the host they name."""
    hosts = {name: urlsplit(value).hostname for name, value in environment(program).items() if name.startswith("HEADRACE_")}
    return {name: host for name, host in hosts.items() if host in SERVICES}


@each_program
def test_it_waits_for_every_service_it_names(program: str) -> None:
    unused = {"HEADRACE_REDIS_URL", "HEADRACE_S3_ENDPOINT"} if program == "migrate" else set[str]()
    wanted = {host for name, host in addresses(program).items() if name not in unused}
    waited = SERVICES[program]["depends_on"]
    assert wanted
    assert wanted <= set(waited)
    for name in set(waited) & {"postgres", "valkey", "clickhouse", "objects"}:
        assert waited[name]["condition"] == "service_healthy"


def test_control_starts_after_the_migration() -> None:
    assert SERVICES["control"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_waiting_has_no_circle() -> None:
    left = {name: set(service.get("depends_on", {})) for name, service in SERVICES.items()}
    while left:
        free = {name for name, waits in left.items() if not waits & left.keys()}
        assert free, f"these wait for each other: {sorted(left)}"
        left = {name: waits for name, waits in left.items() if name not in free}


def test_addresses_name_the_ports_of_the_programs() -> None:
    control = environment("control")
    assert urlsplit(control["HEADRACE_TELEMETRY_URL"]).port == health_url("telemetry").port
    assert urlsplit(control["HEADRACE_GATEWAY_URL"]).port == health_url("gateway").port
    assert urlsplit(control["HEADRACE_INFERENCE_URL"]).port == health_url("gateway").port
    assert urlsplit(control["HEADRACE_PUBLIC_URL"]).port == health_url("control").port


def test_the_programs_share_what_they_must_share() -> None:
    assert environment("control")["HEADRACE_SECRET"] == environment("telemetry")["HEADRACE_SECRET"]
    for name in ("HEADRACE_ARTIFACTS", "HEADRACE_S3_ENDPOINT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert environment("control")[name] == environment("gateway")[name]
    assert len({environment(it)["HEADRACE_REDIS_URL"] for it in ("control", "telemetry", "gateway")}) == 1


def test_passwords_are_the_services_own() -> None:
    database, clickhouse = (
        urlsplit(environment(program)[name])
        for program, name in (("control", "HEADRACE_DATABASE_URL"), ("telemetry", "HEADRACE_CLICKHOUSE_URL"))
    )
    for url, service, prefix in ((database, "postgres", "POSTGRES"), (clickhouse, "clickhouse", "CLICKHOUSE")):
        assert url.username == SERVICES[service]["environment"][f"{prefix}_USER"]
        assert url.password == SERVICES[service]["environment"][f"{prefix}_PASSWORD"]
        assert url.path.strip("/") == SERVICES[service]["environment"][f"{prefix}_DB"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert SERVICES["objects"]["environment"][name] == environment("gateway")[name]


def test_the_bucket_is_the_one_that_is_made() -> None:
    bucket = urlsplit(environment("control")["HEADRACE_ARTIFACTS"]).netloc
    assert f"-bucket={bucket}" in SERVICES["objects"]["command"]
    assert f"-s3.port={urlsplit(environment('control')['HEADRACE_S3_ENDPOINT']).port}" in SERVICES["objects"]["command"]


def test_every_secret_can_be_set_from_outside() -> None:
    values = re.findall(r"^ +\w*(?:PASSWORD|SECRET|ACCESS_KEY|ACCESS_KEY_ID): +(.*)$", COMPOSE, flags=re.MULTILINE)
    assert len(values) == 8
    for value in values:
        assert re.fullmatch(r"\$\{\w+:-[\w-]+\}", value)
    for url in re.findall(r"://\w+:(\S*?)@", COMPOSE):
        assert re.fullmatch(r"\$\{\w+:-[\w-]+\}", url)


def test_images_are_pinned() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name, service in SERVICES.items():
        _, _, tag = service["image"].rpartition(":")
        assert tag == version if name in SETTINGS else re.match(r"\d+\.\d+", tag)
    for line in instructions("FROM"):
        assert re.search(r":\d+\.\d+", line.split()[0])


def test_services_that_keep_data_have_a_volume() -> None:
    named = yaml.safe_load(COMPOSE)["volumes"]
    for name in ("postgres", "valkey", "clickhouse", "objects", "control", "gateway"):
        (volume,) = SERVICES[name]["volumes"]
        assert volume.split(":")[0] in named
    for name in ("control", "gateway"):
        assert SERVICES[name]["volumes"][0].split(":")[1] == image_environment()["HEADRACE_DATA"]


def test_what_the_dockerfile_copies_exists_and_is_sent_to_the_builder() -> None:
    sent = {it[1:] for it in (ROOT / ".dockerignore").read_text().splitlines() if it.startswith("!")}
    copied = [it.split()[:-1] for it in instructions("COPY") if not it.startswith("--from")]
    for source in (source for sources in copied for source in sources):
        assert (ROOT / source).exists()
        assert source.split("/")[0] in sent
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {source for sources in copied for source in sources} >= set(packages)


def test_the_image_runs_without_root() -> None:
    (user,) = instructions("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert f"--uid {user.split(':')[0]} " in DOCKERFILE


def test_the_image_uses_the_projects_uv_and_its_lock_file() -> None:
    version = re.search(r'UV_VERSION = "([\d.]+)"', (ROOT / "headrace" / "bootstrap.py").read_text())
    assert version is not None
    assert f"uv=={version[1]}" in DOCKERFILE
    syncs = [it for it in instructions("RUN") if "uv sync" in it]
    assert syncs
    assert all("--frozen" in it and "--no-dev" in it for it in syncs)
