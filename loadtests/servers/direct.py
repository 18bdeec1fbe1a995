"""onnxruntime alone, in a loop of one thread: the floor under every server, at each of some batch sizes."""

import json
import os
import sys
import time
from typing import Any, Final

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime

TYPES: Final = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


def measure(model: str, seconds: float, rows: int) -> float:
    """Rows a second, in runs of `rows` at a time."""
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    tensor = session.get_inputs()[0]
    inputs = {tensor.name: np.zeros((rows, *tensor.shape[1:]), TYPES[tensor.type])}
    session.run(None, inputs)
    runs, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        session.run(None, inputs)
        runs += 1
    return runs * rows / elapsed


if __name__ == "__main__":
    print(json.dumps({it: measure(sys.argv[1], float(sys.argv[2]), int(it)) for it in sys.argv[3:]}))
