"""Registering, logging in and keeping a session alive.

Hashing happens outside every transaction: it takes a quarter of a second, and a connection must not wait for it.
"""

import unicodedata
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from control.database import Connection, Database
from control.identity import queries, tokens
from control.identity.errors import EmailUnfit, LoginRefused, PasswordUnfit, RefreshRefused
from control.identity.passwords import Passwords
from control.identity.schemas import Credentials, Email, NewAccount, SessionKind, User
from control.identity.throttle import Throttle
from control.organizations.service import create_organization
from control.projects.service import create_project

MIN_PASSWORD_BYTES: Final = 10
MAX_PASSWORD_BYTES: Final = 72
"""bcrypt looks at no more."""
FIRST_PROJECT: Final = "default"


class OpenSession(Struct, frozen=True):
    """A session with the newest token of its family, which only this answer knows."""

    session_id: UUID
    refresh_token: str
    kind: SessionKind
    user: User
    home: queries.Home


async def register(database: Database, passwords: Passwords, account: NewAccount, secret: str, life_s: int) -> OpenSession:
    """Make a person, their organization, its first project and a session, or nothing at all.

    Raises EmailUnfit, PasswordUnfit, or EmailTaken if the address has an account.
    """
    email = normalized_email(account.email)
    check_email(email)
    check_password(account.password)
    hashed = await passwords.hash(account.password)
    async with database.transaction() as connection:
        user = await queries.insert_user(connection, email, account.name, hashed)
        organization_id = await create_organization(connection, f"{user.name}'s organization", user.id)
        await create_project(connection, organization_id, FIRST_PROJECT, "", secret)
        return await _open_session(connection, user, account.session, life_s)


async def log_in(
    database: Database, passwords: Passwords, throttle: Throttle, credentials: Credentials, address: str, life_s: int
) -> OpenSession:
    """Raises LoginRefused, after the same time whether the account or the password is wrong; LoginThrottled after several."""
    email = normalized_email(credentials.email)
    with throttle.attempt(email, address):
        account = await database.run(lambda connection: queries.find_account(connection, email))
        is_right = await passwords.matches(credentials.password, account and account.password_hash)
        if account is None or not is_right:
            throttle.failed(email, address)
            raise LoginRefused
        throttle.succeeded(email, address)
    async with database.transaction() as connection:
        await queries.delete_expired_sessions(connection, account.user.id)
        return await _open_session(connection, account.user, credentials.session, life_s)


async def find_session(connection: Connection, refresh_token: str) -> queries.PresentedToken:
    """The live session that `refresh_token` belongs to, locked. Raises RefreshRefused."""
    presented = await queries.present_refresh_token(connection, tokens.refresh_token_digest(refresh_token))
    if presented is None or not presented.is_live:
        raise RefreshRefused
    return presented


async def rotate(
    connection: Connection, presented: queries.PresentedToken, refresh_token: str, life_s: int
) -> OpenSession | None:
    """Exchange `refresh_token` for a new one; None if it was used before, and then its whole family has ended."""
    if presented.was_used:
        await queries.end_session(connection, presented.session_id)
        return None
    await queries.use_refresh_token(connection, tokens.refresh_token_digest(refresh_token))
    await queries.extend_session(connection, presented.session_id, life_s)
    return await _issue(connection, presented.session_id, presented.kind, presented.user)


def check_email(email: str) -> None:
    """Raises EmailUnfit if what looked like an address is none in its one spelling: `﹫` is an at-sign there, `ﷺ` 18 letters."""
    try:
        msgspec.convert(email, Email)
    except msgspec.ValidationError as error:
        raise EmailUnfit("this is not an e-mail address") from error


def check_password(password: str) -> None:
    """Raises PasswordUnfit, saying what would do."""
    size = len(password.encode())
    if size < MIN_PASSWORD_BYTES:
        raise PasswordUnfit(f"the password is too short: use at least {MIN_PASSWORD_BYTES} characters")
    if size > MAX_PASSWORD_BYTES:
        raise PasswordUnfit(f"the password is {size} bytes long as UTF-8; use at most {MAX_PASSWORD_BYTES}")


def normalized_email(email: str) -> str:
    """One spelling for an address, however it was typed."""
    return unicodedata.normalize("NFKC", email).strip().lower()


async def _open_session(connection: Connection, user: User, kind: SessionKind, life_s: int) -> OpenSession:
    session_id = await queries.insert_session(connection, user.id, kind, life_s)
    return await _issue(connection, session_id, kind, user)


async def _issue(connection: Connection, session_id: UUID, kind: SessionKind, user: User) -> OpenSession:
    refresh_token = tokens.new_refresh_token()
    await queries.insert_refresh_token(connection, tokens.refresh_token_digest(refresh_token), session_id)
    return OpenSession(session_id, refresh_token, kind, user, await queries.find_home(connection, user.id))
