"""Invitations in Postgres, which knows their tokens by SHA-256 only."""

from datetime import timedelta
from typing import Final, LiteralString
from uuid import UUID

from msgspec import Struct

from control.database import Connection
from control.invitations.errors import InvitationNotFound, InvitationVoid
from control.invitations.schemas import Invitation, InvitedRole, OpenInvitation

LIFE: Final = timedelta(days=7)
QUIET: Final = timedelta(minutes=1)
"""One address gets one mail within this time."""

LIST_INVITATIONS: Final[LiteralString] = """
    SELECT
        invitations.id, invitations.email, invitations.role, users.name AS invited_by,
        invitations.created_at, invitations.sent_at, invitations.expires_at
    FROM invitations
    LEFT JOIN users ON users.id = invitations.invited_by
    WHERE invitations.organization_id = $1
      AND ($2::uuid IS NULL OR invitations.id < $2)
    ORDER BY invitations.id DESC
    LIMIT $3
"""


async def list_invitations(connection: Connection, organization_id: UUID, before: UUID | None, limit: int) -> list[Invitation]:
    """Newest first; those that have expired are among them, to be sent again or revoked."""
    return [Invitation(**row) for row in await connection.fetch(LIST_INVITATIONS, organization_id, before, limit)]


LIST_MEMBER_EMAILS: Final[LiteralString] = """
    SELECT users.email
    FROM users
    JOIN members ON members.user_id = users.id
    WHERE members.organization_id = $1
      AND users.email = ANY ($2)
"""


async def list_member_emails(connection: Connection, organization_id: UUID, emails: list[str]) -> set[str]:
    """Those of `emails` that belong to members."""
    return {row["email"] for row in await connection.fetch(LIST_MEMBER_EMAILS, organization_id, emails)}


UPSERT_INVITATIONS: Final[LiteralString] = """
    WITH sent AS (
        INSERT INTO invitations (organization_id, email, role, token_sha256, invited_by, expires_at)
        SELECT $1, given.email, $2, given.digest, $3, now() + $4
        FROM unnest($6::text[], $7::bytea[]) AS given (email, digest)
        ON CONFLICT (organization_id, email) DO UPDATE
        SET role = excluded.role,
            token_sha256 = excluded.token_sha256,
            invited_by = excluded.invited_by,
            sent_at = now(),
            expires_at = excluded.expires_at
        WHERE invitations.sent_at < now() - $5::interval
        RETURNING id, email, role, invited_by, created_at, sent_at, expires_at
    )
    SELECT sent.id, sent.email, sent.role, users.name AS invited_by, sent.created_at, sent.sent_at, sent.expires_at
    FROM sent
    JOIN users ON users.id = sent.invited_by
"""


async def upsert_invitations(
    connection: Connection, organization_id: UUID, role: InvitedRole, inviter_id: UUID, digests: dict[str, bytes]
) -> list[Invitation]:
    """Invite each address of `digests`, or once more with a new token; those invited a moment ago are left out."""
    values = organization_id, role, inviter_id, LIFE, QUIET, list(digests), list(digests.values())
    return [Invitation(**row) for row in await connection.fetch(UPSERT_INVITATIONS, *values)]


class Rules(Struct, frozen=True):
    """How an organization invites."""

    default_role: InvitedRole
    email_domains: list[str]


FIND_RULES: Final[LiteralString] = """
    SELECT default_role, email_domains
    FROM organizations
    WHERE id = $1
"""


async def find_rules(connection: Connection, organization_id: UUID) -> Rules:
    """Of an organization that exists."""
    row = await connection.fetchrow(FIND_RULES, organization_id)
    assert row is not None
    return Rules(**row)


COUNT_INVITATIONS: Final[LiteralString] = """
    SELECT count(*)
    FROM invitations
    WHERE organization_id = $1
"""


async def count_invitations(connection: Connection, organization_id: UUID) -> int:
    """How many are waiting."""
    return await connection.fetchval(COUNT_INVITATIONS, organization_id)


COUNT_SENT: Final[LiteralString] = """
    UPDATE organizations
    SET invitations_sent = CASE WHEN invitations_day = current_date THEN invitations_sent ELSE 0 END + $2,
        invitations_day = current_date
    WHERE id = $1
    RETURNING invitations_sent
"""


async def count_sent(connection: Connection, organization_id: UUID, more: int) -> int:
    """How many the organization has sent since midnight UTC, with so many more."""
    return await connection.fetchval(COUNT_SENT, organization_id, more)


FIND_INVITATION: Final[LiteralString] = """
    SELECT
        invitations.id, invitations.email, invitations.role, users.name AS invited_by,
        invitations.created_at, invitations.sent_at, invitations.expires_at
    FROM invitations
    LEFT JOIN users ON users.id = invitations.invited_by
    WHERE invitations.organization_id = $1
      AND invitations.id = $2
"""


async def find_invitation(connection: Connection, organization_id: UUID, invitation_id: UUID) -> Invitation:
    """Raises InvitationNotFound."""
    row = await connection.fetchrow(FIND_INVITATION, organization_id, invitation_id)
    if row is None:
        raise InvitationNotFound(invitation_id)
    return Invitation(**row)


DELETE_INVITATION: Final[LiteralString] = """
    DELETE FROM invitations
    WHERE organization_id = $1
      AND id = $2
    RETURNING id
"""


async def delete_invitation(connection: Connection, organization_id: UUID, invitation_id: UUID) -> None:
    """Raises InvitationNotFound."""
    if await connection.fetchval(DELETE_INVITATION, organization_id, invitation_id) is None:
        raise InvitationNotFound(invitation_id)


OPEN_INVITATION: Final[LiteralString] = """
    SELECT
        organizations.name AS organization, invitations.email, invitations.role, inviter.name AS invited_by,
        invitations.expires_at,
        EXISTS (SELECT FROM users WHERE users.email = invitations.email) AS has_account
    FROM invitations
    JOIN organizations ON organizations.id = invitations.organization_id
    LEFT JOIN users AS inviter ON inviter.id = invitations.invited_by
    WHERE invitations.token_sha256 = $1
      AND invitations.expires_at > now()
"""


async def open_invitation(connection: Connection, digest: bytes) -> OpenInvitation:
    """Raises InvitationVoid."""
    row = await connection.fetchrow(OPEN_INVITATION, digest)
    if row is None:
        raise InvitationVoid
    return OpenInvitation(**row)


class Ticket(Struct, frozen=True):
    """What an accepted invitation gives."""

    organization_id: UUID
    email: str
    role: InvitedRole


TAKE_INVITATION: Final[LiteralString] = """
    DELETE FROM invitations
    WHERE token_sha256 = $1
      AND expires_at > now()
    RETURNING organization_id, email, role
"""


async def take_invitation(connection: Connection, digest: bytes) -> Ticket:
    """Use an invitation up: of two who try at once, the second raises InvitationVoid."""
    row = await connection.fetchrow(TAKE_INVITATION, digest)
    if row is None:
        raise InvitationVoid
    return Ticket(**row)


ADMIT_MEMBER: Final[LiteralString] = """
    INSERT INTO members (organization_id, user_id, role)
    VALUES ($1, $2, $3)
    ON CONFLICT (user_id, organization_id) DO NOTHING
"""


async def admit_member(connection: Connection, ticket: Ticket, user_id: UUID) -> None:
    """Make a person a member; who is one already keeps their role."""
    await connection.execute(ADMIT_MEMBER, ticket.organization_id, user_id, ticket.role)
