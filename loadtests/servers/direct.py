"""onnxruntime alone: runs one row in a loop for some seconds and prints what that took. The floor under every server."""

import json
import os
import sys
import time
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime


def measure(model: str, seconds: float) -> dict[str, float]:
    """Runs a second, and percentiles of one run in microseconds."""
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    tensor = session.get_inputs()[0]
    row = {tensor.name: np.zeros((1, *tensor.shape[1:]), dtype=np.float32)}
    times_ns: list[int] = []
    started = time.perf_counter_ns()
    while (before := time.perf_counter_ns()) - started < seconds * 1e9:
        session.run(None, row)
        times_ns.append(time.perf_counter_ns() - before)
    p50_us, p99_us = (float(it) / 1e3 for it in np.percentile(times_ns, [50, 99]))
    mean_us = float(np.mean(times_ns)) / 1e3
    return {"requests_per_s": len(times_ns) / seconds, "p50_us": p50_us, "p99_us": p99_us, "mean_us": mean_us, "errors": 0}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], float(sys.argv[2]))))
