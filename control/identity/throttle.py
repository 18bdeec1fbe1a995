"""Slows down guessing: after a few failures, whoever guesses must wait before the next try.

Counted three ways: one account from one address, one account from anywhere, and one address whatever the account. Accounts that
do not exist count like those that do, so nothing is learnt from it. Who has signed in from their address before is not locked out
by what others guess. Kept in memory, for one control process: a restart forgives, which costs an attacker more than it gives.
"""

from collections import Counter, OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from contracts.errors import TooMany
from control.identity.errors import LoginRefused, PasswordWrong, SecondFactorWrong

FREE_FAILURES: Final = 5
LONGEST_WAIT_S: Final = 60.0
"""Of one account from one address."""
FREE_ACCOUNT_FAILURES: Final = 20
FREE_ADDRESS_FAILURES: Final = 50
"""More: many people may share an address."""
FREE_MAILS: Final = 10
"""That one address may ask for, in a row."""
LONGEST_LOCK_S: Final = 900.0
"""Of an account from everywhere, or an address for every account."""
FORGET_AFTER_S: Final = 3600.0
"""Without a failure."""
MAX_ENTRIES: Final = 10_000
"""Of each count; the entry idle longest is forgotten first."""

WRONG: Final = (LoginRefused, PasswordWrong, SecondFactorWrong)

Pair = tuple[str, str]


class LoginThrottled(TooMany):
    title = "Too many failed logins"


class MailThrottled(TooMany):
    title = "Too many mails"


class Failures:
    """Failures in a row by key, each with the time until which the next try is refused. Times are seconds of one clock."""

    def __init__(self, free: int, longest_wait_s: float) -> None:
        self.free = free
        self.longest_wait_s = longest_wait_s
        self.entries: OrderedDict[Pair | str, tuple[int, float]] = OrderedDict()

    def count(self, key: Pair | str, now: float) -> int:
        """Failures in a row, 0 once they are forgotten."""
        failures, until = self.entries.get(key, (0, 0.0))
        return 0 if now > until + FORGET_AFTER_S else failures

    def wait_s(self, key: Pair | str, now: float) -> float:
        """How long the next try must still wait; not above 0 when it need not."""
        return self.entries[key][1] - now if key in self.entries else 0.0

    def add(self, key: Pair | str, now: float) -> None:
        """Count a failure; from the last free one on each doubles the wait, from 1 s to the longest."""
        failures = self.count(key, now) + 1
        excess = failures - self.free
        wait_s = min(2.0 ** min(excess, 16), self.longest_wait_s) if excess >= 0 else 0.0
        self.entries[key] = failures, now + wait_s
        self.entries.move_to_end(key)
        if len(self.entries) > MAX_ENTRIES:
            self.entries.popitem(last=False)

    def forget(self, key: Pair | str) -> None:
        """Start anew."""
        self.entries.pop(key, None)


class Throttle:
    """Who must wait before the next try. `now` is on the monotonic clock, in seconds."""

    def __init__(self) -> None:
        self.pairs = Failures(FREE_FAILURES, LONGEST_WAIT_S)
        self.accounts = Failures(FREE_ACCOUNT_FAILURES, LONGEST_LOCK_S)
        self.addresses = Failures(FREE_ADDRESS_FAILURES, LONGEST_LOCK_S)
        self.mails = Failures(FREE_MAILS, LONGEST_LOCK_S)
        self.known: OrderedDict[Pair, None] = OrderedDict()
        """Accounts with addresses they have signed in from."""
        self.under_way: Counter[Pair] = Counter()

    @contextmanager
    def attempt(self, account: str, address: str) -> Generator[None]:
        """Hold one try: it failed if the block raises one of `WRONG`, and succeeded if it raises nothing. Raises LoginThrottled.

        Tries under way count as failures until they are known to be none: sent all at once, they would pass `check` together.
        """
        self.check(account, address)
        pair = account, address
        failures = self.pairs.count(pair, monotonic())
        if self.under_way[pair] and failures + self.under_way[pair] >= FREE_FAILURES:
            raise LoginThrottled("too many logins of one account at once; try again in 1 s")
        self.under_way[pair] += 1
        try:
            yield
            self.succeeded(account, address)
        except WRONG:
            self.failed(account, address)
            raise
        finally:
            self.under_way[pair] -= 1
            if not self.under_way[pair]:
                del self.under_way[pair]

    def check(self, account: str, address: str, now: float | None = None) -> None:
        """Raises LoginThrottled if the account, the address or both together must still wait."""
        now = monotonic() if now is None else now
        wait_s = self.pairs.wait_s((account, address), now)
        if (account, address) not in self.known:
            wait_s = max(wait_s, self.accounts.wait_s(account, now), self.addresses.wait_s(address, now))
        if wait_s > 0:
            raise LoginThrottled(f"too many failed logins; try again in {round(wait_s) or 1} s", wait_s)

    def failed(self, account: str, address: str, now: float | None = None) -> None:
        """Count a failure."""
        now = monotonic() if now is None else now
        self.pairs.add((account, address), now)
        self.accounts.add(account, now)
        self.addresses.add(address, now)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the account's failures; those of the address stay, lest an attacker's own account clear them."""
        self.pairs.forget((account, address))
        self.accounts.forget(account)
        self.known[account, address] = None
        self.known.move_to_end((account, address))
        if len(self.known) > MAX_ENTRIES:
            self.known.popitem(last=False)

    def mail_wanted(self, address: str, now: float | None = None) -> None:
        """Count a mail that somebody asks for. Raises MailThrottled."""
        now = monotonic() if now is None else now
        if (wait_s := self.mails.wait_s(address, now)) > 0:
            raise MailThrottled(f"too many mails were asked for from here; try again in {round(wait_s) or 1} s", wait_s)
        self.mails.add(address, now)
