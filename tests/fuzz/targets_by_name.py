"""The fuzz targets by name, and what is kept of earlier runs."""

import base64
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from tests.fuzz.targets import binary_requests, grpc_requests, http, json_requests, odds, predict_rows

CORPUS: Final = Path(__file__).parent / "corpus"
KEPT: Final = 250
"""Inputs a target; the shortest stay."""
KEPT_BYTES: Final = 600
"""Larger inputs are not kept: what they reach, smaller ones do as well sooner or later."""


class Target(NamedTuple):
    """`check` raises if bytes do what they must not; `seeds` are where a run begins."""

    name: str
    check: Callable[[bytes], None]
    seeds: list[bytes]

    @property
    def _path(self) -> Path:
        """In base64, one input a line."""
        return CORPUS / f"{self.name}.txt"

    def kept(self) -> list[bytes]:
        """What earlier runs found to reach something new."""
        return [base64.b64decode(it) for it in self._path.read_text().split()] if self._path.exists() else []

    def keep(self, found: Iterable[bytes]) -> int:
        """Keep `found` too; how many inputs there are now."""
        known = sorted({it for it in (*self.kept(), *found) if 0 < len(it) <= KEPT_BYTES}, key=lambda it: (len(it), it))[:KEPT]
        self._path.write_text("".join(f"{base64.b64encode(it).decode()}\n" for it in known))
        return len(known)


TARGETS: Final = {
    it.name: it
    for it in (
        Target("json_requests", json_requests.check, json_requests.SEEDS),
        Target("binary_requests", binary_requests.check, binary_requests.SEEDS),
        Target("grpc_requests", grpc_requests.check, grpc_requests.SEEDS),
        Target("predict_rows", predict_rows.check, predict_rows.SEEDS),
        Target("http", http.check, http.SEEDS),
        Target("odds", odds.check, odds.SEEDS),
    )
}
