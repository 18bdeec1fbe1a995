"""From an `Authorization` header to the caller and what its project has deployed: look-ups made once a route table."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Final, Protocol
from uuid import UUID

import msgspec

from contracts.errors import Forbidden, NotFound, Unauthenticated
from contracts.networks import is_within
from contracts.routes import Key, RouteTable
from gateway.endpoints import Endpoint

INFER: Final = "infer"
REPOSITORY: Final = "repository"
"""Scopes of keys: to call deployments, and to load and unload them."""
SCHEME: Final = b"bearer "
KEY_PREFIX: Final = b"hr_"
CHALLENGE: Final = b'www-authenticate: Bearer realm="headrace"\r\n'
"""What a refused key is answered with."""


class KeyRefused(Unauthenticated):
    """No key, none that is known, or one that has expired; never says which, only what a good one looks like."""

    title = "Key refused"


class ScopeMissing(Forbidden):
    title = "Scope missing"


class ProjectNotFound(NotFound):
    title = "Project not found"

    def __init__(self, prefix: str) -> None:
        super().__init__(f"this key's project is not at {prefix}")


class DeploymentNotFound(NotFound):
    title = "Deployment not found"

    def __init__(self, name: str) -> None:
        super().__init__(f"no deployment named {name!r} in this key's project")


class DeploymentNotAllowed(Forbidden):
    """Said of every other name, so that such a key cannot find out what else there is."""

    title = "Deployment not allowed"

    def __init__(self, name: str) -> None:
        super().__init__(f"this key is for some deployments only, and {name!r} is none of them")


class NetworkNotAllowed(Forbidden):
    title = "Network not allowed"

    def __init__(self, address: str) -> None:
        super().__init__(f"this key may not be used from {address or 'where you are'}")


class Limiter(Protocol):
    """What one key may still take."""

    @property
    def rows(self) -> object | None:
        """None if rows are not limited."""
        ...

    def admit(self) -> None:
        """Let one request in. Raises TooMany."""
        ...

    def take_rows(self, rows: int) -> None:
        """Raises TooMany."""
        ...

    def leave(self) -> None:
        """A request that was let in is over."""
        ...

    def header_lines(self) -> bytes:
        """What an answer says of the limits: whole lines."""
        ...


class Caller:
    """One API key and the deployments of its project by name."""

    __slots__ = (
        "deployments",
        "expires_ns",
        "has_old_secret",
        "is_for_all",
        "key_id",
        "limiter",
        "networks",
        "prefix",
        "project_id",
        "scopes",
        "secret_sha256",
        "token",
    )

    def __init__(
        self,
        key: Key,
        deployments: Mapping[str, Endpoint],
        limiter: Limiter | None,
        prefix: str = "",
        has_old_secret: bool = False,
    ) -> None:
        self.limiter = limiter
        """None for a key without limits."""
        self.project_id = key.project_id
        self.key_id = key.key_uuid.bytes
        self.secret_sha256 = key.secret_sha256
        self.scopes = frozenset(key.scopes)
        self.prefix = prefix
        """Path under which the project can be called too, as in `/o/acme/p/fraud`; empty if it has nothing deployed."""
        self.expires_ns = float("inf") if key.expires_at is None else key.expires_at * 1e9
        self.deployments = deployments
        self.is_for_all = key.deployments is None
        """Whether `deployments` are all of its project."""
        self.networks = tuple(ip_network(it) for it in key.networks)
        """Where it may be used; empty means anywhere, and then nobody need ask for the client's address."""
        self.has_old_secret = has_old_secret
        """Whether this is the key with the secret that its last rotation replaced."""
        self.token: object = object()
        """Another one once its use is to be noted again (`gateway.key_uses`)."""

    def endpoint(self, name: str) -> Endpoint:
        """What to call by this name. Raises ScopeMissing, DeploymentNotFound or DeploymentNotAllowed."""
        self.demand(INFER)
        return self.known(name)

    def known(self, name: str) -> Endpoint:
        """Raises DeploymentNotFound or DeploymentNotAllowed."""
        endpoint = self.deployments.get(name)
        if endpoint is None:
            raise DeploymentNotFound(name) if self.is_for_all else DeploymentNotAllowed(name)
        return endpoint

    def demand(self, scope: str) -> None:
        """Raises ScopeMissing."""
        if scope not in self.scopes:
            raise ScopeMissing(f"this key lacks the scope {scope!r}")

    def check_network(self, address: str) -> None:
        """Raises NetworkNotAllowed unless the key may be used from `address`."""
        if not is_within(address, self.networks):
            raise NetworkNotAllowed(address)


