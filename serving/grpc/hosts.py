"""What the protocol over gRPC asks of whoever has the models: the gateway with its tenants, or a server of one model."""

from collections.abc import Callable, Iterable
from typing import Protocol

from serving.calls import Call
from serving.models import Model
from serving.repository import ModelState, Verb


class Session(Protocol):
    """What one caller may do. Names and versions are those of the protocol; errors are HeadraceErrors."""

    def admit(self, address: Callable[[], str]) -> None:
        """Let the caller in from the address that `address` gives: told at the first message, once an RPC. Raises."""
        ...

    def model(self, name: str, version: str | None) -> Model:
        """The loaded model to answer about. Raises."""
        ...

    def models(self) -> Iterable[Model]:
        """All loaded models. Raises."""
        ...

    def begin(self, call: Call, name: str, version: str | None) -> None:
        """Answer `call` in the end. Never raises."""
        ...

    def index(self) -> Iterable[ModelState]:
        """What there is, loaded or not. Raises."""
        ...

    async def change(self, name: str, verb: Verb) -> None:
        """Load or unload. Raises."""
        ...


class Host(Protocol):
    """Where RPCs find their session."""

    @property
    def is_ready(self) -> bool: ...

    def open(self, authorization: bytes) -> Session:
        """A session for who presents this; empty if nothing was presented. Raises."""
        ...

    def count_refusal(self, status: int) -> None:
        """Take note of an RPC that was refused before it led to a model; `status` is as HTTP counts."""
        ...
