"""Logins elsewhere that open accounts here, in Postgres: each by its issuer and the subject that issuer gives a person."""

from typing import Final, LiteralString
from uuid import UUID

import asyncpg

from control.database import Connection
from control.identity.queries import Account, account_of
from control.oidc.errors import IdentityNotFound, IdentityTaken

FIND_IDENTITY: Final[LiteralString] = """
    UPDATE identities
    SET last_used_at = now()
    FROM users
    WHERE identities.issuer = $1
      AND identities.subject = $2
      AND users.id = identities.user_id
    RETURNING users.id, users.email, users.name, users.password_hash, users.email_verified_at IS NOT NULL AS is_verified
"""


async def use_identity(connection: Connection, issuer: str, subject: str) -> Account | None:
    """The account that a login elsewhere opens; notes that it did."""
    row = await connection.fetchrow(FIND_IDENTITY, issuer, subject)
    return account_of(row) if row else None


INSERT_IDENTITY: Final[LiteralString] = """
    INSERT INTO identities (user_id, issuer, subject, email, last_used_at)
    VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END)
    RETURNING id
"""


async def insert_identity(
    connection: Connection, user_id: UUID, issuer: str, subject: str, email: str | None, label: str, is_used: bool
) -> UUID:
    """`is_used` if it opens the account right now. Raises IdentityTaken if either is linked to something else at this issuer."""
    try:
        return await connection.fetchval(INSERT_IDENTITY, user_id, issuer, subject, email, is_used)
    except asyncpg.UniqueViolationError as error:
        raise IdentityTaken(label) from error


LIST_IDENTITIES: Final[LiteralString] = """
    SELECT id, issuer, email, linked_at, last_used_at
    FROM identities
    WHERE user_id = $1
    ORDER BY id
    LIMIT 100
"""


async def list_identities(connection: Connection, user_id: UUID) -> list[asyncpg.Record]:
    """A person's, the first linked first."""
    return await connection.fetch(LIST_IDENTITIES, user_id)


DELETE_IDENTITY: Final[LiteralString] = """
    DELETE FROM identities
    WHERE user_id = $1
      AND id = $2
    RETURNING issuer
"""


async def delete_identity(connection: Connection, user_id: UUID, identity_id: UUID) -> str:
    """The issuer of what is linked no more. Raises IdentityNotFound."""
    issuer: str | None = await connection.fetchval(DELETE_IDENTITY, user_id, identity_id)
    if issuer is None:
        raise IdentityNotFound
    return issuer


IS_INVITED: Final[LiteralString] = """
    SELECT EXISTS (
        SELECT FROM invitations
        WHERE email = $1
          AND expires_at > now()
    )
"""


async def is_invited(connection: Connection, email: str) -> bool:
    """Whether some organization waits for who has this (normalised) address."""
    return await connection.fetchval(IS_INVITED, email)
