"""What the invitation routes take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from control.fields import Name
from control.identity.permissions import GivenRole
from control.identity.schemas import GivenPassword

InvitedRole = GivenRole
Token = Annotated[str, Meta(min_length=1, max_length=128)]


class NewInvitations(Struct, frozen=True, forbid_unknown_fields=True):
    """People to invite, all in one role."""

    emails: Annotated[list[Annotated[str, Meta(max_length=254)]], Meta(min_length=1, max_length=100)]
    role: InvitedRole | UnsetType = UNSET
    """Absent: the organization's default."""


class Invitation(Struct, frozen=True):
    """Somebody who was invited and has not come yet."""

    id: UUID
    email: str
    role: InvitedRole
    invited_by: str | None
    """Name of the inviter; null once their account is gone."""
    created_at: datetime
    sent_at: datetime
    expires_at: datetime


class InvitationPage(Struct, frozen=True):
    """Invitations, newest first."""

    items: list[Invitation]
    next_cursor: UUID | None


class SentInvitation(Struct, frozen=True):
    """An invitation on its way."""

    invitation: Invitation
    link: str | None
    """Where the invited person accepts it, for you to hand on; null where a mail server does."""


class Invited(Struct, frozen=True):
    """What came of inviting people."""

    sent: list[SentInvitation]
    members: list[str]
    """Addresses of people who are members already."""
    waiting: list[str]
    """Addresses that got a mail within the last minute."""


class InvitationToken(Struct, frozen=True, forbid_unknown_fields=True):
    """The secret part of an invitation's link."""

    token: Token


class OpenInvitation(Struct, frozen=True):
    """An invitation as the invited person sees it."""

    organization: str
    email: str
    role: InvitedRole
    invited_by: str | None
    expires_at: datetime
    has_account: bool
    """Whether the invited address has an account, to log in with; else it makes one."""


class InvitedAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """An invited person signing up; the address is the invitation's."""

    token: Token
    name: Name
    password: GivenPassword
