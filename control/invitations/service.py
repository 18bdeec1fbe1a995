"""Inviting people and letting them in.

An invitation's token is random, single use and known to the invited person alone: the database keeps its hash, and its link
carries it behind a `#`, which browsers send to nobody.
"""

import hashlib
import secrets
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from control.audit.recording import Origin, Target, Who, record
from control.database import Connection, Database
from control.fields import Email, unique
from control.identity.passwords import Passwords, check_password
from control.identity.queries import find_user, insert_user
from control.identity.schemas import User
from control.identity.service import normalized_email
from control.invitations import queries
from control.invitations.errors import (
    DomainRefused,
    InvitedSomebodyElse,
    InviteeUnfit,
    SentJustNow,
    TooManyInvitations,
    TooManySent,
)
from control.invitations.schemas import Invitation, InvitedAccount, InvitedRole, NewInvitations
from control.mail.errors import AddressUnfit
from control.mail.letters import Letter, address, one_line

MOST_WAITING: Final = 1_000
"""Invitations of one organization."""
MOST_A_DAY: Final = 1_000
"""Mails that one organization makes us send, whatever it revokes in between."""
TOKEN_BYTES: Final = 32


class Outcome(Struct, frozen=True):
    """What came of inviting people."""

    sent: list[tuple[Invitation, str]]
    """Each with its token."""
    members: list[str]
    waiting: list[str]


async def invite(connection: Connection, who: Who, inviter_id: UUID, new: NewInvitations) -> Outcome:
    """Invite everybody who is no member yet and was not invited a moment ago.

    Raises InviteeUnfit, DomainRefused, TooManyInvitations or TooManySent, and then nobody is invited.
    """
    emails = unique([fit_email(it) for it in new.emails])
    members = await queries.list_member_emails(connection, who.organization_id, emails)
    outsiders = [it for it in emails if it not in members]
    rules = await queries.find_rules(connection, who.organization_id)
    for it in outsiders:
        check_domain(it, rules.email_domains)
    role = rules.default_role if new.role is UNSET else new.role
    sent = await _send(connection, who, inviter_id, role, outsiders)
    if await queries.count_invitations(connection, who.organization_id) > MOST_WAITING:
        raise TooManyInvitations(MOST_WAITING)
    invited = {invitation.email for invitation, _ in sent}
    return Outcome(sent, [it for it in emails if it in members], [it for it in outsiders if it not in invited])


async def resend(connection: Connection, who: Who, inviter_id: UUID, invitation_id: UUID) -> tuple[Invitation, str]:
    """Invite somebody anew: the link they had works no more.

    Raises InvitationNotFound, DomainRefused, SentJustNow or TooManySent.
    """
    old = await queries.find_invitation(connection, who.organization_id, invitation_id)
    check_domain(old.email, (await queries.find_rules(connection, who.organization_id)).email_domains)
    sent = await _send(connection, who, inviter_id, old.role, [old.email])
    if not sent:
        raise SentJustNow
    return sent[0]


async def revoke(connection: Connection, who: Who, invitation_id: UUID) -> None:
    """Take an invitation back. Raises InvitationNotFound."""
    old = await queries.find_invitation(connection, who.organization_id, invitation_id)
    await queries.delete_invitation(connection, who.organization_id, invitation_id)
    await record(connection, who, "invitation.revoke", Target(old.id, old.email), {"role": old.role})


async def accept(connection: Connection, token: str, user_id: UUID, origin: Origin) -> UUID:
    """Make a signed-in person a member; the answer is the organization's id.

    Raises InvitationVoid, InvitedSomebodyElse or DomainRefused.
    """
    ticket = await queries.take_invitation(connection, digest(token))
    user = await find_user(connection, user_id)
    if user.email != ticket.email:
        raise InvitedSomebodyElse(ticket.email, user.email)
    await _admit(connection, ticket, user_id, origin)
    return ticket.organization_id


async def sign_up(database: Database, passwords: Passwords, account: InvitedAccount, was_mailed: bool, origin: Origin) -> User:
    """Make an account for the invited address, and a member of it. Who knows a token that was only mailed, reads that mail.

    Raises InvitationVoid, PasswordUnfit, EmailTaken or DomainRefused.
    """
    invitation = await database.run(lambda connection: queries.open_invitation(connection, digest(account.token)))
    check_password(account.password, invitation.email, account.name)
    hashed = await passwords.hash(account.password)
    async with database.transaction() as connection:
        ticket = await queries.take_invitation(connection, digest(account.token))
        user = await insert_user(connection, ticket.email, account.name, hashed, was_mailed)
        await _admit(connection, ticket, user.id, origin)
        return user


def fit_email(given: str) -> str:
    """The one spelling of an address that mail can be sent to. Raises InviteeUnfit."""
    email = normalized_email(given)
    try:
        msgspec.convert(email, Email)
        address(email)
    except (msgspec.ValidationError, AddressUnfit) as error:
        raise InviteeUnfit(given) from error
    return email


def check_domain(email: str, domains: list[str]) -> None:
    """Raises DomainRefused unless the organization takes in people with such addresses."""
    if domains and email.rpartition("@")[2].lower() not in domains:
        raise DomainRefused(email, domains)


def digest(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def letter(invitation: Invitation, organization: str, link: str) -> Letter:
    """The mail that invites."""
    inviter = invitation.invited_by or "Somebody"
    return Letter(
        to=invitation.email,
        subject=one_line(f"{inviter} invites you to {organization}"),
        text=(
            f"{inviter} invites you to {organization} on Headrace, as {invitation.role}.\n\n"
            f"To accept, open this link by {invitation.expires_at:%d %B %Y, %H:%M} UTC:\n\n{link}\n\n"
            "It works once. If you did not expect this mail, do nothing.\n"
        ),
    )


async def _admit(connection: Connection, ticket: queries.Ticket, user_id: UUID, origin: Origin) -> None:
    check_domain(ticket.email, (await queries.find_rules(connection, ticket.organization_id)).email_domains)
    await queries.admit_member(connection, ticket, user_id)
    who = Who(user_id, ticket.organization_id, None, origin)
    await record(connection, who, "member.join", Target(user_id, ticket.email), after={"role": ticket.role})


async def _send(
    connection: Connection, who: Who, inviter_id: UUID, role: InvitedRole, emails: list[str]
) -> list[tuple[Invitation, str]]:
    tokens = {it: secrets.token_urlsafe(TOKEN_BYTES) for it in emails}
    digests = {email: digest(token) for email, token in tokens.items()}
    sent = await queries.upsert_invitations(connection, who.organization_id, role, inviter_id, digests)
    if await queries.count_sent(connection, who.organization_id, len(sent)) > MOST_A_DAY:
        raise TooManySent(MOST_A_DAY)
    for it in sent:
        await record(connection, who, "invitation.send", Target(it.id, it.email), after={"role": it.role})
    return [(it, tokens[it.email]) for it in sent]
