"""What the routes of OpenID Connect take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from control.identity.schemas import GivenPassword, SecondFactor, Session


class Begun(Struct, frozen=True):
    """Where the browser goes next."""

    url: str


class ProviderAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """What the provider put into the address it led the browser back to."""

    state: Annotated[str, Meta(min_length=1, max_length=256)]
    code: Annotated[str, Meta(max_length=4096)] | None = None
    """Absent if it refused."""


class SignInCode(Struct, frozen=True, forbid_unknown_fields=True):
    """A code of the authenticator, or a recovery code."""

    code: SecondFactor


class SignedIn(Struct, frozen=True):
    """What came of it: a session in cookies, a code to be asked for, or an account that is linked now."""

    outcome: Literal["session", "second_factor", "linked"]
    session: Session | None = None


class Identity(Struct, frozen=True):
    """A login elsewhere that opens the caller's account."""

    id: UUID
    label: str
    """What people here call the provider; its address if it is not configured any more."""
    email: str | None
    """As the provider knew it when it was linked."""
    linked_at: datetime
    last_used_at: datetime | None


class Identities(Struct, frozen=True):
    """All of the caller's."""

    items: list[Identity]


class NewIdentity(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the caller has a login that is to open their account, and their password."""

    provider: str
    password: GivenPassword
