"""The order in which requests to one model run, and which of them share a run.

Tickets that may share a run form a *group*; groups take turns. Each priority has its own line of groups. A priority is a head
start: a ticket goes before those that came up to a second later for every level between them, and so none waits for ever.
"""

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from time import monotonic_ns
from typing import Final

from serving.batches import Batch
from serving.tickets import Ticket

HIGHEST, DEFAULT, LOWEST = 1, 5, 9
"""Levels of priority; a request that names none (or 0) has the default, one that names a greater number the lowest."""
HEAD_START_NS: Final = 1_000_000_000
"""By how much a level is ahead of the next."""


class Group:
    """Tickets of one priority that may share a run, oldest first."""

    __slots__ = ("has_turn", "key", "rows", "tickets")

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.tickets: deque[Ticket] = deque()
        self.rows = 0
        self.has_turn = False
        """It stands among the turns of its line."""


class Line:
    """The groups of one priority."""

    __slots__ = ("groups", "handicap_ns", "recent", "turns")

    def __init__(self, level: int) -> None:
        self.handicap_ns = (level - DEFAULT) * HEAD_START_NS
        self.turns: deque[Group] = deque()
        self.recent = Group(None)
        """What the last ticket joined: nearly always that of the next one too, so it stays when it is empty."""
        self.groups: dict[Hashable, Group] = {None: self.recent}
        """All that have a turn, and the recent one."""

    def group(self, key: Hashable) -> Group:
        """The group of `key`, new or not."""
        left = self.recent
        self.recent = self.groups.get(key) or self.groups.setdefault(key, Group(key))
        if not left.has_turn and left is not self.recent:
            del self.groups[left.key]
        return self.recent

    def forget_empty(self) -> None:
        """Take the turns of groups that have been emptied by others: fillers of batches, and deadlines."""
        for group in [it for it in self.turns if not it.tickets]:
            self.turns.remove(group)
            self._leave(group)

    def end_turn(self, group: Group) -> None:
        """`group` was the first of the turns: it goes to their end, or leaves if it is empty."""
        self.turns.popleft()
        if group.tickets:
            self.turns.append(group)
        else:
            self._leave(group)

    def _leave(self, group: Group) -> None:
        group.has_turn = False
        if group is not self.recent:
            del self.groups[group.key]


