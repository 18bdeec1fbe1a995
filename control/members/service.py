"""Changing who is a member: owners look after owners, and one always stays."""

from uuid import UUID

from contracts.errors import Forbidden, NotFound
from control.audit.recording import Origin, Target, Who, record
from control.database import Connection
from control.identity.permissions import Role, allows
from control.members import queries
from control.members.errors import LastOwner, MemberNotFound, OwnersOnly, OwnsAlready
from control.members.schemas import OrganizationMember


async def change_role(connection: Connection, who: Who, caller_id: UUID, user_id: UUID, role: Role) -> OrganizationMember:
    """Give a member another role. Raises MemberNotFound, OwnersOnly or LastOwner."""
    before = await _lock(connection, who.organization_id, caller_id, user_id, role)
    await queries.update_role(connection, who.organization_id, user_id, role)
    changed = {"role": before.role}, {"role": role}
    await record(connection, who, "member.change", Target(user_id, before.email), *changed)
    return await queries.find_member(connection, who.organization_id, user_id)


async def remove(connection: Connection, who: Who, caller_id: UUID, user_id: UUID) -> None:
    """Take a member, who may be the caller, out of the organization. Raises MemberNotFound, OwnersOnly or LastOwner."""
    before = await _lock(connection, who.organization_id, caller_id, user_id, None)
    await queries.delete_member(connection, who.organization_id, user_id)
    await record(connection, who, "member.remove", Target(user_id, before.email), {"role": before.role})


async def hand_over(connection: Connection, who: Who, caller_id: UUID, user_id: UUID) -> None:
    """Make a member the owner in the caller's place, who stays as an admin. Raises MemberNotFound or OwnersOnly."""
    before = await _lock(connection, who.organization_id, caller_id, user_id, "owner")
    if user_id == caller_id:
        raise OwnsAlready
    await queries.update_role(connection, who.organization_id, user_id, "owner")
    await queries.update_role(connection, who.organization_id, caller_id, "admin")
    changed = {"role": before.role}, {"role": "owner"}
    await record(connection, who, "organization.transfer", Target(user_id, before.email), *changed)


async def leave(connection: Connection, organization_id: UUID, user_id: UUID, origin: Origin) -> None:
    """Let a person go. Raises NotFound if they are no member, or LastOwner."""
    try:
        before = await _lock(connection, organization_id, user_id, user_id, None)
    except MemberNotFound as error:
        raise NotFound(f"no organization {organization_id}") from error
    await queries.delete_member(connection, organization_id, user_id)
    who = Who(user_id, organization_id, None, origin)
    await record(connection, who, "member.leave", Target(user_id, before.email), {"role": before.role})


async def _lock(
    connection: Connection, organization_id: UUID, caller_id: UUID, user_id: UUID, role: Role | None
) -> OrganizationMember:
    """The member as they are, if `caller_id` may give them `role` (None: take theirs away).

    Everything is read under the lock, since what the door saw of the caller may have changed.
    """
    await queries.lock_organization(connection, organization_id)
    before = await queries.find_member(connection, organization_id, user_id)
    caller = await queries.find_member(connection, organization_id, caller_id)
    if caller_id != user_id and not allows(caller.role, "members:write"):
        raise Forbidden(f"your role is {caller.role} by now")
    if "owner" in (before.role, role):
        if caller.role != "owner":
            raise OwnersOnly
        if role != "owner" and not await queries.has_other_owner(connection, organization_id, user_id):
            raise LastOwner
    return before
