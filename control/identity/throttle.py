"""Slows down guessing: after a few failures, whoever guesses must wait before the next try.

Counted three ways: one account from one address, one account from anywhere, and one address whatever the account. Accounts that
do not exist count like those that do, so nothing is learnt from it. Who has signed in from their address before is not locked out
by what others guess. Counted for all control processes alike in Redis, and by each for itself while Redis is away.
"""

from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from time import monotonic
from typing import Final

from contracts.errors import TooMany
from control.audit.recording import Origin
from control.identity.errors import LoginRefused, PasswordWrong, SecondFactorWrong
from control.identity.guesses import Guesses
from control.identity.shared_failures import SharedFailures

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

    def __init__(self, kind: str, free: int, longest_wait_s: float) -> None:
        self.kind = kind
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
        self._bound()

    def put(self, key: Pair | str, failures: int, until: float) -> None:
        """What is known better elsewhere."""
        self.forget(key)
        if failures:
            self.entries[key] = failures, until
            self._bound()

    def shared_name(self, key: Pair | str) -> str:
        """What the count is called among those of all kinds."""
        return " ".join([self.kind, *((key,) if isinstance(key, str) else key)])

    def forget(self, key: Pair | str) -> None:
        """Start anew."""
        self.entries.pop(key, None)

    def _bound(self) -> None:
        if len(self.entries) > MAX_ENTRIES:
            self.entries.popitem(last=False)


class Throttle:
    """Who must wait before the next try. `now` is on the monotonic clock, in seconds."""

    def __init__(self, shared: SharedFailures | None = None, guesses: Guesses | None = None) -> None:
        self.shared = shared
        self.guesses = guesses
        self.pairs = Failures("pair", FREE_FAILURES, LONGEST_WAIT_S)
        self.accounts = Failures("account", FREE_ACCOUNT_FAILURES, LONGEST_LOCK_S)
        self.addresses = Failures("address", FREE_ADDRESS_FAILURES, LONGEST_LOCK_S)
        self.mails = Failures("mail", FREE_MAILS, LONGEST_LOCK_S)
        self.known: OrderedDict[Pair, None] = OrderedDict()
        """Accounts with addresses they have signed in from."""
        self.under_way: Counter[Pair] = Counter()

    @asynccontextmanager
    async def attempt(self, account: str, origin: Origin) -> AsyncGenerator[None]:
        """Hold one try: it failed if the block raises one of `WRONG`, succeeded if it raises nothing. Raises LoginThrottled."""
        address = origin.address
        await self._learn(account, address)
        self.check(account, address)
        with self._under_way((account, address)):
            try:
                yield
            except WRONG:
                await self.count_failure(account, address)
                if self.guesses:
                    self.guesses.note(account, origin, is_locked=self._wait_s(account, address, monotonic()) > 0)
                raise
            await self.let_in(account, address)

    async def let_in(self, account: str, address: str) -> None:
        """Forget the account's failures, and know the address."""
        self.succeeded(account, address)
        if self.shared:
            pair = account, address
            await self.shared.forget(self.pairs.shared_name(pair), self.accounts.shared_name(account))
            await self.shared.remember(f"known {account} {address}")

    async def ask_for_mail(self, address: str) -> None:
        """Count a mail that somebody asks for. Raises MailThrottled."""
        await self._look_up([(self.mails, address)])
        self.check_mail(address)
        if not await self._share([(self.mails, address)]):
            self.mails.add(address, monotonic())

    async def _learn(self, account: str, address: str) -> None:
        """What other processes have counted."""
        await self._look_up([(self.pairs, (account, address)), (self.accounts, account), (self.addresses, address)])
        if self.shared and await self.shared.knows(f"known {account} {address}"):
            self._know((account, address))

    async def _look_up(self, counts: list[tuple[Failures, Pair | str]]) -> None:
        if not self.shared:
            return
        own = [failures.entries.get(key) for failures, key in counts]
        found = await self.shared.read([failures.shared_name(key) for failures, key in counts])
        if found is None:
            return
        now = monotonic()
        for (failures, key), before, (count, wait_s) in zip(counts, own, found, strict=True):
            if failures.entries.get(key) == before:  # else more was counted here while the answer was on its way
                failures.put(key, count, now + wait_s)

    async def count_failure(self, account: str, address: str) -> None:
        """Count a failure, for all processes if that can be."""
        if not await self._share([(self.pairs, (account, address)), (self.accounts, account), (self.addresses, address)]):
            self.failed(account, address)

    async def _share(self, counts: list[tuple[Failures, Pair | str]]) -> bool:
        """Count one more of each for all processes; False if that cannot be."""
        names = [failures.shared_name(key) for failures, key in counts]
        bounds = [(failures.free, failures.longest_wait_s) for failures, _ in counts]
        added = await self.shared.add(names, bounds, FORGET_AFTER_S) if self.shared else None
        if added is None:
            return False
        now = monotonic()
        for (failures, key), (count, wait_s) in zip(counts, added, strict=True):
            if count >= failures.count(key, now):  # else a later count has overtaken this one on its way
                failures.put(key, count, now + wait_s)
        return True

    @contextmanager
    def _under_way(self, pair: Pair) -> Generator[None]:
        """Tries under way count as failures until they are known to be none: all at once, they would pass `check` together."""
        failures = self.pairs.count(pair, monotonic())
        if self.under_way[pair] and failures + self.under_way[pair] >= FREE_FAILURES:
            raise LoginThrottled("too many logins of one account at once; try again in 1 s")
        self.under_way[pair] += 1
        try:
            yield
        finally:
            self.under_way[pair] -= 1
            if not self.under_way[pair]:
                del self.under_way[pair]

    def check(self, account: str, address: str, now: float | None = None) -> None:
        """Raises LoginThrottled if the account, the address or both together must still wait."""
        wait_s = self._wait_s(account, address, monotonic() if now is None else now)
        if wait_s > 0:
            raise LoginThrottled(f"too many failed logins; try again in {round(wait_s) or 1} s", wait_s)

    def _wait_s(self, account: str, address: str, now: float) -> float:
        wait_s = self.pairs.wait_s((account, address), now)
        if (account, address) in self.known:
            return wait_s
        return max(wait_s, self.accounts.wait_s(account, now), self.addresses.wait_s(address, now))

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
        self._know((account, address))

    def _know(self, pair: Pair) -> None:
        self.known[pair] = None
        self.known.move_to_end(pair)
        if len(self.known) > MAX_ENTRIES:
            self.known.popitem(last=False)

    def check_mail(self, address: str) -> None:
        """Raises MailThrottled if the next mail must wait."""
        if (wait_s := self.mails.wait_s(address, monotonic())) > 0:
            raise MailThrottled(f"too many mails were asked for from here; try again in {round(wait_s) or 1} s", wait_s)
