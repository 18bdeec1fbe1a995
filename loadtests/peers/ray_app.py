"""Ray Serve with one replica."""

import sys
import threading
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

from loadtests.peers.common import Model


@serve.deployment(num_replicas=1, max_ongoing_requests=256)
class Deployment:
    """One model."""

    def __init__(self, path: str) -> None:
        self.model = Model(path)

    async def __call__(self, request: Request) -> dict[str, Any]:
        return self.model.answer(await request.json())


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, logging_level="warning", configure_logging=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(Deployment.bind(sys.argv[2]), route_prefix="/")
    threading.Event().wait()