class Routes:
    """One route table ready for look-ups; a new table makes a new one, so what is remembered of an old one is void."""

    __slots__ = ("_callers", "_previous", "version")

    def __init__(
        self,
        table: RouteTable,
        endpoints: Mapping[UUID, Endpoint],
        limiter_for: Callable[[Key], Limiter | None] = lambda _: None,
    ) -> None:
        self.version = table.version
        projects: dict[UUID, dict[str, Endpoint]] = {}
        prefixes: dict[UUID, str] = {}
        for it in table.deployments:
            projects.setdefault(it.project_id, {})[it.name] = endpoints[it.deployment_id]
            prefixes[it.project_id] = f"/o/{it.organization_slug}/p/{it.project_slug}"
        self._callers: dict[bytes, Caller] = {}
        self._previous: dict[bytes, Caller] = {}
        """With the secrets that were replaced and are good still."""
        for key in table.keys:
            deployed = projects.get(key.project_id, {})
            if key.deployments is not None:
                chosen = {endpoints.get(it) for it in key.deployments}
                deployed = {name: it for name, it in deployed.items() if it in chosen}
            limiter, prefix = limiter_for(key), prefixes.get(key.project_id, "")
            self._callers[key.key_id.encode()] = Caller(key, deployed, limiter, prefix)
            if key.previous_sha256 is not None:
                old = with_previous_secret(key)
                self._previous[key.key_id.encode()] = Caller(old, deployed, limiter, prefix, has_old_secret=True)

    def authenticate(self, authorization: bytes | None, now: float) -> Caller:
        """The caller behind the header value; `now` is seconds since the epoch. Raises KeyRefused."""
        if not authorization:
            raise KeyRefused("send an API key: 'Authorization: Bearer hr_…'")
        key_id, secret = _split(authorization)
        digest = hashlib.sha256(secret).digest()
        for callers in (self._callers, self._previous):
            caller = callers.get(key_id)
            if caller is not None and hmac.compare_digest(digest, caller.secret_sha256):
                break
        else:
            raise KeyRefused("this API key is not known; it may have been revoked")
        if now * 1e9 >= caller.expires_ns:
            raise KeyRefused("this API key has expired")
        return caller


def with_previous_secret(key: Key) -> Key:
    """`key` with the secret it had before, for as long as that is good."""
    assert key.previous_sha256 is not None
    assert key.previous_expires_at is not None
    expires_at = key.previous_expires_at if key.expires_at is None else min(key.expires_at, key.previous_expires_at)
    return msgspec.structs.replace(key, secret_sha256=key.previous_sha256, expires_at=expires_at)


def split_prefix(path: str) -> tuple[str, str]:
    """The prefix `/o/{organization}/p/{project}`, or "" where there is none, and the path behind it."""
    parts = path.split("/", 5)
    if len(parts) < 6 or parts[:2] != ["", "o"] or parts[3] != "p":
        return "", path
    return "/".join(parts[:5]), f"/{parts[5]}"


def _split(authorization: bytes) -> tuple[bytes, bytes]:
    """The key's id and what was hashed of it: the secret after the second underscore."""
    authorization = authorization.strip()  # gRPC keeps the blank that perf_analyzer sends before it
    token = authorization[len(SCHEME) :].strip()
    if authorization[: len(SCHEME)].lower() != SCHEME or not token.startswith(KEY_PREFIX):
        raise KeyRefused("this is no API key: send 'Authorization: Bearer hr_<id>_<secret>'")
    key_id, _, secret = token[len(KEY_PREFIX) :].partition(b"_")
    return key_id, secret
