"""Who may enter: two guards every API route passes before its body is read.

`authenticate` finds out who is calling, unless the route is marked `public=True`. `admit` asks the database, once a request,
whether the session still lives and, where the path names an organization or a project, whether the caller is a member; for
everybody else the thing does not exist (404), and for members whose role lacks the route's permission it is forbidden (403). So
a route cannot forget a check, and handlers just take `principal`, `member` or `tenant`. An API key is admitted to its own project
alone, in its owner's stead, and to no more than its scopes allow.
"""

import hmac
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from msgspec import Struct

from contracts.errors import Forbidden, NotFound, Unauthenticated
from contracts.settings import ControlSettings
from control.audit.recording import Origin, Who
from control.headers import name_request
from control.identity import cookies, tokens
from control.identity.permissions import LEAST_ROLE, SCOPES, Permission, Role, allows, scopes_with
from control.keys.callers import KeyCaller, PresentedKey, find_caller, read_key
from control.organizations import queries
from control.projects.errors import ProjectArchived
from control.resources import Resources

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER: Final = "X-CSRF-Token"
OF_A_TENANT: Final = frozenset({"connection", "database", "member", "tenant", "who"})
"""Dependencies that need an organization."""

Call = ASGIConnection[Any, Any, Any, Any]


class Principal(Struct, frozen=True):
    """The person calling, and the session they call in."""

    user_id: UUID
    session_id: UUID
    by_cookie: bool


class Member(Struct, frozen=True):
    """A person in the organization that the path names."""

    user_id: UUID
    organization_id: UUID
    role: Role


class Tenant(Struct, frozen=True):
    """A person in the project that the path names; statements take its ids as `$1`."""

    user_id: UUID
    organization_id: UUID
    project_id: UUID
    role: Role
    """In the project."""


async def authenticate(connection: Call, handler: BaseRouteHandler) -> None:
    """Raises Unauthenticated without an API key or a good access token, Forbidden if a cookie call lacks its CSRF token."""
    if not handler.opt.get("public"):
        connection.scope["user"] = identify(connection, connection.app.state.resources.settings)


async def admit(connection: Call, handler: BaseRouteHandler) -> None:
    """Raises Unauthenticated if the session has ended, NotFound if the caller is no member of what the path names.

    Raises Forbidden if they are one, and their role lacks the route's permission; ProjectArchived if the route would change an
    archived project and is not marked `in_archived=True`. Routes marked `in_deleted=True` find deleted projects, too.
    """
    if handler.opt.get("public") or connection.scope.get("method") == "OPTIONS":  # Litestar's own answer: what a path takes
        return
    if isinstance(connection.scope["user"], PresentedKey):
        await admit_key(connection, handler, connection.scope["user"])
        return
    project_id: UUID | None = connection.path_params.get("project_id")
    organization_id: UUID | None = connection.path_params.get("organization_id")
    principal: Principal = connection.scope["user"]
    in_deleted: bool = handler.opt.get("in_deleted", False)
    resources: Resources = connection.app.state.resources
    membership = await resources.pool.across_tenants.run(
        lambda it: queries.find_membership(it, principal.session_id, principal.user_id, organization_id, project_id, in_deleted)
    )
    if not membership.is_signed_in:
        raise Unauthenticated("the session has ended; log in again")
    if project_id is None and organization_id is None:
        return
    if membership.organization_id is None or membership.role is None:
        raise NotFound(f"no project {project_id}" if project_id else f"no organization {organization_id}")
    check_role(membership.role, handler.opt["permission"])
    if membership.is_archived:
        check_may_change_archived(connection, handler)
    who = principal.user_id, membership.organization_id
    connection.scope["state"]["member"] = Member(*who, membership.role)
    if project_id:
        connection.scope["state"]["tenant"] = Tenant(*who, project_id, membership.role)


async def admit_key(connection: Call, handler: BaseRouteHandler, presented: PresentedKey) -> None:
    """As `admit`. Raises Unauthenticated if there is no such key, or it is not good any more, NotFound for what is not its own.

    Raises Forbidden where it is presented from a network it is not for, or asks for more than its scopes and its owner's role
    in the project both allow.
    """
    resources: Resources = connection.app.state.resources
    key = await resources.pool.across_tenants.run(lambda it: find_caller(it, presented))
    if key is None:
        raise Unauthenticated("this API key is not known, has expired or was revoked")
    if not key.may_come_from(connection.client.host if connection.client else ""):
        raise Forbidden("this API key may not be used from here")
    check_own(key, connection.path_params.get("organization_id"), connection.path_params.get("project_id"))
    permission: Permission = handler.opt["permission"]
    if not any(permission in SCOPES[it].permissions for it in key.scopes):
        wanted = " or ".join(scopes_with(permission))
        raise Forbidden(f"this needs a key with the scope {wanted}" if wanted else "no API key may do this; log in for it")
    if key.owner_id is None or key.role is None:
        raise Forbidden("whose key this is, is no member of its project any more")
    check_role(key.role, permission)
    if key.is_archived:
        check_may_change_archived(connection, handler)
    who = key.owner_id, key.organization_id
    connection.scope["state"] |= {
        "member": Member(*who, key.role),
        "tenant": Tenant(*who, key.project_id, key.role),
        "key_name": key.name,
    }


