"""Failed logins in the audit log of the person's organizations.

Written beside the requests: an answer takes as long whether or not the address has an account. At most one entry of a kind an
account and minute, so that whoever guesses cannot fill the log.
"""

import asyncio
import logging
from collections import OrderedDict
from time import monotonic
from typing import Final

from msgspec import Struct

from contracts.errors import HeadraceError
from control.audit.recording import Origin, Target, record_about
from control.database import Database
from control.identity import queries

logger = logging.getLogger(__name__)

SECONDS_BETWEEN: Final = 60.0
MOST_WAITING: Final = 1_000
MOST_REMEMBERED: Final = 10_000


class Guess(Struct, frozen=True):
    """A login that failed."""

    account: str
    action: str
    origin: Origin


class Guesses:
    """Those waiting to be written, as long as `write_forever` runs."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[Guess] = asyncio.Queue(MOST_WAITING)
        self.noted: OrderedDict[tuple[str, str], float] = OrderedDict()
        """When, by account and action, the latest last."""

    def note(self, account: str, origin: Origin, is_locked: bool, now: float | None = None) -> None:
        """Have it written that somebody failed to log in, and whether the next try must wait; at most once a minute."""
        now = monotonic() if now is None else now
        guess = Guess(account, "account.lock_out" if is_locked else "account.login_failed", origin)
        key = account, guess.action
        if now - self.noted.get(key, -SECONDS_BETWEEN) < SECONDS_BETWEEN:
            return
        if self.waiting.full():
            logger.warning("more failed logins than can be written into the audit log")
            return
        self.noted[key] = now
        self.noted.move_to_end(key)
        if len(self.noted) > MOST_REMEMBERED:
            self.noted.popitem(last=False)
        self.waiting.put_nowait(guess)

    async def write_forever(self, database: Database) -> None:
        """Write what is noted; what the database does not take is lost, and said so in the log."""
        while True:
            guess = await self.waiting.get()
            try:
                await _write(database, guess)
            except HeadraceError as error:
                logger.warning("a failed login was not written into the audit log: %s", error)
            finally:
                self.waiting.task_done()


async def _write(database: Database, guess: Guess) -> None:
    async with database.transaction() as connection:
        account = await queries.find_account(connection, guess.account)
        if account is not None:
            target = Target(account.user.id, guess.account)
            await record_about(connection, account.user.id, guess.origin, guess.action, target)
