"""Founding an organization, and changing what it is called."""

from typing import Final
from uuid import UUID

from msgspec import UNSET

from contracts.errors import Conflict
from control.audit.recording import Origin, Target, Who, record
from control.database import Connection
from control.members.queries import lock_organization
from control.organizations import queries
from control.organizations.errors import SlugReserved, TooManyOrganizations
from control.organizations.schemas import Organization, OrganizationPatch
from control.routing.queries import bump_routes
from control.slugs import candidate_slugs

MOST_OWNED: Final = 100
RESERVED_SLUGS: Final = frozenset(
    {
        "account",
        "admin",
        "administrator",
        "api",
        "auth",
        "billing",
        "console",
        "docs",
        "gateway",
        "headrace",
        "help",
        "internal",
        "invitations",
        "login",
        "new",
        "official",
        "organizations",
        "root",
        "security",
        "settings",
        "signup",
        "status",
        "support",
        "system",
        "www",
    }
)
"""Addresses that would pass for the operator's own, or for a part of the console."""


async def found(connection: Connection, name: str, owner_id: UUID, origin: Origin) -> UUID:
    """Found one more organization; the answer is its id. Raises TooManyOrganizations."""
    if await queries.count_owned(connection, owner_id) >= MOST_OWNED:
        raise TooManyOrganizations(MOST_OWNED)
    return await create_organization(connection, name, owner_id, origin)


async def update(connection: Connection, who: Who, user_id: UUID, change: OrganizationPatch) -> Organization:
    """Change name and address; gateways hear of a new address, which stands in theirs too. Raises SlugReserved or SlugTaken."""
    await lock_organization(connection, who.organization_id)
    before = await queries.find_organization(connection, who.organization_id, user_id)
    name = before.name if change.name is UNSET else change.name
    slug = before.slug if change.slug is UNSET else change.slug
    if slug != before.slug and slug in RESERVED_SLUGS:
        raise SlugReserved(slug)
    await queries.update_organization(connection, who.organization_id, name, slug)
    if slug != before.slug:
        await bump_routes(connection)
    after = {"name": name, "slug": slug}
    await record(
        connection, who, "organization.update", Target(before.id, name), {"name": before.name, "slug": before.slug}, after
    )
    return await queries.find_organization(connection, who.organization_id, user_id)


async def create_organization(connection: Connection, name: str, owner_id: UUID, origin: Origin) -> UUID:
    """Found an organization with its first owner and a slug nobody has; the answer is its id."""
    for slug in candidate_slugs(name, "organization", RESERVED_SLUGS):
        organization_id = await queries.insert_organization(connection, name, slug)
        if organization_id is not None:
            await queries.insert_member(connection, organization_id, owner_id, "owner")
            who, made = Who(owner_id, organization_id, None, origin), {"name": name, "slug": slug}
            await record(connection, who, "organization.create", Target(organization_id, name), after=made)
            return organization_id
    raise Conflict(f"no free slug for an organization named {name!r}; try again")
