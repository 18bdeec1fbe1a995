"""MLServer with a custom runtime, its adaptive batching, and no worker pool, as it advises for light models."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from loadtests.peers.common import MAX_BATCH, Model


class Runtime(MLModel):
    """One model."""

    async def load(self) -> bool:
        self._model = Model(os.environ["PEER_MODEL"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        arrays = self._model.run(NumpyCodec.decode_input(payload.inputs[0]))
        outputs = [NumpyCodec.encode_output(it.name, array) for it, array in zip(self._model.outputs, arrays, strict=True)]
        return InferenceResponse(model_name=self.name, outputs=outputs)


def serve(port: str, model: str, free_ports: list[int]) -> int:
    """Run `mlserver start` on a folder with its two settings files."""
    server = {
        "http_port": int(port),
        "grpc_port": free_ports[0],
        "metrics_port": free_ports[1],
        "host": "127.0.0.1",
        "parallel_workers": 0,
        "debug": False,
    }
    runtime = {
        "name": Path(model).stem,
        "implementation": "loadtests.peers.mlserver_app.Runtime",
        "max_batch_size": MAX_BATCH,
        "max_batch_time": 0.001,
    }
    with tempfile.TemporaryDirectory() as name:
        for file, settings in (("settings.json", server), ("model-settings.json", runtime)):
            (Path(name) / file).write_text(json.dumps(settings))
        return subprocess.call([sys.executable, "-m", "mlserver.cli.main", "start", name], env=os.environ | {"PEER_MODEL": model})


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1], sys.argv[2], [int(it) for it in sys.argv[3:]]))
