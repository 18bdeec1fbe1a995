"""A batch: tickets that run together, and what became of them."""

from typing import Final, Literal, get_args

from msgspec import Struct

from serving.tickets import Result, Ticket

Closed = Literal["full", "idle", "delay", "alone"]
"""Why a batch took no more rows.

* full: it had reached the largest size, or the next request did not fit
* idle: nothing else was waiting that could have joined it, and the model was free
* delay: it had waited for company as long as it may
* alone: requests to this model never share a run, or the run it shared had failed and it was repeated by itself
"""
CLOSED: Final[tuple[Closed, ...]] = get_args(Closed)


class Batch(Struct, eq=False):
    """Tickets that run together. Times are nanoseconds. (A Struct, because that is made in half the time.)"""

    tickets: list[Ticket]
    rows: int = 0
    """Of all the tickets."""
    closed: Closed = "idle"
    results: list[Result] = []
    """In the order of the tickets."""
    started_ns: int = 0
    input_ns: int = 0
    """Joining the inputs; 0 for a ticket that ran alone."""
    run_ns: int = 0
    output_ns: int = 0
    """Telling the outputs apart; 0 for a ticket that ran alone."""
    has_answers: bool = True
    """The run succeeded: all results are outcomes."""
    is_shared: bool = False
    """The results are one and the same outcome, of which each ticket owns its rows, one after the other."""
