"""The gateway's side of the protocol over gRPC: from a key in the metadata to what its project has deployed."""

import time
from collections.abc import Callable, Iterable

from contracts.errors import HeadraceError
from gateway.inference import Inference, NotServing, choose
from gateway.repository import SCOPE as REPOSITORY
from gateway.repository import Repository, index
from gateway.request_ids import RequestIds
from gateway.routing import INFER, Caller
from serving.calls import Call
from serving.models import Model
from serving.repository import ModelState, Verb


class GrpcEdge:
    """The host of all projects."""

    def __init__(
        self,
        inference: Inference,
        repository: Repository,
        is_ready: Callable[[], bool],
        note_use: Callable[[Caller, str], object],
    ) -> None:
        """`note_use` is `KeyUses.note`."""
        self.inference, self.repository, self._is_ready = inference, repository, is_ready
        self.note_use = note_use
        self.ids = RequestIds()

    @property
    def is_ready(self) -> bool:
        return self._is_ready()

    def open(self, authorization: bytes) -> "KeySession":
        """Raises KeyRefused or NotServing."""
        return KeySession(self, authorization)

    def count_refusal(self, status: int) -> None:
        """Count an answer to an RPC that led to no deployment."""
        self.inference.count_refusal(status)


class KeySession:
    """What one key may do, for as long as it may: a stream can outlive it."""

    def __init__(self, edge: GrpcEdge, authorization: bytes) -> None:
        """Raises KeyRefused or NotServing."""
        self._edge, self._inference, self._authorization = edge, edge.inference, authorization
        self._routes = self._inference.routes
        self._caller = self._inference.authenticate(authorization)
        self._address: Callable[[], str] = str
        self._noted: object = None

    def admit(self, address: Callable[[], str]) -> None:
        """Raises NetworkNotAllowed."""
        self._address = address
        self._check_network()

    def model(self, name: str, version: str | None) -> Model:
        """Raises ScopeMissing, DeploymentNotFound, VersionNotFound or NotServing."""
        placement = choose(self._caller.endpoint(name), name, version)
        if placement.model is None:
            raise NotServing(placement.why_not_serving())
        return placement.model

    def models(self) -> Iterable[Model]:
        """Raises ScopeMissing."""
        self._caller.demand(INFER)
        placements = [it for endpoint in self._caller.deployments.values() for it in endpoint.placements()]
        return [it.model for it in placements if it.model is not None]

    def begin(self, call: Call, name: str, version: str | None) -> None:
        """Answer `call` in the end; its id goes with the answer."""
        time_ns = time.time_ns()
        request_id = self._edge.ids.next(time_ns // 1_000_000)
        call.headers = b"x-request-id: %s\r\n" % request_id.encode()
        try:
            caller = self._known_caller(time_ns)
        except HeadraceError as error:
            call.reject(error, lambda it: self._edge.count_refusal(it.status))
        else:
            if self._noted is not caller.token:
                self._note()
            self._inference.begin(call, caller, name, version, request_id)

    def index(self) -> Iterable[ModelState]:
        """Raises ScopeMissing."""
        self._caller.demand(REPOSITORY)
        return index(self._caller)

    async def change(self, name: str, verb: Verb) -> None:
        """Raises ScopeMissing, DeploymentNotFound, NotShared or NotServing."""
        await self._edge.repository.change(self._caller, name, verb)

    def _known_caller(self, time_ns: int) -> Caller:
        """The caller, looked up again if the route table is another one by now, or the key's time is over."""
        if self._inference.routes is not self._routes or time_ns >= self._caller.expires_ns:
            self._caller = self._inference.authenticate(self._authorization)
            self._check_network()
            self._routes = self._inference.routes
        return self._caller

    def _check_network(self) -> None:
        if self._caller.networks:
            self._caller.check_network(self._address())
        self._note()

    def _note(self) -> None:
        self._noted = self._edge.note_use(self._caller, self._address())
