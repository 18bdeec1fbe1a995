"""LitServe with its batching."""

import sys
from typing import Any

import litserve
import numpy as np

from loadtests.peers.common import MAX_BATCH, Model, rows_of


class Api(litserve.LitAPI):
    """One model."""

    def setup(self, device: str) -> None:
        self.model = Model(sys.argv[2])

    def decode_request(self, request: dict[str, Any]) -> Any:
        return rows_of(request)

    def batch(self, inputs: list[Any]) -> Any:
        return np.concatenate(inputs)

    def predict(self, x: Any) -> Any:
        return self.model.run(x)

    def unbatch(self, output: list[Any]) -> list[list[Any]]:
        return [[it[index : index + 1] for it in output] for index in range(len(output[0]))]

    def encode_response(self, output: list[Any]) -> dict[str, Any]:
        return self.model.describe(output) if hasattr(self, "model") else {"outputs": [it.ravel().tolist() for it in output]}


if __name__ == "__main__":
    server = litserve.LitServer(Api(max_batch_size=MAX_BATCH, batch_timeout=0.001), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
