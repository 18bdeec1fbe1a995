"""What the benchmark asks: a model, one row for it, and how many clients ask at once."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from loadtests import models


@dataclass(frozen=True)
class Body:
    """One request; `header_bytes` is the length of its JSON part, None if it is JSON throughout."""

    content: bytes
    header_bytes: int | None = None


@dataclass(frozen=True)
class Case:
    """One model, all calls to which carry one row."""

    name: str
    write_model: Callable[[Path], None]
    row: NDArray[Any]
    """Shape [1, …]."""
    connections: tuple[int, ...]
    has_binary: bool = False
    """Also measured with binary tensors."""

    @property
    def datatype(self) -> str:
        return {"f": "FP32", "i": "INT64"}[self.row.dtype.kind]

    def json(self) -> Body:
        """Values as text, with as many digits as applications send."""
        values = [round(it, 4) for it in self.row.ravel().tolist()]
        return Body(json.dumps({"inputs": [self._tensor() | {"data": values}]}, separators=(",", ":")).encode())

    def binary(self) -> Body:
        """Values as they lie in memory, both ways."""
        tensor = self._tensor() | {"parameters": {"binary_data_size": self.row.nbytes}}
        header = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}, separators=(",", ":")).encode()
        return Body(header + self.row.tobytes(), len(header))

    def _tensor(self) -> dict[str, Any]:
        return {"name": "x", "shape": list(self.row.shape), "datatype": self.datatype}


def _random(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(7).random((1, *shape), np.float32)


TINY: Final = Case("tiny", models.write_tiny, np.array([[5.1, 3.5, 1.4, 0.2]], np.float32), (1, 8, 64, 256))
CASES: Final = (
    TINY,
    Case("trees", models.write_trees, _random(10), (64,)),
    Case("cnn", models.write_cnn, _random(1, 28, 28), (64,), has_binary=True),
    Case("resnet18", models.write_resnet18, _random(3, 224, 224), (8,), has_binary=True),
    Case("bert", models.write_bert, np.arange(64, dtype=np.int64)[None] * 400, (8,)),
)
