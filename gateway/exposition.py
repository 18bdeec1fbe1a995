"""Prometheus' text format, written a little at a time: between the pieces requests get their turn."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final, TypeVar

from gateway.metric_families import FAMILIES, WORKER, Family, Series

SLICE_S: Final = 0.001
PIECES_JOINED: Final = 64
Item = TypeVar("Item")


async def paced(items: Iterable[Item]) -> AsyncIterator[Item]:
    """`items`, with a turn for everybody else whenever `SLICE_S` have passed."""
    until = time.monotonic() + SLICE_S
    for item in items:
        yield item
        if time.monotonic() > until:
            await asyncio.sleep(0)
            until = time.monotonic() + SLICE_S


async def render(series: Iterable[Series]) -> list[bytes]:
    """The page of `series`, in pieces: to join them all takes milliseconds."""
    by_family: dict[str, list[Series]] = {}
    async for it in paced(series):
        by_family.setdefault(it.family, []).append(it)
    page: list[bytes] = []
    pieces: list[str] = []
    async for piece in paced(_pieces(by_family)):
        pieces.append(piece)
        if len(pieces) == PIECES_JOINED:
            page.append("".join(pieces).encode())
            pieces.clear()
    return [*page, "".join(pieces).encode()]


def _pieces(by_family: dict[str, list[Series]]) -> Iterator[str]:
    for name, family in FAMILIES.items():
        if name not in by_family:
            continue
        yield f"# HELP {name} {family.text}\n# TYPE {name} {family.kind}\n"
        names = (*family.labels, WORKER) if family.is_per_worker else family.labels
        write = _histogram if family.kind == "histogram" else _sample
        for it in by_family[name]:
            yield write(family, _labels(names, it.labels), it.values)


def _sample(family: Family, labels: str, values: Sequence[float]) -> str:
    return f"{family.name}{{{labels}}} {_number(values[0])}\n" if labels else f"{family.name} {_number(values[0])}\n"


def _histogram(family: Family, labels: str, values: Sequence[float]) -> str:
    name, (*counts, total) = family.name, values
    bounds = (*map(_number, family.bounds), "+Inf")
    comma = "," if labels else ""
    lines = [
        f'{name}_bucket{{{labels}{comma}le="{bound}"}} {_number(count)}\n'
        for bound, count in zip(bounds, accumulate(counts), strict=True)
    ]
    braces = f"{{{labels}}}" if labels else ""
    return "".join(lines) + f"{name}_sum{braces} {_number(total)}\n{name}_count{braces} {_number(sum(counts))}\n"


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    return ",".join([f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True)])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value % 1 == 0 else "+Inf" if value == math.inf else repr(value)
