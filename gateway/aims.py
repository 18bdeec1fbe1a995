"""Where a request's head led, kept with the head: the next request of the same head need not be led there again."""

from collections.abc import Callable
from typing import NamedTuple

from gateway.endpoints import Endpoint
from gateway.routing import Caller, Routes
from serving.application import HttpCall
from serving.http import Exchange


class Aim(NamedTuple):
    """An inference by this caller, as long as the routes are these."""

    routes: Routes
    caller: Caller
    endpoint: Endpoint
    version: str | None
    make_call: Callable[[Exchange, int], HttpCall]
    """The second argument bounds the decompressed body, in bytes."""
