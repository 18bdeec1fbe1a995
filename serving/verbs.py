"""What can be posted to a model: the last part of the path, and the call that answers it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from serving.application import PARTICULAR, HttpCall, PlainCall
from serving.generate import GenerateCall
from serving.http import Exchange
from serving.requests import LONG

MakeCall = Callable[[Exchange, int], HttpCall]
"""The second argument bounds the decompressed body, in bytes."""

INFER: Final = "infer"
CALLS: Final[Mapping[str, MakeCall]] = {
    INFER: HttpCall,
    "generate": partial(GenerateCall, streams=False),
    "generate_stream": partial(GenerateCall, streams=True),
}


def call_for(verb: str, headers: Mapping[bytes, bytes]) -> MakeCall | None:
    """What answers requests with these headers; None if nothing can be posted to `verb`."""
    is_short = int(headers.get(b"content-length", LONG + 1)) <= LONG
    return PlainCall if verb == INFER and is_short and headers.keys().isdisjoint(PARTICULAR) else CALLS.get(verb)
