"""Accounts in Postgres."""

from typing import Final, LiteralString
from uuid import UUID

import asyncpg
from asyncpg import Record
from msgspec import Struct

from control.database import Connection
from control.identity.errors import EmailTaken
from control.identity.schemas import User


class Account(Struct, frozen=True):
    """A person as the login sees them."""

    user: User
    password_hash: str | None
    """None for who signs in elsewhere."""
    is_verified: bool
    """Whether mail to the address has reached them."""


class Home(Struct, frozen=True):
    """Where a person starts: the organization they joined first and its first project."""

    organization_id: UUID | None
    project_id: UUID | None


INSERT_USER: Final[LiteralString] = """
    INSERT INTO users (email, name, password_hash, email_verified_at)
    VALUES ($1, $2, $3, CASE WHEN $4 THEN now() END)
    RETURNING id, email, name
"""


async def insert_user(
    connection: Connection, email: str, name: str, password_hash: str | None, is_verified: bool = False
) -> User:
    """Raises EmailTaken if somebody has registered this (normalised) address."""
    try:
        row = await connection.fetchrow(INSERT_USER, email, name, password_hash, is_verified)
    except asyncpg.UniqueViolationError as error:
        raise EmailTaken(email) from error
    assert row is not None
    return User(**row)


FIND_ACCOUNT: Final[LiteralString] = """
    SELECT id, email, name, password_hash, email_verified_at IS NOT NULL AS is_verified
    FROM users
    WHERE email = $1
"""


async def find_account(connection: Connection, email: str) -> Account | None:
    """The account of a normalised address."""
    row = await connection.fetchrow(FIND_ACCOUNT, email)
    return account_of(row) if row else None


READ_ACCOUNT: Final[LiteralString] = """
    SELECT id, email, name, password_hash, email_verified_at IS NOT NULL AS is_verified
    FROM users
    WHERE id = $1
"""


async def read_account(connection: Connection, user_id: UUID) -> Account:
    """The caller's account; their session was found alive a moment ago, so they exist."""
    row = await connection.fetchrow(READ_ACCOUNT, user_id)
    assert row is not None
    return account_of(row)


def account_of(row: Record) -> Account:
    """Of a row with the columns of `FIND_ACCOUNT`."""
    return Account(User(row["id"], row["email"], row["name"]), row["password_hash"], row["is_verified"])


FIND_HOME: Final[LiteralString] = """
    SELECT members.organization_id, projects.id AS project_id
    FROM members
    JOIN organizations ON organizations.id = members.organization_id
    LEFT JOIN projects ON projects.organization_id = members.organization_id AND projects.deleted_at IS NULL
    WHERE members.user_id = $1
      AND organizations.deleted_at IS NULL
    ORDER BY members.created_at, members.organization_id, projects.id
    LIMIT 1
"""


async def find_home(connection: Connection, user_id: UUID) -> Home:
    """Both ids are None for a person who was removed from every organization."""
    row = await connection.fetchrow(FIND_HOME, user_id)
    return Home(**row) if row else Home(None, None)


FIND_USER: Final[LiteralString] = """
    SELECT id, email, name
    FROM users
    WHERE id = $1
"""


async def find_user(connection: Connection, user_id: UUID) -> User:
    """The caller; their session was found alive a moment ago, so they exist."""
    row = await connection.fetchrow(FIND_USER, user_id)
    assert row is not None
    return User(**row)


FIND_ME: Final[LiteralString] = """
    SELECT users.id, users.email, users.name, users.email_verified_at IS NOT NULL AS is_verified,
           second_factors.confirmed_at IS NOT NULL AS has_second_factor,
           users.password_hash IS NOT NULL AS has_password
    FROM users
    LEFT JOIN second_factors ON second_factors.user_id = users.id
    WHERE users.id = $1
"""


async def find_me(connection: Connection, user_id: UUID) -> tuple[User, bool, bool, bool]:
    """The caller; whether their address is verified, they have a second factor, and a password."""
    row = await connection.fetchrow(FIND_ME, user_id)
    assert row is not None
    return User(row["id"], row["email"], row["name"]), row["is_verified"], row["has_second_factor"], row["has_password"]


REPLACE_HASH: Final[LiteralString] = """
    UPDATE users
    SET password_hash = $2
    WHERE id = $1
"""


async def change_password(connection: Connection, user_id: UUID, password_hash: str) -> None:
    """Replace a person's password."""
    await connection.execute(REPLACE_HASH, user_id, password_hash)


LOCK_MEMBERSHIPS: Final[LiteralString] = """
    SELECT members.organization_id
    FROM members
    JOIN members AS own ON own.organization_id = members.organization_id
    WHERE own.user_id = $1
    ORDER BY members.organization_id, members.user_id
    FOR UPDATE OF members
"""

FIND_LEFT_WITHOUT_OWNER: Final[LiteralString] = """
    SELECT organizations.name
    FROM members AS own
    JOIN organizations ON organizations.id = own.organization_id
    WHERE own.user_id = $1
      AND own.role = 'owner'
      AND organizations.deleted_at IS NULL
      AND EXISTS (
          SELECT FROM members
          WHERE members.organization_id = own.organization_id
            AND members.user_id <> own.user_id
            AND (SELECT kind FROM users WHERE id = members.user_id) = 'person'
      )
      AND NOT EXISTS (
          SELECT FROM members
          WHERE members.organization_id = own.organization_id AND members.user_id <> own.user_id AND members.role = 'owner'
      )
    ORDER BY organizations.id
    LIMIT 1
"""


async def find_left_without_owner(connection: Connection, user_id: UUID) -> str | None:
    """An organization of several people that only this one owns. Locks the memberships, so that it stays true."""
    await connection.execute(LOCK_MEMBERSHIPS, user_id)
    return await connection.fetchval(FIND_LEFT_WITHOUT_OWNER, user_id)


DELETE_OWN_ORGANIZATIONS: Final[LiteralString] = """
    DELETE FROM organizations
    WHERE id IN (SELECT organization_id FROM members WHERE user_id = $1)
      AND NOT EXISTS (
          SELECT FROM members
          WHERE members.organization_id = organizations.id
            AND members.user_id <> $1
            AND (SELECT kind FROM users WHERE id = members.user_id) = 'person'
      )
"""

DELETE_USER: Final[LiteralString] = """
    DELETE FROM users
    WHERE id = $1
"""


async def delete_user(connection: Connection, user_id: UUID) -> None:
    """Delete a person, their sessions and memberships, and the organizations nobody else belongs to with all they hold."""
    await connection.execute(DELETE_OWN_ORGANIZATIONS, user_id)
    await connection.execute(DELETE_USER, user_id)
