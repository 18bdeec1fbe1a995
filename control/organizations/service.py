"""Founding an organization."""

from uuid import UUID

from contracts.errors import Conflict
from control.database import Connection
from control.organizations import queries
from control.slugs import candidate_slugs


async def create_organization(connection: Connection, name: str, owner_id: UUID) -> UUID:
    """Found an organization with its first owner and a slug nobody has; the answer is its id."""
    for slug in candidate_slugs(name, "organization"):
        organization_id = await queries.insert_organization(connection, name, slug)
        if organization_id is not None:
            await queries.insert_member(connection, organization_id, owner_id, "owner")
            return organization_id
    raise Conflict(f"no free slug for an organization named {name!r}; try again")
