"""Registering, logging in and keeping a session alive.

Hashing happens outside every transaction: it takes a quarter of a second, and a connection must not wait for it.
"""

import unicodedata
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from contracts.settings import ControlSettings
from control.audit.recording import Origin, Target, Who, record_about, record_everywhere
from control.database import Connection, Database
from control.identity import queries, second_factor, sessions, tokens
from control.identity.errors import EmailUnconfirmed, EmailUnfit, LoginRefused, RefreshRefused
from control.identity.passwords import Passwords, check_password
from control.identity.registration import check_may_register, must_confirm
from control.identity.schemas import Credentials, Device, Email, NewAccount, SessionKind, User
from control.identity.throttle import Throttle
from control.organizations.service import create_organization
from control.projects.schemas import NewProject
from control.projects.service import create_project

FIRST_PROJECT: Final = "default"


class OpenSession(Struct, frozen=True):
    """A session with the newest token of its family, which only this answer knows."""

    session_id: UUID
    refresh_token: str
    kind: SessionKind
    user: User
    home: queries.Home


async def register(
    database: Database, passwords: Passwords, settings: ControlSettings, account: NewAccount, device: Device, origin: Origin
) -> OpenSession | None:
    """Make a person, their organization, its first project and a session, or nothing at all.

    None instead of a session if the address is to be confirmed first. Raises EmailUnfit, PasswordUnfit, RegistrationClosed,
    DomainNotTaken, or EmailTaken if the address has an account.
    """
    email = normalized_email(account.email)
    check_email(email)
    check_may_register(settings, email)
    check_password(account.password, email, account.name)
    hashed = await passwords.hash(account.password)
    async with database.transaction() as connection:
        user = await queries.insert_user(connection, email, account.name, hashed)
        await settle(connection, user, origin, settings.secret)
        if must_confirm(settings):
            return None
        return await open_session(connection, user, account.session, settings.refresh_token_s, device)


async def log_in(
    database: Database,
    passwords: Passwords,
    throttle: Throttle,
    settings: ControlSettings,
    credentials: Credentials,
    device: Device,
    origin: Origin,
) -> OpenSession:
    """Open a session.

    Raises LoginRefused, after the same time whether the account or the password is wrong; LoginThrottled after several. Where the
    password is right, SecondFactorNeeded, SecondFactorWrong or EmailUnconfirmed.
    """
    email = normalized_email(credentials.email)
    async with throttle.attempt(email, origin):
        account = await database.run(lambda connection: queries.find_account(connection, email))
        is_right = await passwords.matches(credentials.password, account and account.password_hash)
        if account is None or not is_right:
            raise LoginRefused
        async with database.transaction() as connection:
            await second_factor.check(connection, account.user.id, credentials.code, settings.secret)
    if must_confirm(settings) and not account.is_verified:
        raise EmailUnconfirmed(email)
    async with database.transaction() as connection:
        await sessions.delete_expired_sessions(connection, account.user.id)
        opened = await open_session(connection, account.user, credentials.session, settings.refresh_token_s, device)
        await record_everywhere(connection, account.user.id, origin, "account.login", Target(account.user.id, email))
        return opened


async def find_session(connection: Connection, refresh_token: str) -> sessions.PresentedToken:
    """The live session that `refresh_token` belongs to, locked. Raises RefreshRefused."""
    presented = await sessions.present_refresh_token(connection, tokens.refresh_token_digest(refresh_token))
    if presented is None or not presented.is_live:
        raise RefreshRefused
    return presented


async def rotate(
    connection: Connection, presented: sessions.PresentedToken, refresh_token: str, life_s: int, device: Device, origin: Origin
) -> OpenSession | None:
    """Exchange `refresh_token` for a new one; None if it was used before, and then its whole family has ended."""
    if presented.was_used:
        await sessions.end_session(connection, presented.session_id)
        target = Target(presented.session_id, presented.user.email)
        await record_about(connection, presented.user.id, origin, "account.end_copied_session", target)
        return None
    await sessions.use_refresh_token(connection, tokens.refresh_token_digest(refresh_token))
    await sessions.extend_session(connection, presented.session_id, life_s, device)
    return await _issue(connection, presented.session_id, presented.kind, presented.user)


def check_email(email: str) -> None:
    """Raises EmailUnfit if what looked like an address is none in its one spelling: `﹫` is an at-sign there, `ﷺ` 18 letters."""
    try:
        msgspec.convert(email, Email)
    except msgspec.ValidationError as error:
        raise EmailUnfit("this is not an e-mail address") from error


def normalized_email(email: str) -> str:
    """One spelling for an address, however it was typed."""
    return unicodedata.normalize("NFKC", email).strip().lower()


async def settle(connection: Connection, user: User, origin: Origin, secret: str) -> None:
    """Give a new person an organization of their own and its first project."""
    organization_id = await create_organization(connection, f"{user.name}'s organization", user.id, origin)
    await create_project(connection, Who(user.id, organization_id, None, origin), NewProject(FIRST_PROJECT), secret)


async def open_session(connection: Connection, user: User, kind: SessionKind, life_s: int, device: Device) -> OpenSession:
    """For who has shown who they are."""
    session_id = await sessions.insert_session(connection, user.id, kind, life_s, device)
    return await _issue(connection, session_id, kind, user)


async def _issue(connection: Connection, session_id: UUID, kind: SessionKind, user: User) -> OpenSession:
    refresh_token = tokens.new_refresh_token()
    await sessions.insert_refresh_token(connection, tokens.refresh_token_digest(refresh_token), session_id)
    return OpenSession(session_id, refresh_token, kind, user, await queries.find_home(connection, user.id))
