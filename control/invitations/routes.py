"""Invitation routes."""

from typing import Final
from uuid import UUID

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from control import resources as opened
from control.fields import DEFAULT_LIMIT, Cursor, Limit
from control.identity.cookies import console_url
from control.identity.registration import check_invited_may_register
from control.identity.schemas import User
from control.injected import AcrossTenants, Connection, Database, Member, Origin, Principal, Resources, Who
from control.invitations import queries, service
from control.invitations.schemas import (
    Invitation,
    InvitationPage,
    InvitationToken,
    Invited,
    InvitedAccount,
    NewInvitations,
    OpenInvitation,
    SentInvitation,
)
from control.organizations.queries import find_organization
from control.organizations.schemas import Organization

INVITATIONS: Final = "/organizations/{organization_id:uuid}/invitations"
INVITATION: Final = f"{INVITATIONS}/{{id:uuid}}"


@get(INVITATIONS, operation_id="listInvitations", tags=["Members"], permission="members:write")
async def list_invitations(
    member: Member, connection: Connection, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> InvitationPage:
    """Who was invited and has not come yet, newest first."""
    items = await queries.list_invitations(connection, member.organization_id, cursor, limit + 1)
    return InvitationPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


@post(INVITATIONS, operation_id="createInvitations", tags=["Members"], permission="members:write")
async def create_invitations(
    data: JSONBody[NewInvitations], member: Member, resources: Resources, database: Database, who: Who
) -> Invited:
    """Invite people by e-mail, each with a link that works once within 7 days; who was invited before gets a new one."""
    resources.mailer.check_room(len(data.emails))
    async with database.transaction() as connection:
        outcome = await service.invite(connection, who, member.user_id, data)
        organization = await find_organization(connection, member.organization_id, member.user_id)
    sent = [_post(resources, organization, it, token) for it, token in outcome.sent]
    return Invited(sent, outcome.members, outcome.waiting)


@post(
    f"{INVITATION}/resend", operation_id="resendInvitation", tags=["Members"], permission="members:write", status_code=HTTP_200_OK
)
async def resend_invitation(
    id: FromPath[UUID], member: Member, resources: Resources, database: Database, who: Who
) -> SentInvitation:
    """Send a new link, good for 7 days; the one before works no more."""
    resources.mailer.check_room(1)
    async with database.transaction() as connection:
        invitation, token = await service.resend(connection, who, member.user_id, id)
        organization = await find_organization(connection, member.organization_id, member.user_id)
    return _post(resources, organization, invitation, token)


@delete(INVITATION, operation_id="revokeInvitation", tags=["Members"], permission="members:write")
async def revoke_invitation(id: FromPath[UUID], connection: Connection, who: Who) -> None:
    """Take an invitation back: its link works no more."""
    await service.revoke(connection, who, id)


@post("/invitations/open", operation_id="openInvitation", tags=["Members"], public=True, status_code=HTTP_200_OK)
async def open_invitation(data: JSONBody[InvitationToken], across_tenants: AcrossTenants) -> OpenInvitation:
    """What an invitation is for. This does not use it up."""
    return await queries.open_invitation(across_tenants, service.digest(data.token))


@post("/invitations/accept", operation_id="acceptInvitation", tags=["Members"], permission="account", status_code=HTTP_200_OK)
async def accept_invitation(
    data: JSONBody[InvitationToken], principal: Principal, across_tenants: AcrossTenants, origin: Origin
) -> Organization:
    """Become a member, signed in with the address that was invited."""
    organization_id = await service.accept(across_tenants, data.token, principal.user_id, origin)
    return await find_organization(across_tenants, organization_id, principal.user_id)


@post("/invitations/sign-up", operation_id="signUpInvited", tags=["Members"], public=True)
async def sign_up_invited(data: JSONBody[InvitedAccount], resources: Resources, origin: Origin) -> User:
    """Make an account for the invited address and become a member with it; then log in."""
    check_invited_may_register(resources.settings)
    was_mailed = resources.mailer.is_sending
    return await service.sign_up(resources.pool.across_tenants, resources.passwords, data, was_mailed, origin)


def _post(resources: opened.Resources, organization: Organization, invitation: Invitation, token: str) -> SentInvitation:
    link = f"{console_url(resources.settings)}/invite#{token}"
    resources.mailer.post(service.letter(invitation, organization.name, link))
    return SentInvitation(invitation, None if resources.mailer.is_sending else link)


HANDLERS: Final[list[HTTPRouteHandler]] = [
    list_invitations,
    create_invitations,
    resend_invitation,
    revoke_invitation,
    open_invitation,
    accept_invitation,
    sign_up_invited,
]
