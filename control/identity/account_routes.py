"""Routes about the caller's own account: sessions, password, deletion."""

from typing import Final
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT

from control.audit.recording import Target, record_everywhere
from control.identity import account, cookies, sessions
from control.identity.errors import SessionNotFound
from control.identity.passwords import check_password
from control.identity.schemas import AccountDeletion, OwnSessions, PasswordChange
from control.injected import AcrossTenants, Origin, Principal, Resources


@get("/me/sessions", operation_id="listSessions", tags=["Accounts"], permission="account")
async def list_sessions(principal: Principal, across_tenants: AcrossTenants) -> OwnSessions:
    """The caller's live sessions: where they are signed in."""
    return OwnSessions(await sessions.list_sessions(across_tenants, principal.user_id, principal.session_id))


@delete("/me/sessions/{session_id:uuid}", operation_id="endSession", tags=["Accounts"], permission="account")
async def end_session(session_id: FromPath[UUID], principal: Principal, across_tenants: AcrossTenants, origin: Origin) -> None:
    """End one of the caller's sessions, at once."""
    if not await sessions.end_own_session(across_tenants, principal.user_id, session_id):
        raise SessionNotFound(session_id)
    await record_everywhere(across_tenants, principal.user_id, origin, "account.end_session", Target(session_id, "session"))


@post(
    "/me/password",
    operation_id="changePassword",
    tags=["Accounts"],
    permission="account",
    status_code=HTTP_204_NO_CONTENT,
)
async def change_password(data: JSONBody[PasswordChange], principal: Principal, resources: Resources, origin: Origin) -> None:
    """Change the caller's password. Every other session of theirs ends."""
    check_password(data.new_password)
    await _confirm(data.current_password, principal, resources, origin)
    await account.change_password(
        resources.pool.across_tenants, resources.passwords, principal.user_id, data.new_password, principal.session_id, origin
    )


@post(
    "/me/deletion",
    operation_id="deleteAccount",
    tags=["Accounts"],
    permission="account",
    status_code=HTTP_204_NO_CONTENT,
)
async def delete_account(
    data: JSONBody[AccountDeletion], principal: Principal, resources: Resources, origin: Origin
) -> Response[None]:
    """Delete the caller's account for good, and the organizations that nobody else belongs to, with all that is in them."""
    await _confirm(data.password, principal, resources, origin)
    await account.delete_account(resources.pool.across_tenants, principal.user_id, origin)
    return Response(None, cookies=cookies.cleared_cookies(resources.settings))


async def _confirm(password: str, principal: Principal, resources: Resources, origin: Origin) -> None:
    across = resources.pool.across_tenants
    async with account.confirmed(across, resources.passwords, resources.throttle, principal.user_id, password, origin):
        return


HANDLERS: Final[list[HTTPRouteHandler]] = [list_sessions, end_session, change_password, delete_account]
