"""Access tokens (short-lived JWT), refresh tokens (opaque) and the CSRF token of a session.

Each use of the instance's secret has a key of its own, so that no token can pass for another kind.
"""

import hashlib
import hmac
import secrets
from typing import Final
from uuid import UUID

import jwt
import msgspec
from msgspec import Struct

from contracts.errors import Unauthenticated

ALGORITHM: Final = "HS256"
ISSUER: Final = "headrace"
AUDIENCE: Final = "headrace-api"
CLOCK_SKEW_S: Final = 10
"""Between control processes on several machines."""
REFRESH_TOKEN_BYTES: Final = 32


class Claims(Struct, frozen=True):
    """What an access token says: who, in which session."""

    sub: UUID
    sid: UUID


def issue_access_token(user_id: UUID, session_id: UUID, secret: str, now: float, life_s: int) -> str:
    """A signed token, good for `life_s` seconds from `now` (seconds since the epoch)."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": str(session_id),
        "iat": int(now),
        "exp": int(now) + life_s,
    }
    return jwt.encode(claims, derived_key(secret, "access-token"), ALGORITHM)


def read_access_token(token: str, secret: str) -> Claims:
    """Raises Unauthenticated if the token is malformed, altered, expired or not ours."""
    try:
        claims = jwt.decode(
            token,
            derived_key(secret, "access-token"),
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=CLOCK_SKEW_S,
            options={"require": ["iss", "aud", "sub", "iat", "exp"]},
        )
        return msgspec.convert(claims, Claims)
    except jwt.ExpiredSignatureError as error:
        raise Unauthenticated("the access token has expired; refresh the session") from error
    except (jwt.InvalidTokenError, msgspec.ValidationError) as error:
        raise Unauthenticated("the access token is not valid; log in again") from error


def new_refresh_token() -> str:
    """A random token; only its SHA-256 is stored."""
    return secrets.token_urlsafe(REFRESH_TOKEN_BYTES)


def refresh_token_digest(token: str) -> bytes:
    """What the database keeps of a refresh token."""
    return hashlib.sha256(token.encode()).digest()


def csrf_token(session_id: UUID, secret: str) -> str:
    """The token that unsafe requests of this cookie session must repeat in a header."""
    return hmac.new(derived_key(secret, "csrf"), session_id.bytes, hashlib.sha256).hexdigest()


def derived_key(secret: str, use: str) -> bytes:
    """The key of 32 bytes for one use of the instance's secret."""
    return hmac.new(secret.encode(), use.encode(), hashlib.sha256).digest()
