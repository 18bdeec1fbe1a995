"""Founding an organization."""

from uuid import UUID

from contracts.errors import Conflict
from control.audit.recording import Origin, Target, Who, record
from control.database import Connection
from control.organizations import queries
from control.slugs import candidate_slugs


async def create_organization(connection: Connection, name: str, owner_id: UUID, origin: Origin) -> UUID:
    """Found an organization with its first owner and a slug nobody has; the answer is its id."""
    for slug in candidate_slugs(name, "organization"):
        organization_id = await queries.insert_organization(connection, name, slug)
        if organization_id is not None:
            await queries.insert_member(connection, organization_id, owner_id, "owner")
            who, made = Who(owner_id, organization_id, None, origin), {"name": name, "slug": slug}
            await record(connection, who, "organization.create", Target(organization_id, name), after=made)
            return organization_id
    raise Conflict(f"no free slug for an organization named {name!r}; try again")
