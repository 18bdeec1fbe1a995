"""Sessions and their refresh tokens in Postgres."""

from typing import Final, LiteralString
from uuid import UUID

from msgspec import Struct

from control.database import Connection
from control.identity.schemas import Device, OwnSession, SessionKind, User


class PresentedToken(Struct, frozen=True):
    """A refresh token that somebody showed, and the session it belongs to."""

    session_id: UUID
    kind: SessionKind
    user: User
    was_used: bool
    is_live: bool
    """False once the session has ended or expired."""


INSERT_SESSION: Final[LiteralString] = """
    INSERT INTO sessions (user_id, kind, expires_at, agent, address)
    VALUES ($1, $2, now() + make_interval(secs => $3), $4, $5)
    RETURNING id
"""


async def insert_session(connection: Connection, user_id: UUID, kind: SessionKind, life_s: int, device: Device) -> UUID:
    """Open a session that may be renewed for `life_s` seconds."""
    return await connection.fetchval(INSERT_SESSION, user_id, kind, life_s, device.agent, device.address)


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
    SET expires_at = now() + make_interval(secs => $2), last_used_at = now(), agent = $3, address = $4
    WHERE id = $1
"""

DELETE_USED_REFRESH: Final[LiteralString] = """
    DELETE FROM refresh_tokens
    WHERE session_id = $1
      AND used_at < now() - make_interval(secs => $2)
"""


async def extend_session(connection: Connection, session_id: UUID, life_s: int, device: Device) -> None:
    """Let a session live `life_s` seconds from now, and forget tokens used longer ago than that."""
    await connection.execute(EXTEND_SESSION, session_id, life_s, device.agent, device.address)
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


LIST_SESSIONS: Final[LiteralString] = """
    SELECT id, kind, agent, address, created_at, last_used_at, expires_at, id = $2 AS is_current
    FROM sessions
    WHERE user_id = $1
      AND expires_at > now()
      AND ended_at IS NULL
    ORDER BY last_used_at DESC, id
    LIMIT 200
"""


async def list_sessions(connection: Connection, user_id: UUID, current_id: UUID) -> list[OwnSession]:
    """A person's live sessions, the one used last first."""
    return [OwnSession(**row) for row in await connection.fetch(LIST_SESSIONS, user_id, current_id)]


END_OWN_SESSION: Final[LiteralString] = """
    UPDATE sessions
    SET ended_at = now()
    WHERE user_id = $1
      AND id = $2
      AND ended_at IS NULL
    RETURNING id
"""


async def end_own_session(connection: Connection, user_id: UUID, session_id: UUID) -> bool:
    """End one of a person's sessions; False if they have no live one of this id."""
    return await connection.fetchval(END_OWN_SESSION, user_id, session_id) is not None


END_OTHER_SESSIONS: Final[LiteralString] = """
    UPDATE sessions
    SET ended_at = now()
    WHERE user_id = $1
      AND id IS DISTINCT FROM $2
      AND ended_at IS NULL
"""


async def end_sessions(connection: Connection, user_id: UUID, but: UUID | None = None) -> None:
    """End all of a person's sessions but one."""
    await connection.execute(END_OTHER_SESSIONS, user_id, but)
