"""What the system routes give."""

from typing import Literal

from msgspec import Struct


class SignInProvider(Struct, frozen=True):
    """A provider of OpenID Connect."""

    name: str
    label: str


class System(Struct, frozen=True):
    """What a client needs to know before anybody logs in."""

    version: str
    inference_url: str
    grpc_target: str
    """`host:port` of the inference API over gRPC."""
    signup_open: bool
    signup_domains: list[str]
    """Of which one who signs up must have their address; empty: of any."""
    sign_in_providers: list[SignInProvider]
    """Where one may sign in instead of giving a password."""


class Live(Struct, frozen=True):
    """The process answers."""

    status: Literal["live"]


class Dependency(Struct, frozen=True):
    """One service this process needs or uses; `detail` says what is wrong."""

    state: Literal["up", "down"]
    detail: str = ""


class Readiness(Struct, frozen=True):
    """Whether requests can be answered, and what every dependency has to do with it."""

    status: Literal["ready", "not ready"]
    dependencies: dict[str, Dependency]
