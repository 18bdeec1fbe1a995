"""How several workers on one port answer one scrape: each leaves its numbers on disk, and whichever is scraped adds them up.

Counters must never go back, or Prometheus takes all that was ever counted for new. So a worker goes on from what its folder says
was counted there before it; what those counted who are gone still counts; and no number is shown that is not on disk already.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from gateway.exposition import paced
from gateway.metric_families import DEPLOYMENT, FAMILIES, Series

logger = logging.getLogger(__name__)

WRITE_EVERY_S: Final = 2.0
STALE_S: Final = 10.0
"""Numbers older than this are of a worker that is gone."""
FILE_NAME: Final = "metrics.msgpack"

Collect = Callable[[], Awaitable[list[Series]]]
"""Gives the numbers of this worker alone."""
Key = tuple[str, tuple[str, ...]]
"""Family and labels."""


class Siblings:
    """The workers beside the one whose folder is `home`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._publishing = asyncio.Lock()
        self._before = {_key(it): it for it in _read(home / FILE_NAME)[0] if _outlives_its_worker(it)}

    async def run(self, collect: Collect) -> None:
        """Leave our numbers for the others until cancelled."""
        while True:
            await self._publish(collect)
            await asyncio.sleep(WRITE_EVERY_S)

    async def sum(self, collect: Collect) -> list[Series]:
        """Our numbers and those of all others, living or gone, of the deployments that there are."""
        total, deployments = await self._publish(collect)
        for home in sorted(self._home.parent.glob("worker-*")):
            if home == self._home:
                continue
            found, is_living = await asyncio.to_thread(_read, home / FILE_NAME)
            async for it in paced(found):
                if is_living or _outlives_its_worker(it):
                    _add(total, it)
        return [it for it in total.values() if _deployment(it) in deployments]

    async def _publish(self, collect: Collect) -> tuple[dict[Key, Series], set[tuple[str, ...]]]:
        """Write to disk our numbers, and what was counted here before; the two together, and the deployments that there are."""
        async with self._publishing:
            own = await collect()
            deployments = {_deployment(it) for it in own}
            total = {_key(it): it for it in own}
            async for it in paced(self._before.values()):
                if _deployment(it) in deployments or len(deployments) == 1:  # before the first table there are none
                    _add(total, it)
            blob = msgspec.msgpack.encode(list(total.values()))
            try:
                await asyncio.to_thread(_replace, self._home / FILE_NAME, blob)
            except OSError as error:
                logger.warning("this worker's metrics cannot be shared: %s", error)
            return total, deployments


def _key(series: Series) -> Key:
    return series.family, series.labels


def _deployment(series: Series) -> tuple[str, ...]:
    """Labels of the deployment it is of; none if it is of none."""
    return series.labels[: len(DEPLOYMENT)] if FAMILIES[series.family].is_of_deployment else ()


def _outlives_its_worker(series: Series) -> bool:
    """Whether it was counted, for the whole port."""
    family = FAMILIES[series.family]
    return family.kind != "gauge" and not family.is_per_worker


def _add(total: dict[Key, Series], more: Series) -> None:
    key = _key(more)
    known = total.get(key)
    if known is None:
        total[key] = more
    else:
        total[key] = Series(*key, [mine + other for mine, other in zip(known.values, more.values, strict=True)])


def _read(path: Path) -> tuple[list[Series], bool]:
    """What a worker left, as far as we know such series, and whether it lives."""
    try:
        is_living = time.time() - path.stat().st_mtime < STALE_S
        found = msgspec.msgpack.decode(path.read_bytes(), type=list[Series])
    except (OSError, msgspec.MsgspecError):  # just being born
        return [], False
    return [it for it in found if _is_known(it)], is_living


def _is_known(series: Series) -> bool:
    """Whether it is of this version's shape: the file may be from before an update."""
    family = FAMILIES.get(series.family)
    if family is None:
        return False
    values = len(family.bounds) + 2 if family.kind == "histogram" else 1
    return len(series.values) == values and len(series.labels) == len(family.labels) + family.is_per_worker


def _replace(path: Path, blob: bytes) -> None:
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_bytes(blob)
    partial.replace(path)
