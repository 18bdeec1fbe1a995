"""BentoML's service, by `bentoml serve` with one worker."""

import os
import subprocess
import sys
from typing import Any

import bentoml

from loadtests.peers.common import Model


@bentoml.service(workers=1, traffic={"timeout": 30})
class Service:
    """One model."""

    def __init__(self) -> None:
        self.model = Model(os.environ["PEER_MODEL"])

    @bentoml.api(route="/infer")
    def infer(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        return self.model.answer({"inputs": inputs})


if __name__ == "__main__":
    port, model = sys.argv[1:]
    command = ["bentoml", "serve", "loadtests.peers.bentoml_app:Service", "--port", port, "--host", "127.0.0.1"]
    os.environ["PEER_MODEL"] = model
    sys.exit(subprocess.call([sys.executable, "-m", *command]))
