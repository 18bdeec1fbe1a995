"""The queue by itself: nothing is lost, nothing comes twice, and nothing stays behind."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.queueing import Group, Queue
from serving.requests import InferRequest
from serving.tickets import Ticket


class Caller:
    """Waits, or is gone from the beginning."""

    def __init__(self, *, is_gone: bool) -> None:
        self.is_gone = is_gone


def make_ticket(rows: int, *, is_gone: bool, is_late: bool) -> Ticket:
    request = InferRequest({}, rows, ("y",), (False,), None)
    ticket = Ticket(request, Caller(is_gone=is_gone), cast(Any, None))
    ticket.deadline_ns = 1 if is_late else 0
    return ticket


PUT = st.tuples(st.integers(0, 4), st.sampled_from("abc"), st.integers(0, 12), st.booleans(), st.booleans())
"""Rows, key, priority, whether the caller is gone, and whether it is too late."""


@given(steps=st.lists(PUT | st.sampled_from(["take", "expire"]), max_size=60), max_rows=st.integers(1, 8), joins=st.booleans())
def test_every_ticket_comes_out_once_in_a_batch_of_its_own_kind(steps: list[Any], max_rows: int, joins: bool) -> None:
    queue = Queue(max_rows, joins=joins)
    groups: set[Group] = set()
    kinds: dict[Ticket, str] = {}
    out: list[Ticket] = []

    def take() -> bool:
        batch, dropped = queue.take()
        assert batch.rows == sum(it.request.rows for it in batch.tickets)
        assert len(batch.tickets) <= 1 or (joins and batch.rows <= max_rows)
        assert len({kinds[it] for it in batch.tickets}) <= 1
        assert not any(it.caller.is_gone or it.deadline_ns for it in batch.tickets)
        assert all(it.caller.is_gone or it.deadline_ns for it in dropped)
        out.extend((*batch.tickets, *dropped))
        return bool(batch.tickets or dropped)

    for step in steps:
        if step == "take":
            take()
        elif step == "expire":
            late = queue.expire(2, 1 << 62)
            assert all(it.deadline_ns for it in late)
            out.extend(late)
            assert queue.hurried == 0
        else:
            rows, key, priority, is_gone, is_late = step
            ticket = make_ticket(rows, is_gone=is_gone, is_late=is_late)
            kinds[ticket] = key
            groups.add(queue.put(ticket, key, priority))
        waiting = [it for group in groups for it in group.tickets]
        assert queue.rows == sum(it.request.rows for it in waiting) == sum(it.rows for it in groups)
        assert queue.hurried == sum(it.deadline_ns > 0 for it in waiting)
        assert len(waiting) + len(out) == len(kinds)
    while take():
        pass
    assert sorted(map(id, out)) == sorted(map(id, kinds))
    assert (queue.rows, queue.hurried) == (0, 0)


def test_what_many_callers_have_asked_for_is_forgotten() -> None:
    queue = Queue(8, joins=True)
    for number in range(1000):
        queue.put(make_ticket(1, is_gone=False, is_late=False), number, number % 10)
        queue.take()
    assert sum(len(it.groups) for it in vars_of(queue)) <= 2


@pytest.mark.parametrize("priority", [1, 9])
def test_groups_that_others_have_emptied_are_forgotten_though_their_turn_never_comes(priority: int) -> None:
    queue = Queue(8, joins=True)
    for number in range(100):
        for level in (priority, 5):
            queue.put(make_ticket(1, is_gone=False, is_late=False), number, level)
            queue.put(make_ticket(1, is_gone=False, is_late=True), -number, level)
        queue.expire(2, 1 << 62)
        queue.put(make_ticket(1, is_gone=False, is_late=False), "always", 5)
        queue.take()
    assert sum(not group.tickets for line in vars_of(queue) for group in line.turns) <= 2


def vars_of(queue: Queue) -> list[Any]:
    """The lines it keeps."""
    return list(cast(Any, queue)._lines.values())
