"""Caps on what is under way at once: on one worker, over those of one gateway, over gateways."""

import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from contracts.routes import KeyLimits
from gateway.limits.fleet import Concurrency, ConcurrencyReached, Fleet
from gateway.limits.limiters import LIMITS, KeyLimiters
from gateway.limits.shared_counts import Cells, SharedCounts
from gateway.redis_client import connect
from tests.gateway.limits.hammering import key

SUBJECT = UUID(int=7)
ROUNDS = 5000


def gate(cap: int, cells: Cells, fleet: Fleet | None = None) -> Concurrency:
    return Concurrency(cap, "deployment", fleet or Fleet(), cells, dict.fromkeys(LIMITS, 0))


def is_let_in(it: Concurrency) -> bool:
    try:
        it.enter()
    except ConcurrencyReached:
        return False
    return True


def test_workers_share_one_cap_and_whichever_is_asked_has_all_that_is_free():
    counts = SharedCounts.create(3)
    first, second = (gate(3, SharedCounts(counts.handle).cells(SUBJECT, column)) for column in range(2))
    assert [is_let_in(first) for _ in range(4)] == [True, True, True, False]
    assert not is_let_in(second)
    first.leave()
    assert [is_let_in(second), is_let_in(first), first.under_way, second.under_way] == [True, False, 2, 1]


def test_what_a_worker_had_under_way_ends_with_it():
    counts = SharedCounts.create(2)
    gone, stays = (gate(2, counts.cells(SUBJECT, column)) for column in range(2))
    assert [is_let_in(gone), is_let_in(stays), is_let_in(stays)] == [True, True, False]
    counts.clear(0)
    assert [is_let_in(stays), is_let_in(stays)] == [True, False]


def test_keys_and_deployments_are_counted_each_for_itself():
    counts = SharedCounts.create(2)
    gates = [gate(1, counts.cells(uuid4(), 0)) for _ in range(100)]
    assert all(is_let_in(it) for it in gates)
    assert not any(is_let_in(it) for it in gates)


def test_where_the_table_is_full_each_worker_counts_by_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.limits.shared_counts.MAX_ROWS", 1)
    counts = SharedCounts.create(2)
    known = [gate(1, counts.cells(SUBJECT, column)) for column in range(2)]
    beyond = [gate(1, counts.cells(UUID(int=8), column)) for column in range(2)]
    assert [is_let_in(it) for it in (*known, *beyond, *beyond)] == [True, False, True, True, False, False]


@pytest.mark.parametrize(("cap", "gateways", "shares"), [(10, 1, [10]), (10, 4, [3, 3, 2, 2]), (2, 3, [1, 1, 1])])
def test_a_cap_is_divided_among_gateways(cap: int, gateways: int, shares: list[int]):
    assert [Fleet(9, gateways, place).share_of(cap) for place in range(gateways)] == shares


def test_a_cap_follows_the_number_of_gateways():
    fleet = Fleet(2, 2)
    it = gate(4, ([0], 0), fleet)
    assert [is_let_in(it) for _ in range(3)] == [True, True, False]
    fleet.gateways = 1
    assert [is_let_in(it), it.under_way] == [True, 3]


async def test_the_revisions_of_a_deployment_share_its_cap(redis_url: str):
    async with connect(redis_url) as redis:
        limiters = KeyLimiters(redis, uuid4().hex, Fleet())
        old, new, other = (limiters.gate_for(it, 2) for it in (SUBJECT, SUBJECT, UUID(int=8)))
        assert [it is not None and is_let_in(it) for it in (old, new, old, new, other)] == [True, True, False, False, True]
        limiters.forget_all_but((), {SUBJECT})
        newest = limiters.gate_for(SUBJECT, 3)
        assert [newest is not None and is_let_in(newest) for _ in range(2)] == [True, False]


async def test_workers_share_the_cap_of_a_key(redis_url: str):
    counts, one_key = SharedCounts.create(2), key(KeyLimits(max_concurrency=1))
    async with connect(redis_url) as redis:
        workers = [KeyLimiters(redis, uuid4().hex, Fleet(2), counts, index) for index in range(2)]
        first, second = (it.limiter_for(one_key) for it in workers)
        assert first is not None
        assert second is not None
        first.admit()
        with pytest.raises(ConcurrencyReached):
            second.admit()
        first.leave()
        second.admit()


WORKER = """
import fcntl, sys
from uuid import UUID
from gateway.limits.shared_counts import SharedCounts
from tests.gateway.limits.test_concurrency import ROUNDS, gate, is_let_in

handle, column, lock = int(sys.argv[1]), int(sys.argv[2]), open(sys.argv[3])
counts = SharedCounts(handle)
subjects = [UUID(int=number + 1) for number in range(50)]
gates = [gate(1, counts.cells(it, column)) for it in subjects[column * 7 :] + subjects[: column * 7]]
ours, entered = gate(1, counts.cells(UUID(int=1), column)), 0
print("ready", flush=True)
sys.stdin.readline()
for _ in range(ROUNDS):
    if is_let_in(ours):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if another is in as well
        entered += 1
        fcntl.flock(lock, fcntl.LOCK_UN)
        ours.leave()
print(entered)
"""


def test_processes_never_let_in_more_than_the_cap(tmp_path: Path):
    counts, lock = SharedCounts.create(3), tmp_path / "lock"
    lock.touch()
    workers = [
        subprocess.Popen(
            (sys.executable, "-c", WORKER, str(counts.handle), str(column), str(lock)),
            pass_fds=[counts.handle],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for column in range(3)
    ]
    for it in workers:
        assert it.stdout is not None
        assert it.stdout.readline() == "ready\n"
    for it in workers:
        assert it.stdin is not None
        it.stdin.write("go\n")
        it.stdin.flush()
    entered = [int(it.communicate(timeout=60)[0]) for it in workers]
    assert [it.returncode for it in workers] == [0, 0, 0]
    assert sum(entered) > ROUNDS / 2
    assert is_let_in(gate(1, counts.cells(UUID(int=1), 0)))  # all have left
