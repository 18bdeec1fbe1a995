"""The model repository extension: what its requests say, and how its answer looks.

Source: Triton's model repository extension. There is no repository of files here: what can be loaded is what is deployed, as it
is deployed, so a load that brings its own configuration or files is refused.
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from serving.errors import PathNotFound, RequestMalformed

REPOSITORY: Final = "/v2/repository/"
INDEX: Final = REPOSITORY + "index"
MODELS: Final = REPOSITORY + "models/"

State = Literal["READY", "LOADING", "UNLOADING", "UNAVAILABLE"]
Verb = Literal["load", "unload"]
Wanted = TypeVar("Wanted")


class ModelState(Struct, frozen=True):
    """One line of the index."""

    name: str
    version: str
    state: State
    reason: str = ""


class _IndexIn(Struct, frozen=True):
    ready: bool = False


class _LoadIn(Struct, frozen=True):
    parameters: dict[str, Raw] = {}


def read_index(body: bytes | bytearray) -> bool:
    """Whether only what is READY is asked for. Raises RequestMalformed."""
    return _decode(body, _IndexIn).ready


def render_index(states: Iterable[ModelState], only_ready: bool) -> bytes:
    """The index's body."""
    return msgspec.json.encode([it for it in states if not only_ready or it.state == "READY"])


def read_change(path: str, body: bytes | bytearray) -> tuple[str, Verb]:
    """The model to load or to unload, of a path that begins with `MODELS`. Raises PathNotFound or RequestMalformed."""
    name, _, verb = path.removeprefix(MODELS).rpartition("/")
    if verb not in ("load", "unload") or not name:
        raise PathNotFound(path)
    check_parameters(_decode(body, _LoadIn).parameters)
    return name, verb


def check_parameters(names: Iterable[str]) -> None:
    """Raises RequestMalformed if a load brings what it must not bring."""
    for it in names:
        if it == "config":
            raise RequestMalformed("parameter 'config' is not taken: how a model is served is set where it is deployed")
        if it.startswith("file:"):
            raise RequestMalformed(f"parameter {it!r} is not taken: a model's files come from the registry; deploy a new version")


def _decode(body: bytes | bytearray, wanted: type[Wanted]) -> Wanted:
    if not body.strip():
        return wanted()
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        raise RequestMalformed(f"the request is not one of the protocol: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestMalformed(f"the request is not JSON: {error}") from error
    except RecursionError as error:
        raise RequestMalformed("the request is nested too deeply") from error
