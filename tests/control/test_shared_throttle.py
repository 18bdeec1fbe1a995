"""Failed logins counted over several control processes, and written into the audit log."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from uuid import uuid4

import pytest
from httpx import AsyncClient
from litestar import Litestar
from redis.asyncio import Redis

from control.audit.recording import Origin
from control.identity.errors import LoginRefused
from control.identity.guesses import MOST_REMEMBERED, MOST_WAITING, SECONDS_BETWEEN, Guesses
from control.identity.shared_failures import PREFIX, Count, SharedFailures
from control.identity.throttle import FREE_ACCOUNT_FAILURES, FREE_FAILURES, FREE_MAILS, LoginThrottled, MailThrottled, Throttle
from control.resources import open_redis
from tests.control.conftest import PASSWORD, Account

HERE = Origin("10.0.0.1", "")


@pytest.fixture
async def redis(redis_url: str) -> AsyncGenerator[Redis]:
    redis = open_redis(redis_url)
    yield redis
    await redis.aclose()


@pytest.fixture
def two(redis: Redis) -> tuple[Throttle, Throttle]:
    """As two control processes have them."""
    return Throttle(SharedFailures(redis)), Throttle(SharedFailures(redis))


async def fail(throttle: Throttle, times: int, account: str = "ada", address: str = "10.0.0.1") -> None:
    for _ in range(times):
        with pytest.raises(LoginRefused):
            async with throttle.attempt(account, Origin(address, "")):
                raise LoginRefused


async def succeed(throttle: Throttle, address: str = "10.0.0.1") -> None:
    async with throttle.attempt("ada", Origin(address, "")):
        pass


class Overtaken(SharedFailures):
    """The first answer of Redis comes when `let_go` is set."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.is_counted = asyncio.Event()
        self.let_go = asyncio.Event()

    async def add(self, keys: Sequence[str], bounds: Sequence[tuple[int, float]], forget_after_s: float) -> list[Count] | None:
        answer = await super().add(keys, bounds, forget_after_s)
        if not self.is_counted.is_set():
            self.is_counted.set()
            await self.let_go.wait()
        return answer


async def test_a_count_that_is_overtaken_on_its_way_takes_nothing_back(redis: Redis):
    shared = Overtaken(redis)
    throttle = Throttle(shared)
    first = asyncio.create_task(throttle.count_failure("ada", HERE.address))
    await shared.is_counted.wait()
    for _ in range(FREE_FAILURES - 1):
        await throttle.count_failure("ada", HERE.address)
    shared.let_go.set()
    await first
    with pytest.raises(LoginThrottled):
        throttle.check("ada", HERE.address)


async def test_failures_at_one_process_slow_down_at_the_other(two: tuple[Throttle, Throttle]):
    one, another = two
    await fail(one, FREE_FAILURES - 1)
    await fail(another, 1)
    for it in two:
        with pytest.raises(LoginThrottled):
            await succeed(it)
    await succeed(another, address="10.0.0.2")


async def test_an_account_guessed_from_everywhere_at_both_is_locked_save_where_it_signed_in(two: tuple[Throttle, Throttle]):
    one, another = two
    await succeed(one, address="10.9.9.9")
    for number in range(FREE_ACCOUNT_FAILURES):
        await fail(two[number % 2], 1, address=f"10.1.0.{number}")
    with pytest.raises(LoginThrottled):
        await succeed(one, address="10.2.0.1")
    await succeed(another, address="10.9.9.9")


async def test_a_success_at_one_is_a_new_start_at_the_other(two: tuple[Throttle, Throttle]):
    one, another = two
    await fail(one, FREE_FAILURES - 1)
    await succeed(another)
    await fail(one, FREE_FAILURES - 1)
    await succeed(one)


async def test_mails_are_counted_over_both(two: tuple[Throttle, Throttle]):
    for number in range(FREE_MAILS):
        await two[number % 2].ask_for_mail("10.0.0.1")
    with pytest.raises(MailThrottled):
        await two[0].ask_for_mail("10.0.0.1")
    await two[0].ask_for_mail("10.0.0.2")


async def test_every_key_expires_and_tells_no_address(two: tuple[Throttle, Throttle], redis: Redis):
    await fail(two[0], FREE_FAILURES, account="ada@example.com")
    await succeed(two[0], address="10.0.0.3")
    keys = [it.decode() async for it in redis.scan_iter(f"{PREFIX}*")]
    assert len(keys) == 4
    assert all([await redis.ttl(it) > 0 for it in keys])
    assert not any("ada" in it or "10.0" in it for it in keys)


async def test_without_redis_each_process_counts_for_itself():
    redis = open_redis("unix:///nowhere.sock")
    alone = Throttle(SharedFailures(redis))
    await fail(alone, FREE_FAILURES)
    with pytest.raises(LoginThrottled):
        await succeed(alone)
    await redis.aclose()


async def audited(app: Litestar, account: Account) -> list[tuple[str, str, str | None]]:
    """Action, address and actor, newest first, of what was noted by now."""
    await app.state.resources.guesses.waiting.join()
    entries = (await account.client.get(f"/api/v1/organizations/{account.organization_id}/audit")).json()["items"]
    return [(it["action"], it["address"], it["actor_id"]) for it in entries if it["action"].startswith("account.lo")]


async def test_failed_logins_and_the_lock_out_are_in_the_audit_log_once_a_minute(
    app: Litestar, client: AsyncClient, account: Account, stranger: Account
):
    for _ in range(FREE_FAILURES + 1):
        await client.post("/api/v1/auth/login", json={"email": account.email, "password": "a guess"})
    assert await audited(app, account) == [
        ("account.lock_out", "127.0.0.1", None),
        ("account.login_failed", "127.0.0.1", None),
    ]
    assert await audited(app, stranger) == []


async def test_a_guess_at_an_address_without_an_account_is_written_nowhere(app: Litestar, client: AsyncClient, account: Account):
    unknown = f"{uuid4().hex}@example.com"
    assert (await client.post("/api/v1/auth/login", json={"email": unknown, "password": PASSWORD})).status_code == 401
    assert await audited(app, account) == []


def test_notes_are_bounded_by_the_minute_and_in_number():
    guesses = Guesses()
    for now in (0.0, SECONDS_BETWEEN - 1, SECONDS_BETWEEN):
        guesses.note("ada", HERE, is_locked=False, now=now)
    assert guesses.waiting.qsize() == 2
    for number in range(MOST_WAITING + MOST_REMEMBERED):
        guesses.note(f"person {number}", HERE, is_locked=True)
    assert guesses.waiting.qsize() == MOST_WAITING
    assert len(guesses.noted) <= MOST_REMEMBERED
