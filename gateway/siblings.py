"""How several workers on one port answer one scrape: each leaves its numbers on disk, and whichever is scraped adds them up."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from prometheus_client.core import Metric

logger = logging.getLogger(__name__)

WRITE_EVERY_S: Final = 2.0
STALE_S: Final = 10.0
"""Numbers older than this are of a worker that is gone."""
FILE_NAME: Final = "metrics.msgpack"


class Sample(Struct, array_like=True):
    """One line of the text."""

    name: str
    labels: dict[str, str]
    value: float


class Family(Struct, array_like=True):
    """One metric with all its lines."""

    name: str
    documentation: str
    kind: str
    samples: list[Sample]


class Siblings:
    """The workers beside the one whose folder is `home`."""

    def __init__(self, home: Path) -> None:
        self._home = home

    async def run(self, collect: Callable[[], Iterable[Metric]]) -> None:
        """Leave our numbers for the others until cancelled."""
        while True:
            blob = msgspec.msgpack.encode([_pack(it) for it in collect()])
            try:
                await asyncio.to_thread(_replace, self._home / FILE_NAME, blob)
            except OSError as error:
                logger.warning("this worker's metrics cannot be shared: %s", error)
            await asyncio.sleep(WRITE_EVERY_S)

    def add_to(self, own: Iterable[Metric]) -> list[Metric]:
        """`own` metrics with the samples of the other workers."""
        families = {it.name: it for it in own}
        for home in self._home.parent.glob("worker-*"):
            for packed in _read(home / FILE_NAME) if home != self._home else []:
                family = families.setdefault(packed.name, Metric(packed.name, packed.documentation, packed.kind))
                for it in packed.samples:
                    family.add_sample(it.name, it.labels, it.value)
        return list(families.values())


def _pack(family: Metric) -> Family:
    samples = [Sample(it.name, dict(it.labels), float(it.value)) for it in family.samples]
    return Family(family.name, family.documentation, family.type, samples)


def _read(path: Path) -> list[Family]:
    try:
        if time.time() - path.stat().st_mtime > STALE_S:
            return []
        return msgspec.msgpack.decode(path.read_bytes(), type=list[Family])
    except (OSError, msgspec.MsgspecError):  # just being born, or just gone
        return []


def _replace(path: Path, blob: bytes) -> None:
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_bytes(blob)
    partial.replace(path)
