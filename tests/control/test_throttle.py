"""The slow-down of failed logins, on a clock of the test's own."""

import pytest

from control.identity.throttle import FREE_FAILURES, LONGEST_WAIT_S, MAX_ENTRIES, LoginThrottled, Throttle


def fail(throttle: Throttle, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        throttle.failed("ada", "10.0.0.1", now)


def test_the_first_failures_cost_nothing():
    throttle = Throttle()
    fail(throttle, FREE_FAILURES - 1)
    throttle.check("ada", "10.0.0.1", now=0.0)


@pytest.mark.parametrize(("failures", "wait_s"), [(5, 1), (6, 2), (8, 8), (50, LONGEST_WAIT_S)])
def test_each_further_failure_doubles_the_wait(failures: int, wait_s: float):
    throttle = Throttle()
    fail(throttle, failures)
    with pytest.raises(LoginThrottled):
        throttle.check("ada", "10.0.0.1", now=wait_s - 0.1)
    throttle.check("ada", "10.0.0.1", now=wait_s + 0.1)


def test_another_address_or_account_need_not_wait():
    throttle = Throttle()
    fail(throttle, 20)
    throttle.check("ada", "10.0.0.2", now=0.0)
    throttle.check("bob", "10.0.0.1", now=0.0)


def test_a_success_forgets_the_failures():
    throttle = Throttle()
    fail(throttle, 20)
    throttle.succeeded("ada", "10.0.0.1")
    throttle.check("ada", "10.0.0.1", now=0.0)


def test_memory_is_bounded_and_the_idlest_goes_first():
    throttle = Throttle()
    fail(throttle, 20)
    for number in range(MAX_ENTRIES):
        throttle.failed(f"person {number}", "10.0.0.1", 0.0)
    assert len(throttle.entries) == MAX_ENTRIES
    throttle.check("ada", "10.0.0.1", now=0.0)
