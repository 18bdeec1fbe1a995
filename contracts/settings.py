"""Every setting of every program, read once at start from `HEADRACE_*` variables.

One frozen Struct a program. They stand together because an operator sets one environment for all of them, and because a
misspelt name can only be told from another program's setting where all names are known.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_origin

import msgspec
import msgspec.structs
from msgspec import Meta, Struct

from contracts.errors import SettingInvalid

PREFIX: Final = "HEADRACE_"

Port = Annotated[int, Meta(ge=0, le=65535)]
Secret = Annotated[str, Meta(min_length=16)]


class OidcProvider(Struct, frozen=True, forbid_unknown_fields=True):
    """Where people may sign in by OpenID Connect."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}$")]
    """In addresses."""
    label: Annotated[str, Meta(min_length=1, max_length=64)]
    """On the button."""
    issuer: Annotated[str, Meta(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])[^\s?#]+$")]
    """Exactly as the provider writes it."""
    client_id: Annotated[str, Meta(min_length=1)]
    client_secret: Annotated[str, Meta(min_length=1)]

    def __repr__(self) -> str:
        """Without the secret: settings end up in tracebacks."""
        return f"OidcProvider(name={self.name!r}, issuer={self.issuer!r})"


class SharedSettings(Struct, frozen=True, kw_only=True):
    """What every program needs."""

    data: Path = Path(".headrace")
    """Directory of everything Headrace keeps on this machine."""
    host: str = "127.0.0.1"
    """Address the public ports listen on."""
    log_level: Annotated[str, Meta(pattern="(?i)^(debug|info|warning|error)$")] = "INFO"
    """`DEBUG`, `INFO`, `WARNING` or `ERROR`."""
    redis_url: str = "redis://127.0.0.1:6379/0"
    artifacts: str = ""
    """`s3://bucket/prefix`, or a directory; empty means `<data>/artifacts`."""
    s3_endpoint: str = ""
    """Address of an S3 server that is not Amazon's; credentials come from the usual `AWS_*` variables."""

    def artifacts_location(self) -> str:
        """The artifact store's address with its default filled in."""
        return self.artifacts or str(self.data / "artifacts")


class ControlSettings(SharedSettings, frozen=True, kw_only=True):
    """`headrace control`: the API and the console."""

    database_url: str = "postgresql://headrace@127.0.0.1:5432/headrace"
    secret: Secret
    """Signs access tokens and the tenant header; shared by control and telemetry."""
    telemetry_url: str = "http://127.0.0.1:8083"
    """`http://host:port` or `unix:/path/to.sock`."""
    control_port: Port = 8080
    public_url: str = ""
    """Address people use for the console; empty means `http://<host>:<control_port>`."""
    trusted_proxies: Annotated[str, Meta(pattern=r"^([0-9a-fA-F.:]+(/[0-9]{1,3})?(,(?=[0-9a-fA-F:])|$))*$")] = ""
    """`10.0.0.0/8,::1`: addresses whose `X-Forwarded-For` says where a call comes from; empty means nobody's does."""
    inference_url: str = "http://127.0.0.1:8081"
    """Address applications use for inference, shown in snippets."""
    gateway_url: str = ""
    """Address at which control itself reaches the gateway, for the try-it form; empty means `inference_url`."""
    smtp_url: str = ""
    """`smtp://[user:password@]host[:port]` or `smtps://…`; empty keeps mails as files under `<data>/mail`."""
    mail_from: str = "headrace@localhost"
    """Address that mails come from."""
    console_directory: Path = Path("frontend/dist")
    max_model_bytes: Annotated[int, Meta(ge=1024)] = 2 * 1024**3
    inspect_memory_bytes: Annotated[int, Meta(ge=2**28)] = 4 * 1024**3
    inspect_timeout_s: Annotated[float, Meta(gt=0, le=600)] = 60.0
    max_batch_input_bytes: Annotated[int, Meta(ge=1024)] = 4 * 1024**3
    """Size of the input file of a batch job."""
    batch_jobs_at_once: Annotated[int, Meta(ge=0, le=64)] = 2
    """Batch jobs that one control process runs at a time, each in a process of its own; 0 leaves them to others."""
    batch_job_memory_bytes: Annotated[int, Meta(ge=2**28)] = 1024**3
    """What the process of one batch job may take."""
    registration: Literal["open", "invited", "closed"] = "open"
    """`open`: everybody may make an account; `invited`: only who was invited into an organization; `closed`: nobody."""
    registration_domains: Annotated[str, Meta(pattern=r"(?i)^([a-z0-9.-]+(,[a-z0-9.-]+)*)?$")] = ""
    """`example.com,example.org`: who was not invited needs an address of one of these, and confirms it before logging in."""
    oidc: tuple[OidcProvider, ...] = ()
    """As JSON: `[{"name": …, "label": …, "issuer": …, "client_id": …, "client_secret": …}]`."""
    bcrypt_cost: Annotated[int, Meta(ge=4, le=16)] = 12
    access_token_s: Annotated[int, Meta(ge=30, le=86400)] = 900
    refresh_token_s: Annotated[int, Meta(ge=60)] = 30 * 86400
    database_connections: Annotated[int, Meta(ge=1, le=100)] = 10
    event_stream_s: Annotated[float, Meta(gt=0, le=86400)] = 900
    """After which an event stream ends, so that the browser comes again with a session that is still good."""

    def signup_domains(self) -> list[str]:
        """Where who signs up must have their mail; empty means anywhere."""
        return sorted(set(filter(None, self.registration_domains.lower().split(","))))


class TelemetrySettings(SharedSettings, frozen=True, kw_only=True):
    """`headrace telemetry`: request logs and what is made of them."""

    clickhouse_url: str = ""
    """`clickhouse://user:password@host:8123/database`; empty means the engine embedded under `<data>/clickhouse`."""
    clickhouse_memory_bytes: Annotated[int, Meta(ge=2**28)] = 2 * 1024**3
    secret: Secret
    telemetry_listen: str = "127.0.0.1:8083"
    """`host:port` or `unix:/path/to.sock`."""


class ListenerSettings(SharedSettings, frozen=True, kw_only=True):
    """What every program that answers inference calls needs."""

    tls_certificate: str = ""
    """PEM file of the certificate and its chain, for TLS on the inference ports; empty means plain HTTP and gRPC."""
    tls_key: str = ""
    """PEM file of the certificate's key, without a password."""


class GatewaySettings(ListenerSettings, frozen=True, kw_only=True):
    """`headrace gateway`: the inference API."""

    inference_port: Port = 8081
    grpc_port: Port = 8082
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    restartable: bool = False
    """Whether one worker has a parent too, which replaces it without a gap on SIGHUP; several always have."""
    drain_s: Annotated[float, Meta(ge=0, le=3600)] = 30.0
    """How long requests under way may take once a worker was told to stop."""
    max_body_bytes: Annotated[int, Meta(ge=1024)] = 64 * 1024**2
    max_connections: Annotated[int, Meta(ge=1)] = 10_000
    idle_timeout_s: Annotated[float, Meta(gt=0)] = 75.0
    """How long a kept-alive connection may wait for its next request."""
    request_timeout_s: Annotated[float, Meta(gt=0)] = 30.0
    """How long a request may wait for its answer before 504."""
    queue_rows: Annotated[int, Meta(ge=1)] = 10_000
    """Rows that may wait for one model before 503."""
    intra_op_threads: Annotated[int, Meta(ge=0)] = 0
    """Threads of one onnxruntime session; 0 means as many as were measured to pay."""
    tuning_budget_s: Annotated[float, Meta(ge=0, le=60)] = 1.5
    """How long measuring a model may take when it is loaded the first time; a cheap model takes a fraction of it."""
    cache_url: str = ""
    """Redis that gateways share cached answers through; empty means `redis_url`."""
    log_ring_records: Annotated[int, Meta(ge=1)] = 100_000
    log_spill_bytes: Annotated[int, Meta(ge=0)] = 256 * 1024**2


class ServeSettings(ListenerSettings, frozen=True, kw_only=True):
    """`headrace serve`: one model behind the Open Inference Protocol, no keys, no database."""

    inference_port: Port = 8081
    grpc_port: Port = 8082
    max_body_bytes: Annotated[int, Meta(ge=1024)] = 64 * 1024**2
    max_connections: Annotated[int, Meta(ge=1)] = 10_000
    idle_timeout_s: Annotated[float, Meta(gt=0)] = 75.0
    request_timeout_s: Annotated[float, Meta(gt=0)] = 30.0
    queue_rows: Annotated[int, Meta(ge=1)] = 10_000
    intra_op_threads: Annotated[int, Meta(ge=0)] = 0
    tuning_budget_s: Annotated[float, Meta(ge=0, le=60)] = 1.5


class CommandSettings(SharedSettings, frozen=True, kw_only=True):
    """`headrace up` and the other commands: a set URL replaces the embedded service of that name."""

    database_url: str = ""
    redis_url: str = ""
    clickhouse_url: str = ""
    secret: str = ""
    port_base: Annotated[int, Meta(ge=0, le=65533)] = 8080
    """Console port; inference gets the next two. 0 picks free ones."""
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    api_url: str = ""
    """Console address the client commands talk to; empty means the instance running under `data`."""
    tls_certificate: str = ""
    """Refused by `headrace up`, which serves plain HTTP to its own machine."""
    token: str = ""
    """Access token the client commands use; empty means the one `headrace login` kept."""
    password: str = ""
    """Password for `headrace signup` and `login`; empty means to ask for it."""
    api_key: str = ""
    """Key `headrace predict` uses; empty means one that it makes and keeps for whoever signed in here."""


ALL_SETTINGS: Final = (ControlSettings, TelemetrySettings, GatewaySettings, ServeSettings, CommandSettings)

Settings = TypeVar("Settings", bound=SharedSettings)


def load_settings(environ: Mapping[str, str], program: type[Settings]) -> Settings:
    """Read `program`'s settings from `environ`; other programs' variables are passed over.

    Raises SettingInvalid naming the variable that is unknown, missing or out of range.
    """
    given = {name[len(PREFIX) :].lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
    known = {field for settings in ALL_SETTINGS for field in settings.__struct_fields__}
    if unknown := sorted(given.keys() - known):
        raise SettingInvalid(f"unknown setting {PREFIX}{unknown[0].upper()}; see docs/operator-guide.md for the list")
    values = {
        field.name: _convert(field.name, given[field.name], field.type)
        for field in msgspec.structs.fields(program)
        if field.name in given
    }
    try:
        return program(**values)
    except TypeError as error:
        required = [it.name for it in msgspec.structs.fields(program) if it.required and it.name not in values]
        raise SettingInvalid(f"{PREFIX}{required[0].upper()} is not set") from error


def _convert(name: str, value: str, wanted: Any) -> Any:
    try:
        if get_origin(wanted) is tuple:
            return msgspec.json.decode(value, type=wanted)
        return msgspec.convert(value, wanted, strict=False, dec_hook=_path)
    except msgspec.DecodeError as error:
        raise SettingInvalid(f"{PREFIX}{name.upper()}: {error}") from error


def _path(wanted: type, value: Any) -> Path:
    if wanted is not Path:
        raise NotImplementedError(wanted)
    return Path(value)