def check_own(key: KeyCaller, organization_id: UUID | None, project_id: UUID | None) -> None:
    """Raises NotFound for what is another's, and Forbidden for what is of no project."""
    if project_id not in (None, key.project_id):
        raise NotFound(f"no project {project_id}")
    if organization_id not in (None, key.organization_id):
        raise NotFound(f"no organization {organization_id}")
    if project_id is None:
        raise Forbidden("an API key acts in its own project alone; log in for this")


def check_may_change_archived(connection: Call, handler: BaseRouteHandler) -> None:
    """Raises ProjectArchived unless the route only reads, or is marked `in_archived=True`."""
    if connection.scope.get("method") not in SAFE_METHODS and not handler.opt.get("in_archived"):
        raise ProjectArchived


def check_role(role: Role, permission: Permission) -> None:
    """Raises Forbidden unless `role` has `permission`."""
    if not allows(role, permission):
        raise Forbidden(f"this needs the role {LEAST_ROLE[permission]}; yours is {role}")


def check_guarded(handlers: Iterable[BaseRouteHandler]) -> None:
    """Raises RuntimeError unless each of `handlers` says who may call it and whose rows it sees: at start, not at its call."""
    for it in handlers:
        if not it.opt.get("public") and it.opt.get("permission") not in LEAST_ROLE:
            raise RuntimeError(f"{it} names no permission")
        asks = OF_A_TENANT.intersection(signature(it.fn).parameters)
        if asks and (it.opt.get("public") or not any(map(names_tenant, it.paths))):
            raise RuntimeError(f"{it} asks for {sorted(asks)}, but its path names no organization; see control.injected")


def names_tenant(path: str) -> bool:
    """Whether the door learns from the path whose rows are asked for."""
    return "{organization_id:uuid}" in path or "{project_id:uuid}" in path


def identify(connection: Call, settings: ControlSettings) -> Principal | PresentedKey:
    """Who is calling, by bearer token or by cookie."""
    if (bearer := bearer_token(connection.headers)) is not None:
        if (key := read_key(bearer)) is not None:
            return key
        claims = tokens.read_access_token(bearer, settings.secret)
        return Principal(claims.sub, claims.sid, by_cookie=False)
    names = cookies.cookie_names(settings)
    if (cookie := connection.cookies.get(names.access)) is None:
        raise Unauthenticated(
            "log in first: this needs `Authorization: Bearer <access token or API key>` or the console's cookies"
        )
    claims = tokens.read_access_token(cookie, settings.secret)
    if connection.scope.get("method") not in SAFE_METHODS:
        check_csrf(connection.headers, claims.sid, settings.secret)
    return Principal(claims.sub, claims.sid, by_cookie=True)


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """The token of an `Authorization: Bearer` header; None if there is no such header."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def check_csrf(headers: Mapping[str, str], session_id: UUID, secret: str) -> None:
    """Raises Forbidden unless the CSRF header carries this session's token."""
    given = headers.get(CSRF_HEADER.lower(), "")
    if not hmac.compare_digest(given.encode(), tokens.csrf_token(session_id, secret).encode()):
        raise Forbidden(f"a call with cookies must repeat the session's CSRF token in the header {CSRF_HEADER}")


def check_origin(headers: Mapping[str, str], settings: ControlSettings) -> None:
    """Raises Forbidden if a browser sends this from a page of another origin (who sends no Origin is no browser)."""
    origin = headers.get("origin")
    if origin is None:
        return
    own = {urlsplit(cookies.console_url(settings)).netloc, headers.get("host", "")}
    if urlsplit(origin).netloc not in own:
        raise Forbidden(f"signing in with cookies is not possible from {origin}")


async def provide_principal(request: Request[Any, Any, Any]) -> Principal:
    """The `principal` of a handler."""
    return request.scope["user"]


async def provide_member(request: Request[Any, Any, Any]) -> Member:
    """The `member` of a handler whose path has an `organization_id` or a `project_id`."""
    return request.scope["state"]["member"]


async def provide_tenant(request: Request[Any, Any, Any]) -> Tenant:
    """The `tenant` of a handler whose path has a `project_id`."""
    return request.scope["state"]["tenant"]


async def provide_origin(request: Request[Any, Any, Any]) -> Origin:
    """The `origin` of a handler: where the request comes from, for the audit log."""
    return Origin(request.client.host if request.client else "", name_request(request.scope))


async def provide_who(request: Request[Any, Any, Any]) -> Who:
    """The `who` of a handler whose path has an `organization_id` or a `project_id`: the caller, for the audit log."""
    member: Member = request.scope["state"]["member"]
    key_name: str | None = request.scope["state"].get("key_name")
    project_id: UUID | None = request.path_params.get("project_id")
    return Who(member.user_id, member.organization_id, project_id, await provide_origin(request), key_name)
