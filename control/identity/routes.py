"""Account routes: register, log in, refresh, log out, who am I."""

import time
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from contracts.errors import Unauthenticated
from contracts.settings import ControlSettings
from control.access import check_csrf, check_origin
from control.audit.recording import Target, record_everywhere
from control.identity import cookies, mailed_links, queries, service, sessions, tokens
from control.identity.devices import device_of
from control.identity.errors import EmailUnconfirmed, RefreshRefused
from control.identity.schemas import Credentials, Me, NewAccount, Refresh, Session
from control.injected import AcrossTenants, Origin, Principal, Resources, Settings
from control.organizations.queries import list_memberships

AnyRequest = Request[Any, Any, Any]


@post("/auth/register", operation_id="registerAccount", tags=["Accounts"], public=True)
async def register_account(
    data: JSONBody[NewAccount], request: AnyRequest, resources: Resources, origin: Origin
) -> Response[Session]:
    """Sign up: makes an account, an organization of its own, a first project, and a session."""
    settings = resources.settings
    if data.session == "cookie":
        check_origin(request.headers, settings)
    opened = await service.register(
        resources.pool.across_tenants, resources.passwords, settings, data, device_of(request), origin
    )
    if opened is None:
        raise await _asked_to_confirm(resources, request, EmailUnconfirmed(service.normalized_email(data.email)))
    return answer(opened, settings)


@post("/auth/login", operation_id="logIn", tags=["Accounts"], public=True, status_code=HTTP_200_OK)
async def log_in(data: JSONBody[Credentials], request: AnyRequest, resources: Resources, origin: Origin) -> Response[Session]:
    """Open a session."""
    settings = resources.settings
    if data.session == "cookie":
        check_origin(request.headers, settings)
    try:
        opened = await service.log_in(
            resources.pool.across_tenants, resources.passwords, resources.throttle, settings, data, device_of(request), origin
        )
    except EmailUnconfirmed as error:
        raise await _asked_to_confirm(resources, request, error) from None
    return answer(opened, settings)


@post("/auth/refresh", operation_id="refreshSession", tags=["Accounts"], public=True, status_code=HTTP_200_OK)
async def refresh_session(
    data: JSONBody[Refresh], request: AnyRequest, resources: Resources, origin: Origin
) -> Response[Session]:
    """Renew a session: exchanges the refresh token for a new pair. A token used twice ends the session for everybody."""
    settings = resources.settings
    by_cookie = data.refresh_token is None
    refresh_token = request.cookies.get(cookies.cookie_names(settings).refresh) if by_cookie else data.refresh_token
    if not refresh_token:
        raise Unauthenticated("a refresh token is needed, in the body or in the console's cookie")
    async with resources.pool.across_tenants.transaction() as connection:
        presented = await service.find_session(connection, refresh_token)
        if by_cookie:
            check_csrf(request.headers, presented.session_id, settings.secret)
        opened = await service.rotate(connection, presented, refresh_token, settings.refresh_token_s, device_of(request), origin)
    if opened is None:  # raised only here, so that the end of the session is committed
        raise RefreshRefused
    return answer(opened, settings)


@post("/auth/logout", operation_id="logOut", tags=["Accounts"], permission="account", status_code=HTTP_204_NO_CONTENT)
async def log_out(principal: Principal, across_tenants: AcrossTenants, settings: Settings, origin: Origin) -> Response[None]:
    """End the session: its refresh token and its access tokens are refused from now on."""
    await sessions.end_session(across_tenants, principal.session_id)
    user = await queries.find_user(across_tenants, principal.user_id)
    await record_everywhere(across_tenants, user.id, origin, "account.logout", Target(user.id, user.email))
    return Response(None, cookies=cookies.cleared_cookies(settings))


@get("/me", operation_id="getMe", tags=["Accounts"], permission="account")
async def get_me(principal: Principal, across_tenants: AcrossTenants, settings: Settings) -> Me:
    """The caller and their organizations."""
    user, is_verified, has_second_factor, has_password = await queries.find_me(across_tenants, principal.user_id)
    csrf_token = tokens.csrf_token(principal.session_id, settings.secret) if principal.by_cookie else None
    organizations = await list_memberships(across_tenants, user.id)
    return Me(user, is_verified, has_second_factor, has_password, organizations, csrf_token)


async def _asked_to_confirm(resources: Resources, request: AnyRequest, error: EmailUnconfirmed) -> EmailUnconfirmed:
    """The same error, once its link is on its way. Raises MailThrottled, MailQueueFull."""
    await resources.throttle.ask_for_mail(device_of(request).address)
    resources.mailer.check_room(1)
    across = resources.pool.across_tenants
    await mailed_links.send_link(across, resources.mailer, resources.settings, error.email, "email")
    return error


def answer(opened: service.OpenSession, settings: ControlSettings) -> Response[Session]:
    """A session just opened or renewed, in the answer or in its cookies."""
    access_token = tokens.issue_access_token(
        opened.user.id, opened.session_id, settings.secret, time.time(), settings.access_token_s
    )
    home = opened.home.organization_id, opened.home.project_id
    if opened.kind == "token":
        return Response(Session(access_token, opened.refresh_token, None, settings.access_token_s, opened.user, *home))
    csrf_token = tokens.csrf_token(opened.session_id, settings.secret)
    return Response(
        Session(None, None, csrf_token, settings.access_token_s, opened.user, *home),
        cookies=cookies.session_cookies(settings, access_token, opened.refresh_token, csrf_token),
    )


HANDLERS: Final[list[HTTPRouteHandler]] = [register_account, log_in, refresh_session, log_out, get_me]
