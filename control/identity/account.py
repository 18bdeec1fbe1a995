"""What people change about their own account.

Each time they say their password, and may guess no more often than at a login: a screen left open is not enough.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from control.audit.recording import Origin, Target, record_everywhere
from control.database import Database
from control.identity import queries, sessions
from control.identity.errors import OwnerNeeded, PasswordMissing, PasswordWrong
from control.identity.passwords import Passwords
from control.identity.queries import Account
from control.identity.throttle import Throttle
from control.routing.queries import bump_routes


@asynccontextmanager
async def confirmed(
    database: Database, passwords: Passwords, throttle: Throttle, user_id: UUID, password: str, origin: Origin
) -> AsyncGenerator[Account]:
    """The caller's account, for a block that may ask for more proof. Raises PasswordMissing, PasswordWrong; LoginThrottled."""
    account = await database.run(lambda connection: queries.read_account(connection, user_id))
    if account.password_hash is None:
        raise PasswordMissing
    async with throttle.attempt(account.user.email, origin):
        if not await passwords.matches(password, account.password_hash):
            raise PasswordWrong
        yield account


async def change_password(
    database: Database, passwords: Passwords, user_id: UUID, new_password: str, but: UUID, origin: Origin
) -> None:
    """Replace the password, which has been checked, and end every session but one."""
    hashed = await passwords.hash(new_password)
    async with database.transaction() as connection:
        await queries.change_password(connection, user_id, hashed)
        await sessions.end_sessions(connection, user_id, but)
        user = await queries.find_user(connection, user_id)
        await record_everywhere(connection, user_id, origin, "account.change_password", Target(user_id, user.email))


async def delete_account(database: Database, user_id: UUID, origin: Origin) -> None:
    """Delete the person with what is theirs alone. Raises OwnerNeeded if others would be left without an owner."""
    async with database.transaction() as connection:
        organization = await queries.find_left_without_owner(connection, user_id)
        if organization is not None:
            raise OwnerNeeded(organization)
        await bump_routes(connection)
        user = await queries.find_user(connection, user_id)
        await record_everywhere(connection, user_id, origin, "account.delete", Target(user_id, user.email))
        await queries.delete_user(connection, user_id)
