"""KServe's Python server, in the same protocol."""

import sys
from typing import Any

from kserve import InferOutput, InferRequest, InferResponse, ModelServer
from kserve import Model as KserveModel

from loadtests.peers.common import WORDS, Model


class Served(KserveModel):
    """One model."""

    def __init__(self, path: str) -> None:
        self._model = Model(path)
        super().__init__(self._model.name)
        self.ready = True

    async def predict(self, payload: InferRequest, headers: Any = None, response_headers: Any = None) -> InferResponse:
        arrays = self._model.run(payload.inputs[0].as_numpy())
        outputs = [
            InferOutput(it.name, list(array.shape), WORDS[it.type], data=array.ravel().tolist())
            for it, array in zip(self._model.outputs, arrays, strict=True)
        ]
        return InferResponse(payload.id or "", self.name, outputs)


if __name__ == "__main__":
    ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1, access_log_format=None).start([Served(sys.argv[2])])
