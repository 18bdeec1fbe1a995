"""Binary requests whose header has been read before: a client sends the same header with every request of the same shape.

A header says where the tensors lie, what they are, and what is wanted; so the second request with the same bytes needs no more
than its tensors. What has an id is read anew each time, since no other request has that.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from serving.buffers import Buffer
from serving.tensors import Array

MAX_HEADER: Final = 1024
"""Bytes; with the number of them this bounds what clients can make the server remember."""
MAX_LAYOUTS: Final = 256


class Place(NamedTuple):
    """Where one tensor lies in the body."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int


class Layout(NamedTuple):
    """What a header says."""

    body_bytes: int
    """How long the body with it is: any other does not fit."""
    places: Sequence[Place]
    wanted: tuple[Any, ...]
    """What else a decoded request is made of, behind its inputs."""

    def read(self, body: Buffer) -> dict[str, Array]:
        """The tensors in `body`, not copied where they are aligned."""
        arrays: dict[str, Array] = {}
        for name, shape, dtype, offset in self.places:
            array: Array = np.ndarray(shape, dtype, body, offset)
            arrays[name] = array if array.flags.aligned else array.copy()
        return arrays


class Layouts:
    """Those of one model, by their headers."""

    def __init__(self) -> None:
        self._known: dict[bytes, Layout] = {}

    def find(self, header: bytes, body_bytes: int) -> Layout | None:
        """The layout of a body of that length which begins with `header`, if it was learnt."""
        layout = self._known.get(header)
        return layout if layout is not None and layout.body_bytes == body_bytes else None

    def learn(self, header: bytes, layout: Layout) -> None:
        """Know `layout` from now on; when there are too many the oldest is forgotten."""
        if len(header) > MAX_HEADER:
            return
        if len(self._known) >= MAX_LAYOUTS:
            del self._known[next(iter(self._known))]
        self._known[header] = layout


def layout_of(arrays: Mapping[str, Array], offset: int, order: Iterable[str], wanted: tuple[Any, ...]) -> Layout | None:
    """The layout of a body in which `arrays` follow each other from `offset` on, to be read in `order`.

    None if more is to be known of a tensor than where it lies: strings have lengths of their own, and not every byte is a BOOL.
    """
    places: dict[str, Place] = {}
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu" or not array.size:
            return None
        places[name] = Place(name, array.shape, array.dtype, offset)
        offset += array.nbytes
    return Layout(offset, [places[name] for name in order], wanted)
