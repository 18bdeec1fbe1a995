"""Accounts, sessions and refresh tokens in Postgres."""

from typing import Final, LiteralString
from uuid import UUID

import asyncpg
from msgspec import Struct

from control.database import Connection
from control.identity.errors import EmailTaken
from control.identity.schemas import SessionKind, User


class Account(Struct, frozen=True):
    """A person as the login sees them."""

    user: User
    password_hash: str


class Home(Struct, frozen=True):
    """Where a person starts: the organization they joined first and its first project."""

    organization_id: UUID | None
    project_id: UUID | None


class PresentedToken(Struct, frozen=True):
    """A refresh token that somebody showed, and the session it belongs to."""

    session_id: UUID
    kind: SessionKind
    user: User
    was_used: bool
    is_live: bool
    """False once the session has ended or expired."""


INSERT_USER: Final[LiteralString] = """
    INSERT INTO users (email, name, password_hash)
    VALUES ($1, $2, $3)
    RETURNING id, email, name
"""


async def insert_user(connection: Connection, email: str, name: str, password_hash: str) -> User:
    """Raises EmailTaken if somebody has registered this (normalised) address."""
    try:
        row = await connection.fetchrow(INSERT_USER, email, name, password_hash)
    except asyncpg.UniqueViolationError as error:
        raise EmailTaken(email) from error
    assert row is not None
    return User(**row)


FIND_ACCOUNT: Final[LiteralString] = """
    SELECT id, email, name, password_hash
    FROM users
    WHERE email = $1
"""


async def find_account(connection: Connection, email: str) -> Account | None:
    """The account of a normalised address."""
    row = await connection.fetchrow(FIND_ACCOUNT, email)
    return Account(User(row["id"], row["email"], row["name"]), row["password_hash"]) if row else None


FIND_HOME: Final[LiteralString] = """
    SELECT members.organization_id, projects.id AS project_id
    FROM members
    LEFT JOIN projects ON projects.organization_id = members.organization_id
    WHERE members.user_id = $1
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


INSERT_SESSION: Final[LiteralString] = """
    INSERT INTO sessions (user_id, kind, expires_at)
    VALUES ($1, $2, now() + make_interval(secs => $3))
    RETURNING id
"""


async def insert_session(connection: Connection, user_id: UUID, kind: SessionKind, life_s: int) -> UUID:
    """Open a session that may be renewed for `life_s` seconds."""
    return await connection.fetchval(INSERT_SESSION, user_id, kind, life_s)


DELETE_EXPIRED_SESSIONS: Final[LiteralString] = """
    DELETE FROM sessions
    WHERE user_id = $1
      AND expires_at < now()
"""


async def delete_expired_sessions(connection: Connection, user_id: UUID) -> None:
    """Forget a person's old sessions, with their refresh tokens."""
    await connection.execute(DELETE_EXPIRED_SESSIONS, user_id)


INSERT_REFRESH: Final[LiteralString] = """
    INSERT INTO refresh_tokens (sha256, session_id)
    VALUES ($1, $2)
"""


async def insert_refresh_token(connection: Connection, digest: bytes, session_id: UUID) -> None:
    """Add the newest token of a session's family."""
    await connection.execute(INSERT_REFRESH, digest, session_id)


PRESENT_REFRESH: Final[LiteralString] = """
    SELECT sessions.id AS session_id, sessions.kind, users.id AS user_id, users.email, users.name,
           refresh_tokens.used_at IS NOT NULL AS was_used,
           sessions.ended_at IS NULL AND sessions.expires_at > now() AS is_live
    FROM refresh_tokens
    JOIN sessions ON sessions.id = refresh_tokens.session_id
    JOIN users ON users.id = sessions.user_id
    WHERE refresh_tokens.sha256 = $1
    FOR UPDATE OF refresh_tokens, sessions
"""


async def present_refresh_token(connection: Connection, digest: bytes) -> PresentedToken | None:
    """Look a token up and lock it, so that of two who present it at once one comes second."""
    row = await connection.fetchrow(PRESENT_REFRESH, digest)
    if row is None:
        return None
    user = User(row["user_id"], row["email"], row["name"])
    return PresentedToken(row["session_id"], row["kind"], user, row["was_used"], row["is_live"])


USE_REFRESH: Final[LiteralString] = """
    UPDATE refresh_tokens
    SET used_at = now()
    WHERE sha256 = $1
"""


async def use_refresh_token(connection: Connection, digest: bytes) -> None:
    """Mark a token as used; who presents it again gives a theft away."""
    await connection.execute(USE_REFRESH, digest)


EXTEND_SESSION: Final[LiteralString] = """
    UPDATE sessions
    SET expires_at = now() + make_interval(secs => $2)
    WHERE id = $1
"""

DELETE_USED_REFRESH: Final[LiteralString] = """
    DELETE FROM refresh_tokens
    WHERE session_id = $1
      AND used_at < now() - make_interval(secs => $2)
"""


async def extend_session(connection: Connection, session_id: UUID, life_s: int) -> None:
    """Let a session live `life_s` seconds from now, and forget tokens used longer ago than that."""
    await connection.execute(EXTEND_SESSION, session_id, life_s)
    await connection.execute(DELETE_USED_REFRESH, session_id, life_s)


END_SESSION: Final[LiteralString] = """
    UPDATE sessions
    SET ended_at = now()
    WHERE id = $1
      AND ended_at IS NULL
"""


async def end_session(connection: Connection, session_id: UUID) -> None:
    """End a session for good; ending it twice is fine."""
    await connection.execute(END_SESSION, session_id)
