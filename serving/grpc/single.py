"""A host of one model, without keys: whoever calls may call it."""

from collections.abc import Callable, Iterable

from serving.calls import Call
from serving.errors import ModelUnknown, VersionNotFound
from serving.grpc.hosts import Session
from serving.grpc.statuses import MethodUnsupported
from serving.models import Model
from serving.repository import ModelState, Verb


class SingleModel:
    """Host and session in one."""

    is_ready = True

    def __init__(self, model: Model, count: Callable[[Call], None] = lambda _: None) -> None:
        """`count` is told of each call that is over."""
        self._model, self._count = model, count

    def open(self, authorization: bytes) -> Session:
        """The one session there is."""
        return self

    def admit(self, address: Callable[[], str]) -> None:
        """From anywhere."""

    def count_refusal(self, status: int) -> None:
        """Nobody counts here."""

    def model(self, name: str, version: str | None) -> Model:
        """Raises ModelUnknown or VersionNotFound."""
        if name != self._model.name:
            raise ModelUnknown(name)
        if version not in (None, self._model.version):
            raise VersionNotFound(name, version)
        return self._model

    def models(self) -> Iterable[Model]:
        """The model."""
        return (self._model,)

    def begin(self, call: Call, name: str, version: str | None) -> None:
        """Answer `call` in the end."""
        try:
            model = self.model(name, version)
        except (ModelUnknown, VersionNotFound) as error:
            call.reject(error, self._count)
        else:
            call.begin(model, model.submit, self._count)

    def index(self) -> Iterable[ModelState]:
        """The model, which is READY."""
        return (ModelState(self._model.name, self._model.version, "READY"),)

    async def change(self, name: str, verb: Verb) -> None:
        """Raises MethodUnsupported."""
        raise MethodUnsupported(f"this server serves one model, and does not {verb} it")
