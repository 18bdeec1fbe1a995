"""Where a request's head led, kept with the head: the next request of the same head need not be led there again."""

from typing import NamedTuple

from gateway.endpoints import Endpoint
from gateway.routing import Caller, Routes
from serving.http import Head
from serving.verbs import MakeCall


class Aim(NamedTuple):
    """An inference by this caller, as long as the routes are these."""

    routes: Routes
    caller: Caller
    endpoint: Endpoint
    version: str | None
    make_call: MakeCall


def remember(head: Head, aim: Aim) -> None:
    """Keep `aim` with `head`, unless the caller may be here for some networks only: the same head may come from others."""
    if not aim.caller.networks:
        head.memo = aim
