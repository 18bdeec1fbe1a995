"""Tokens sent by mail, in Postgres: one of each purpose a person, good once, kept as its digest."""

from typing import Final, Literal, LiteralString
from uuid import UUID

from control.database import Connection
from control.identity.errors import LinkVoid
from control.identity.schemas import User

Purpose = Literal["password", "email"]

LIFE_S: Final[dict[Purpose, int]] = {"password": 3600, "email": 3 * 86400}
SECONDS_BETWEEN: Final = 60
"""Two mails of one purpose to one person."""

PUT_LINK: Final[LiteralString] = """
    INSERT INTO mailed_tokens (user_id, purpose, sha256, expires_at)
    SELECT id, $2, $3, now() + make_interval(secs => $4)
    FROM users
    WHERE email = $1
    ON CONFLICT (user_id, purpose) DO UPDATE
    SET sha256 = excluded.sha256, sent_at = now(), expires_at = excluded.expires_at
    WHERE mailed_tokens.sent_at < now() - make_interval(secs => $5)
    RETURNING true
"""


async def put_token(connection: Connection, email: str, purpose: Purpose, digest: bytes) -> bool:
    """Replace the token of an address; False if it has no account, or was sent one a moment ago."""
    return bool(await connection.fetchval(PUT_LINK, email, purpose, digest, LIFE_S[purpose], SECONDS_BETWEEN))


FIND_LINK: Final[LiteralString] = """
    SELECT users.id, users.email, users.name
    FROM mailed_tokens
    JOIN users ON users.id = mailed_tokens.user_id
    WHERE mailed_tokens.sha256 = $1
      AND mailed_tokens.purpose = $2
      AND mailed_tokens.expires_at > now()
"""


async def find_owner(connection: Connection, digest: bytes, purpose: Purpose) -> User:
    """Whom the token was sent to; this does not use it up. Raises LinkVoid."""
    row = await connection.fetchrow(FIND_LINK, digest, purpose)
    if row is None:
        raise LinkVoid
    return User(**row)


TAKE_LINK: Final[LiteralString] = """
    DELETE FROM mailed_tokens
    WHERE sha256 = $1
      AND purpose = $2
      AND expires_at > now()
    RETURNING user_id
"""

VERIFY_EMAIL: Final[LiteralString] = """
    UPDATE users
    SET email_verified_at = coalesce(email_verified_at, now())
    WHERE id = $1
    RETURNING id, email, name
"""


async def take_token(connection: Connection, digest: bytes, purpose: Purpose) -> User:
    """Use the token up: whoever has it reads the person's mail, so the address is verified. Raises LinkVoid."""
    user_id: UUID | None = await connection.fetchval(TAKE_LINK, digest, purpose)
    row = await connection.fetchrow(VERIFY_EMAIL, user_id)
    if row is None:
        raise LinkVoid
    return User(**row)
