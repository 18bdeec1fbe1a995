"""Which passwords will do, and their hashing with bcrypt.

Hashing has threads of its own, with a bound, which give way to the rest of the process: logins never starve it.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import bcrypt

from contracts.errors import Overloaded
from control.identity.errors import PasswordUnfit
from control.identity.refused_passwords import REFUSED

MIN_PASSWORD_BYTES: Final = 10
MAX_PASSWORD_BYTES: Final = 72
"""bcrypt looks at no more."""
FEWEST_CHARACTERS: Final = 4
"""That are different from each other."""
DECORATION: Final = "0123456789!?.,;:*#$%&@+-_ "
"""What people put behind a password that they were told is too short."""
THREADS: Final = 2
NICENESS: Final = 10
MAX_WAITING: Final = 64
"""Hashes under way or waiting; at cost 12 (about 0.25 s each) the last one waits about 8 s."""

Result = TypeVar("Result")


class Passwords:
    """Hashes and verifies. Raises Overloaded when `MAX_WAITING` are under way already."""

    def __init__(self, cost: int) -> None:
        self.cost = cost
        self.waiting = 0
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bcrypt", initializer=_give_way)

    def close(self) -> None:
        """Let the hashes under way finish and end the threads."""
        self.threads.shutdown(cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The bcrypt hash of `password`, which is at most 72 bytes long."""
        return await self._run(lambda: bcrypt.hashpw(password.encode(), bcrypt.gensalt(self.cost)).decode())

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether `password` has this hash; None (nobody of that name) takes as long and is never true."""
        candidate = password.encode()
        if hashed is None or len(candidate) > 72:
            await self._run(lambda: bcrypt.checkpw(b"nobody", self._unmatchable()))
            return False
        return await self._run(lambda: bcrypt.checkpw(candidate, hashed.encode()))

    def _unmatchable(self) -> bytes:
        return b"$2b$%02d$" % self.cost + b"." * 53

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self.waiting >= MAX_WAITING:
            raise Overloaded("too many people are signing in at once; try again", retry_after_s=5)
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, work)
        finally:
            self.waiting -= 1


def check_password(password: str, *personal: str) -> None:
    """Raises PasswordUnfit, saying what would do; `personal` is what anybody would try first: the address, the name."""
    size = len(password.encode())
    if size < MIN_PASSWORD_BYTES:
        raise PasswordUnfit(f"the password is too short: use at least {MIN_PASSWORD_BYTES} characters")
    if size > MAX_PASSWORD_BYTES:
        raise PasswordUnfit(f"the password is {size} bytes long as UTF-8; use at most {MAX_PASSWORD_BYTES}")
    folded = password.casefold()
    known = REFUSED | {it.casefold() for it in personal} | {it.casefold().partition("@")[0] for it in personal}
    if len(set(folded)) < FEWEST_CHARACTERS or not known.isdisjoint((folded, folded.strip(DECORATION))):
        raise PasswordUnfit("this password is among the first that anybody would try: use a few unrelated words")


def _give_way() -> None:
    """Let the event loop go first where all cores are busy. Elsewhere than on Linux it would slow the whole process."""
    if sys.platform == "linux":
        os.nice(NICENESS)
