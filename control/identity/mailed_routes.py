"""Routes for links by mail: a forgotten password, and an address to verify."""

from typing import Any, Final

from litestar import Request, Response, post
from litestar.background_tasks import BackgroundTask
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT

from control import resources as opened
from control.identity import mailed_links, queries
from control.identity.devices import device_of
from control.identity.mailed_tokens import Purpose
from control.identity.passwords import check_password
from control.identity.schemas import EmailVerification, PasswordReset, PasswordResetRequest
from control.identity.service import normalized_email
from control.injected import AcrossTenants, Origin, Principal, Resources

AnyRequest = Request[Any, Any, Any]


@post(
    "/auth/password-reset",
    operation_id="requestPasswordReset",
    tags=["Accounts"],
    public=True,
    status_code=HTTP_204_NO_CONTENT,
)
async def request_password_reset(
    data: JSONBody[PasswordResetRequest], request: AnyRequest, resources: Resources
) -> Response[None]:
    """Send a link for a new password. The answer is the same whether or not the address has an account."""
    return await _sending(resources, request, normalized_email(data.email), "password")


@post(
    "/auth/password-reset/complete",
    operation_id="resetPassword",
    tags=["Accounts"],
    public=True,
    status_code=HTTP_204_NO_CONTENT,
)
async def reset_password(data: JSONBody[PasswordReset], request: AnyRequest, resources: Resources, origin: Origin) -> None:
    """Set a new password with the token of the link, which works once. Every session of the person ends."""
    owner = await mailed_links.find_owner(resources.pool.across_tenants, data.token, "password")
    check_password(data.new_password, owner.email, owner.name)
    await mailed_links.reset_password(resources.pool.across_tenants, resources.passwords, data.token, data.new_password, origin)
    await resources.throttle.let_in(owner.email, device_of(request).address)


@post(
    "/me/verification",
    operation_id="requestEmailVerification",
    tags=["Accounts"],
    permission="account",
    status_code=HTTP_204_NO_CONTENT,
)
async def request_email_verification(
    principal: Principal, request: AnyRequest, resources: Resources, across_tenants: AcrossTenants
) -> Response[None]:
    """Send the caller a link that confirms their address; at most one a minute."""
    user = await queries.find_user(across_tenants, principal.user_id)
    return await _sending(resources, request, user.email, "email")


@post(
    "/auth/verify-email",
    operation_id="verifyEmail",
    tags=["Accounts"],
    public=True,
    status_code=HTTP_204_NO_CONTENT,
)
async def verify_email(data: JSONBody[EmailVerification], resources: Resources, origin: Origin) -> None:
    """Confirm an address with the token of the link, which works once."""
    await mailed_links.verify_email(resources.pool.across_tenants, data.token, origin)


async def _sending(resources: opened.Resources, request: AnyRequest, email: str, purpose: Purpose) -> Response[None]:
    await resources.throttle.ask_for_mail(device_of(request).address)
    resources.mailer.check_room(1)
    send = BackgroundTask(
        mailed_links.send_link, resources.pool.across_tenants, resources.mailer, resources.settings, email, purpose
    )
    return Response(None, background=send)


HANDLERS: Final[list[HTTPRouteHandler]] = [
    request_password_reset,
    reset_password,
    request_email_verification,
    verify_email,
]
