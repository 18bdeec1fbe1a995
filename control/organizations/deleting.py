"""Deleting an organization: gone for everybody at once, restorable by its owners for seven days, then removed for good.

Its projects are deleted with it, at the same moment, which tells them from those that were deleted before. Its address stays
taken until it is removed, and its audit log stays even then.
"""

from datetime import timedelta
from typing import Final, LiteralString
from uuid import UUID

from contracts.errors import NotFound
from control.audit.recording import Origin, Target, Who, record
from control.batch_jobs.progress import cancel_all_of
from control.database import Connection, Database
from control.members.queries import lock_organization
from control.organizations import queries
from control.organizations.schemas import DeletedOrganization, Organization
from control.routing.queries import bump_routes

KEPT_FOR: Final = timedelta(days=7)
"""How long a deletion can be undone."""

DELETE_ORGANIZATION: Final[LiteralString] = """
    UPDATE organizations
    SET deleted_at = now()
    WHERE id = $1
"""
DELETE_PROJECTS: Final[LiteralString] = """
    UPDATE projects
    SET deleted_at = now()
    WHERE organization_id = $1
      AND deleted_at IS NULL
"""
DELETE_INVITATIONS: Final[LiteralString] = """
    DELETE FROM invitations
    WHERE organization_id = $1
"""


async def delete(connection: Connection, who: Who, user_id: UUID) -> None:
    """Hide an organization from everybody, gateways included; stop its batch jobs and take its invitations back."""
    await lock_organization(connection, who.organization_id)
    before = await queries.find_organization(connection, who.organization_id, user_id)
    for statement in (DELETE_PROJECTS, DELETE_INVITATIONS, DELETE_ORGANIZATION):
        await connection.execute(statement, who.organization_id)
    await cancel_all_of(connection, who.organization_id)
    await bump_routes(connection)
    await record(
        connection, who, "organization.delete", Target(before.id, before.name), {"name": before.name, "slug": before.slug}
    )


LIST_DELETED: Final[LiteralString] = """
    SELECT organizations.id, organizations.name, organizations.slug, organizations.deleted_at,
        organizations.deleted_at + $2 AS removed_at
    FROM members
    JOIN organizations ON organizations.id = members.organization_id
    WHERE members.user_id = $1
      AND members.role = 'owner'
      AND organizations.deleted_at > now() - $2::interval
    ORDER BY organizations.deleted_at DESC, organizations.id
"""


async def list_deleted(connection: Connection, user_id: UUID) -> list[DeletedOrganization]:
    """Those that a person may restore, the last deleted first."""
    return [DeletedOrganization(**row) for row in await connection.fetch(LIST_DELETED, user_id, KEPT_FOR)]


LOCK_DELETED: Final[LiteralString] = """
    SELECT organizations.deleted_at
    FROM organizations
    JOIN members ON members.organization_id = organizations.id
    WHERE organizations.id = $1
      AND members.user_id = $2
      AND members.role = 'owner'
      AND organizations.deleted_at > now() - $3::interval
    FOR NO KEY UPDATE OF organizations
"""
RESTORE_ORGANIZATION: Final[LiteralString] = """
    UPDATE organizations
    SET deleted_at = NULL
    WHERE id = $1
"""
RESTORE_PROJECTS: Final[LiteralString] = """
    UPDATE projects
    SET deleted_at = NULL
    WHERE organization_id = $1
      AND deleted_at = $2
"""


async def restore(connection: Connection, organization_id: UUID, user_id: UUID, origin: Origin) -> Organization:
    """Undo a deletion; batch jobs stay stopped, invitations taken back. Raises NotFound for whoever does not own it."""
    deleted_at = await connection.fetchval(LOCK_DELETED, organization_id, user_id, KEPT_FOR)
    if deleted_at is None:
        raise NotFound(f"no deleted organization {organization_id}")
    await connection.execute(RESTORE_PROJECTS, organization_id, deleted_at)
    await connection.execute(RESTORE_ORGANIZATION, organization_id)
    await bump_routes(connection)
    after = await queries.find_organization(connection, organization_id, user_id)
    await record(connection, Who(user_id, organization_id, None, origin), "organization.restore", Target(after.id, after.name))
    return after


FIND_EXPIRED: Final[LiteralString] = """
    SELECT id, name
    FROM organizations
    WHERE deleted_at < now() - $1::interval
      AND NOT EXISTS (
          SELECT FROM projects WHERE projects.organization_id = organizations.id AND projects.deleted_at IS NOT NULL
      )
    ORDER BY deleted_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
"""
REMOVE_ORGANIZATION: Final[LiteralString] = """
    DELETE FROM organizations
    WHERE id = $1
"""


async def sweep(database: Database, kept_for: timedelta = KEPT_FOR) -> UUID | None:
    """Remove one organization that was deleted long enough ago, once its projects were swept; None if there is none.

    A project that was made while it was being deleted is empty, since nobody finds it, and goes with it.
    """
    async with database.transaction() as connection:
        expired = await connection.fetchrow(FIND_EXPIRED, kept_for)
        if expired is None:
            return None
        await connection.execute(REMOVE_ORGANIZATION, expired["id"])
        await record(connection, Who(None, expired["id"], None), "organization.remove", Target(expired["id"], expired["name"]))
        return expired["id"]
