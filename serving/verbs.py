"""What can be posted to a model: the last part of the path, and the call that answers it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from serving.application import HttpCall
from serving.generate import GenerateCall
from serving.http import Exchange

CALLS: Final[Mapping[str, Callable[[Exchange, int], HttpCall]]] = {
    "infer": HttpCall,
    "generate": partial(GenerateCall, streams=False),
    "generate_stream": partial(GenerateCall, streams=True),
}
"""The second argument bounds the decompressed body, in bytes."""
