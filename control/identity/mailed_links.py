"""Links by mail: what they say, and what opening one does."""

import logging
from typing import Final

from contracts.settings import ControlSettings
from control.audit.recording import Origin, Target, record_everywhere
from control.database import Database, DatabaseUnavailable
from control.identity import mailed_tokens, queries, sessions, tokens
from control.identity.cookies import console_url
from control.identity.mailed_tokens import Purpose
from control.identity.passwords import Passwords
from control.identity.schemas import User
from control.mail.errors import AddressUnfit, MailQueueFull
from control.mail.letters import Letter
from control.mail.mailer import Mailer

logger = logging.getLogger(__name__)

PAGES: Final[dict[Purpose, str]] = {"password": "reset-password", "email": "verify-email"}
SUBJECTS: Final[dict[Purpose, str]] = {"password": "Set a new password", "email": "Confirm your e-mail address"}
TEXTS: Final[dict[Purpose, str]] = {
    "password": "Somebody, probably you, asked for a new password on Headrace. To set it, open this link within an hour:",
    "email": "This address was given for an account on Headrace. To confirm that it is yours, open this link within 3 days:",
}


async def send_link(database: Database, mailer: Mailer, settings: ControlSettings, email: str, purpose: Purpose) -> None:
    """Send a link to the (normalised) address, if it has an account and was not sent one within the last minute.

    Runs after the answer: nobody learns from it, or from how long it took, whether there is such an account.
    """
    token = tokens.new_refresh_token()
    digest = tokens.refresh_token_digest(token)
    try:
        if await database.run(lambda connection: mailed_tokens.put_token(connection, email, purpose, digest)):
            mailer.post(letter(email, purpose, f"{console_url(settings)}/{PAGES[purpose]}#{token}"))
    except (DatabaseUnavailable, MailQueueFull, AddressUnfit) as error:
        logger.warning("a link could not be sent: %s", type(error).__name__)


def letter(email: str, purpose: Purpose, link: str) -> Letter:
    """The mail with the link; its secret stands behind a `#`, which browsers send to nobody."""
    closing = "It works once. If you did not expect this mail, do nothing: nothing has changed."
    return Letter(email, SUBJECTS[purpose], f"{TEXTS[purpose]}\n\n{link}\n\n{closing}\n")


async def find_owner(database: Database, token: str, purpose: Purpose) -> User:
    """Whom the link was sent to. Raises LinkVoid."""
    digest = tokens.refresh_token_digest(token)
    return await database.run(lambda connection: mailed_tokens.find_owner(connection, digest, purpose))


async def reset_password(database: Database, passwords: Passwords, token: str, new_password: str, origin: Origin) -> None:
    """Set a password, which has been checked, and end every session. Raises LinkVoid."""
    hashed = await passwords.hash(new_password)
    async with database.transaction() as connection:
        user = await mailed_tokens.take_token(connection, tokens.refresh_token_digest(token), "password")
        await queries.change_password(connection, user.id, hashed)
        await sessions.end_sessions(connection, user.id)
        await record_everywhere(connection, user.id, origin, "account.reset_password", Target(user.id, user.email))


async def verify_email(database: Database, token: str, origin: Origin) -> None:
    """Mark the address as the person's. Raises LinkVoid."""
    async with database.transaction() as connection:
        user = await mailed_tokens.take_token(connection, tokens.refresh_token_digest(token), "email")
        await record_everywhere(connection, user.id, origin, "account.verify_email", Target(user.id, user.email))
