"""The slow-down of failed logins, on a clock of the test's own."""

import pytest

from control.identity.throttle import (
    FORGET_AFTER_S,
    FREE_ACCOUNT_FAILURES,
    FREE_ADDRESS_FAILURES,
    FREE_FAILURES,
    LONGEST_LOCK_S,
    LONGEST_WAIT_S,
    MAX_ENTRIES,
    LoginThrottled,
    Throttle,
)


def fail(throttle: Throttle, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        throttle.failed("ada", "10.0.0.1", now)


def fail_from_everywhere(throttle: Throttle, times: int) -> None:
    for number in range(times):
        throttle.failed("ada", f"10.1.0.{number}", 0.0)


def fail_for_everybody(throttle: Throttle, times: int) -> None:
    for number in range(times):
        throttle.failed(f"person {number}", "10.0.0.1", 0.0)


def test_the_first_failures_cost_nothing():
    throttle = Throttle()
    fail(throttle, FREE_FAILURES - 1)
    throttle.check("ada", "10.0.0.1", now=0.0)


@pytest.mark.parametrize(("failures", "wait_s"), [(5, 1), (6, 2), (8, 8), (15, LONGEST_WAIT_S)])
def test_each_further_failure_doubles_the_wait(failures: int, wait_s: float):
    throttle = Throttle()
    fail(throttle, failures)
    with pytest.raises(LoginThrottled):
        throttle.check("ada", "10.0.0.1", now=wait_s - 0.1)
    throttle.check("ada", "10.0.0.1", now=wait_s + 0.1)


def test_another_address_or_account_need_not_wait():
    throttle = Throttle()
    fail(throttle, FREE_ACCOUNT_FAILURES - 1)
    throttle.check("ada", "10.0.0.2", now=0.0)
    throttle.check("bob", "10.0.0.1", now=0.0)


def test_an_account_guessed_from_everywhere_is_locked_everywhere():
    throttle = Throttle()
    fail_from_everywhere(throttle, FREE_ACCOUNT_FAILURES + 15)
    with pytest.raises(LoginThrottled):
        throttle.check("ada", "10.9.9.9", now=LONGEST_LOCK_S - 1)
    throttle.check("ada", "10.9.9.9", now=LONGEST_LOCK_S + 1)
    throttle.check("bob", "10.9.9.9", now=0.0)


def test_an_address_that_guesses_for_everybody_is_locked_for_everybody():
    throttle = Throttle()
    fail_for_everybody(throttle, FREE_ADDRESS_FAILURES)
    with pytest.raises(LoginThrottled):
        throttle.check("zoe", "10.0.0.1", now=0.5)
    throttle.check("zoe", "10.0.0.2", now=0.5)


def test_who_has_signed_in_from_there_is_not_locked_out_by_others():
    throttle = Throttle()
    throttle.succeeded("ada", "10.0.0.1")
    fail_from_everywhere(throttle, FREE_ACCOUNT_FAILURES + 15)
    fail_for_everybody(throttle, FREE_ADDRESS_FAILURES + 15)
    throttle.check("ada", "10.0.0.1", now=0.0)
    with pytest.raises(LoginThrottled):
        throttle.check("ada", "10.0.0.2", now=0.0)


def test_a_success_forgets_the_accounts_failures_but_not_those_of_the_address():
    throttle = Throttle()
    fail(throttle, FREE_ADDRESS_FAILURES)
    throttle.succeeded("ada", "10.0.0.1")
    throttle.check("ada", "10.0.0.1", now=0.0)
    throttle.check("ada", "10.0.0.2", now=0.0)
    with pytest.raises(LoginThrottled):
        throttle.check("bob", "10.0.0.1", now=0.0)


def test_failures_are_forgotten_in_time():
    throttle = Throttle()
    fail(throttle, FREE_FAILURES - 1)
    fail(throttle, 1, now=FORGET_AFTER_S + 1)
    throttle.check("ada", "10.0.0.1", now=FORGET_AFTER_S + 1)


def test_memory_is_bounded_and_the_idlest_goes_first():
    throttle = Throttle()
    fail(throttle, FREE_ACCOUNT_FAILURES)
    for number in range(MAX_ENTRIES):
        throttle.failed(f"person {number}", f"address {number}", 0.0)
        throttle.succeeded(f"other {number}", "10.0.0.1")
    assert len(throttle.pairs.entries) == len(throttle.accounts.entries) == len(throttle.addresses.entries) == MAX_ENTRIES
    assert len(throttle.known) == MAX_ENTRIES
    throttle.check("ada", "10.0.0.1", now=0.0)
