"""NVIDIA Triton with its Python backend and dynamic batching, by PyTriton."""

import sys
from typing import Any

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from loadtests.peers.common import MAX_BATCH, TYPES, WORDS, Model


def serve(port: int, path: str, free_ports: list[int]) -> None:
    """Until killed."""
    model = Model(path)

    @batch
    def infer(x: Any) -> dict[str, Any]:
        arrays = model.run(x)
        return {it.name: array.reshape(len(x), -1) for it, array in zip(model.outputs, arrays, strict=True)}

    config = TritonConfig(http_address="127.0.0.1", http_port=port, grpc_port=free_ports[0], metrics_port=free_ports[1])
    with Triton(config=config) as triton:
        triton.bind(
            model_name=model.name,
            infer_func=infer,
            inputs=[Tensor(name="x", dtype=TYPES[WORDS[model.input.type]], shape=tuple(model.input.shape[1:]))],
            outputs=[Tensor(name=it.name, dtype=_type(it), shape=(-1,)) for it in model.outputs],
            config=ModelConfig(max_batch_size=MAX_BATCH, batcher=DynamicBatcher(max_queue_delay_microseconds=0)),
            strict=False,
        )
        triton.serve()


def _type(output: Any) -> Any:
    return np.dtype(TYPES[WORDS[output.type]]).type


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], [int(it) for it in sys.argv[3:]])
