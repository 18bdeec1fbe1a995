"""A sign-in under way: what the browser must bring back, sealed in a cookie of its own.

Nothing is stored until the browser comes back; then its state is, so that it is good once.
"""

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Final, Literal, LiteralString, TypeVar
from uuid import UUID

import msgspec
from litestar.datastructures import Cookie
from msgspec import Struct, field

from contracts.settings import ControlSettings
from control.database import Connection
from control.identity.cookies import console_url, cookie_names
from control.oidc.errors import SignInLapsed
from control.sealing import Unreadable, seal, unseal

LIFE_S: Final = 600
PATH: Final = "/api/v1/auth/oidc"
NO_ROW: Final = UUID(int=0)
"""The cookie belongs to no row."""
Step = Literal["oidc-sign-in", "oidc-second-factor"]

Kept = TypeVar("Kept", bound="SignIn | Pending")


def _random() -> str:
    return secrets.token_urlsafe(32)


class SignIn(Struct, frozen=True):
    """Begun here, to be finished with what the provider answers."""

    provider: str
    link_to: UUID | None
    """Whose account the login is to be linked to; None: to log in."""
    state: str = field(default_factory=_random)
    nonce: str = field(default_factory=_random)
    verifier: str = field(default_factory=_random)
    """Of PKCE."""
    until: float = field(default_factory=lambda: time.time() + LIFE_S)


class Pending(Struct, frozen=True):
    """A person whom the provider knows, and whose second factor is still to be asked for."""

    user_id: UUID
    until: float = field(default_factory=lambda: time.time() + LIFE_S)


def redirect_uri(settings: ControlSettings) -> str:
    """The page of the console that providers lead back to."""
    return f"{console_url(settings)}/signed-in"


def cookie_name(settings: ControlSettings) -> str:
    """By the console's port, like those of sessions."""
    return cookie_names(settings).access.replace("access", "oidc")


def cookie(settings: ControlSettings, kept: SignIn | Pending | None) -> Cookie:
    """What holds `kept`; None makes the browser forget."""
    value = "" if kept is None else urlsafe_b64encode(_sealed(kept, settings.secret)).decode()
    secure = console_url(settings).startswith("https:")
    name = cookie_name(settings)
    return Cookie(name, PATH, value, max_age=LIFE_S if kept else 0, httponly=True, secure=secure, samesite="strict")


def read(value: str | None, kind: type[Kept], secret: str) -> Kept:
    """What `cookie` put there. Raises SignInLapsed."""
    try:
        sealed = urlsafe_b64decode((value or "").encode())
        kept = msgspec.json.decode(unseal(sealed, _step(kind), NO_ROW, secret), type=kind)
    except (NotBase64, ValueError, Unreadable) as error:
        raise SignInLapsed from error
    if kept.until < time.time():
        raise SignInLapsed
    return kept


def check_state(begun: SignIn, state: str) -> None:
    """Raises SignInLapsed unless the answer is to what this browser began."""
    if not hmac.compare_digest(begun.state.encode(), state.encode()):
        raise SignInLapsed


USE_STATE: Final[LiteralString] = """
    WITH forgotten AS (DELETE FROM used_sign_ins WHERE until < now())
    INSERT INTO used_sign_ins (sha256, until)
    VALUES ($1, now() + make_interval(secs => $2))
    ON CONFLICT DO NOTHING
    RETURNING true
"""


async def use(connection: Connection, begun: SignIn) -> None:
    """Raises SignInLapsed the second time."""
    if not await connection.fetchval(USE_STATE, hashlib.sha256(begun.state.encode()).digest(), LIFE_S):
        raise SignInLapsed


def _sealed(kept: SignIn | Pending, secret: str) -> bytes:
    return seal(msgspec.json.encode(kept).decode(), _step(type(kept)), NO_ROW, secret)


def _step(kind: type[SignIn | Pending]) -> Step:
    return "oidc-sign-in" if kind is SignIn else "oidc-second-factor"
