"""What the account routes take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from control.fields import Email, Name
from control.organizations.schemas import Organization

SessionKind = Literal["token", "cookie"]
SecondFactor = Annotated[str, Meta(min_length=1, max_length=64)]
GivenPassword = Annotated[str, Meta(min_length=1, max_length=1024)]


class NewAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """A person signing up. The password has 10 to 72 bytes as UTF-8."""

    email: Email
    password: GivenPassword
    name: Name
    session: SessionKind = "token"
    """`token`: tokens in the answer. `cookie`: HttpOnly cookies, for the console."""


class Credentials(Struct, frozen=True, forbid_unknown_fields=True):
    """A person logging in."""

    email: Annotated[str, Meta(max_length=254, pattern=r"^[^\x00]*$")]
    password: GivenPassword
    session: SessionKind = "token"
    code: SecondFactor | None = None
    """Of the second factor, if the account has one: six digits of the authenticator, or a recovery code."""


class Refresh(Struct, frozen=True, forbid_unknown_fields=True):
    """A refresh token; null where it travels in the cookie."""

    refresh_token: Annotated[str, Meta(max_length=256)] | None = None


class User(Struct, frozen=True):
    """A person."""

    id: UUID
    email: str
    name: str


class Session(Struct, frozen=True):
    """A session just opened or renewed. The tokens are null where they travel in cookies."""

    access_token: str | None
    refresh_token: str | None
    csrf_token: str | None
    """Only with cookies: repeat it in the header `X-CSRF-Token` of every call that changes something."""
    expires_in: int
    """Seconds the access token is good for."""
    user: User
    organization_id: UUID | None
    """The organization the person joined first."""
    project_id: UUID | None
    """That organization's first project."""


class Me(Struct, frozen=True):
    """The caller."""

    user: User
    is_email_verified: bool
    """Whether the caller has shown that mail to their address reaches them."""
    has_second_factor: bool
    has_password: bool
    """Without one they sign in elsewhere, and set one by the link for forgotten passwords before they change what asks for it."""
    organizations: list[Organization]
    csrf_token: str | None


class Device(Struct, frozen=True):
    """Where a session is used."""

    agent: str
    """What the program calls itself (`User-Agent`)."""
    address: str
    """IP address."""


class OwnSession(Struct, frozen=True):
    """A session of the caller's that is alive."""

    id: UUID
    kind: SessionKind
    agent: str
    """What the browser or program called itself."""
    address: str
    created_at: datetime
    last_used_at: datetime
    """When it was opened or last renewed; a session in use renews itself about every quarter of an hour."""
    expires_at: datetime
    is_current: bool
    """Whether this call was made in it."""


class OwnSessions(Struct, frozen=True):
    """All of the caller's live sessions, 200 at most, the one used last first."""

    items: list[OwnSession]


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The password as it is, and as it shall be: 10 to 72 bytes as UTF-8."""

    current_password: GivenPassword
    new_password: GivenPassword


class AccountDeletion(Struct, frozen=True, forbid_unknown_fields=True):
    """The caller's password, so that nobody else deletes the account from a screen left open."""

    password: GivenPassword


MailedToken = Annotated[str, Meta(min_length=1, max_length=256)]
"""What stands behind the `#` of a link sent by mail."""


class PasswordResetRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The address of an account whose password is forgotten."""

    email: Email


class PasswordReset(Struct, frozen=True, forbid_unknown_fields=True):
    """The token of the link, and the password as it shall be: 10 to 72 bytes as UTF-8."""

    token: MailedToken
    new_password: GivenPassword


class EmailVerification(Struct, frozen=True, forbid_unknown_fields=True):
    """The token of the link."""

    token: MailedToken


class PasswordConfirmation(Struct, frozen=True, forbid_unknown_fields=True):
    """The caller's password once more."""

    password: GivenPassword


class NewSecondFactor(Struct, frozen=True):
    """What an authenticator app needs, shown once."""

    secret: str
    """To type in, base32."""
    uri: str
    """`otpauth://…`"""
    qr: str
    """The same as a picture to scan: a `data:` URI of an SVG."""


class SecondFactorCode(Struct, frozen=True, forbid_unknown_fields=True):
    """A code of the authenticator."""

    code: SecondFactor


class RecoveryCodes(Struct, frozen=True):
    """Each replaces the authenticator once."""

    codes: list[str]


class BothFactors(Struct, frozen=True, forbid_unknown_fields=True):
    """The caller's password, and a code of the authenticator or a recovery code."""

    password: GivenPassword
    code: SecondFactor