class Queue:
    """What waits for one model. Nothing in it blocks or calls out; not for more than one thread."""

    def __init__(self, max_batch_rows: int, *, joins: bool) -> None:
        """Without `joins` every ticket runs alone."""
        self._joins = joins
        self._max_rows = max_batch_rows if joins else -1  # so that not even a ticket without rows has company
        self._normal = Line(DEFAULT)
        self._lines = {DEFAULT: self._normal}
        """By level; those other than the normal one only while something waits there."""
        self.rows = 0
        self.hurried = 0
        """Tickets with a deadline of their own."""

    def put(self, ticket: Ticket, key: Hashable, priority: int) -> Group:
        """Queue `ticket` behind others of its `priority`; tickets of the same `key` may share a run."""
        line = self._normal if not priority or priority == DEFAULT else self._line(priority)
        group = line.recent
        if key is not group.key:
            group = line.group(key)
        if not group.has_turn:
            group.has_turn = True
            line.turns.append(group)
        group.tickets.append(ticket)
        rows = ticket.request.rows
        group.rows += rows
        self.rows += rows
        if ticket.deadline_ns:
            self.hurried += 1
        return group

    def take(self) -> tuple[Batch, list[Ticket]]:
        """What runs next, and which tickets are not worth running, because their caller left or their deadline passed.

        The batch is empty if nothing that waits is worth it.
        """
        batch = Batch([])
        now_ns = monotonic_ns() if self.hurried else 0
        dropped: list[Ticket] = []
        lines = (self._normal,) if len(self._lines) == 1 else self._lines_by_turn()
        for line in lines:
            while line.turns and not batch.tickets:
                group = line.turns[0]
                is_full = self._fill(batch, dropped, group, now_ns)
                line.end_turn(group)
                if len(lines) > 1 and batch.tickets and not is_full:
                    is_full = self._fill_up(batch, dropped, group.key, [it for it in lines if it is not line], now_ns)
                if is_full:
                    batch.closed = "full"
        if not self._joins:
            batch.closed = "alone"
        if len(lines) > 1:
            for line in lines:  # or those of a line whose turn never comes would become ever more
                line.forget_empty()
            self._lines = {level: it for level, it in self._lines.items() if it.turns or it is self._normal}
        return batch, dropped

    def wait_ns(self, now_ns: int, delay_ns: int) -> int:
        """How long until a group is full or has waited for company for `delay_ns`; one that has gets the next turn."""
        soonest = delay_ns
        for line in self._lines.values():
            for group in line.turns:
                if not group.tickets:
                    continue
                left = group.tickets[0].enqueued_ns + delay_ns - now_ns
                if left <= 0 or group.rows >= self._max_rows:
                    line.turns.remove(group)
                    line.turns.appendleft(group)
                    return 0
                soonest = min(soonest, left)
        return soonest

    @property
    def next_rows(self) -> int:
        """How many rows can share the next run so far; as many as fit in, where priorities matter more than company."""
        if len(self._lines) > 1:
            return self._max_rows
        turns = self._normal.turns
        return turns[0].rows if turns else 0

    def is_full(self, group: Group) -> bool:
        """Whether `group` fills a batch."""
        return group.rows >= self._max_rows

    def expire(self, now_ns: int, timeout_ns: int) -> list[Ticket]:
        """Take out what has waited for `timeout_ns`, or beyond its own deadline."""
        late: list[Ticket] = []
        for group in self._groups():
            waiting = group.tickets
            while waiting and waiting[0].enqueued_ns + timeout_ns <= now_ns:
                late.append(waiting.popleft())
                self._count_out(group, late[-1])
            if self.hurried:
                late += self._expire_hurried(group, now_ns)
        return late

    def soonest_deadline_ns(self) -> int:
        """Of the tickets with a deadline of their own; 0 if there is none."""
        if not self.hurried:
            return 0
        return min((it.deadline_ns for group in self._groups() for it in group.tickets if it.deadline_ns), default=0)

    def _fill(self, batch: Batch, dropped: list[Ticket], group: Group, now_ns: int) -> bool:
        """Move tickets from `group` to `batch` while they fit; whether the batch is full."""
        waiting, taken, limit, rows = group.tickets, batch.tickets, self._max_rows, batch.rows
        while waiting:
            ticket = waiting[0]
            more = ticket.request.rows
            if taken and rows + more > limit:
                break
            del waiting[0]
            group.rows -= more
            self.rows -= more
            if ticket.deadline_ns:
                self.hurried -= 1
            if ticket.caller.is_gone or 0 < ticket.deadline_ns <= now_ns:
                dropped.append(ticket)
            else:
                taken.append(ticket)
                rows += more
        batch.rows = rows
        return bool(waiting) or rows >= limit

    def _fill_up(self, batch: Batch, dropped: list[Ticket], key: Hashable, lines: Sequence[Line], now_ns: int) -> bool:
        """Give what room is left in `batch` to tickets of other priorities."""
        groups = [it.groups[key] for it in lines if key in it.groups]
        return any(self._fill(batch, dropped, it, now_ns) for it in groups)

    def _groups(self) -> Iterator[Group]:
        return (group for line in self._lines.values() for group in line.turns)

    def _expire_hurried(self, group: Group, now_ns: int) -> list[Ticket]:
        late = [it for it in group.tickets if 0 < it.deadline_ns <= now_ns]
        if late:
            gone = set(late)
            group.tickets = deque(it for it in group.tickets if it not in gone)
        for ticket in late:
            self._count_out(group, ticket)
        return late

    def _count_out(self, group: Group, ticket: Ticket) -> None:
        group.rows -= ticket.request.rows
        self.rows -= ticket.request.rows
        if ticket.deadline_ns:
            self.hurried -= 1

    def _line(self, priority: int) -> Line:
        level = min(max(priority, HIGHEST), LOWEST)
        return self._lines.get(level) or self._lines.setdefault(level, Line(level))

    def _lines_by_turn(self) -> Sequence[Line]:
        """The line whose first ticket has the most head start left comes first."""

        def due_ns(line: Line) -> int:
            return next((it.tickets[0].enqueued_ns + line.handicap_ns for it in line.turns if it.tickets), 1 << 62)

        return sorted(self._lines.values(), key=due_ns)
