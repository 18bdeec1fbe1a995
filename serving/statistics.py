"""What a model has done, in the shape of Triton's statistics extension, which its tools read."""

from serving.batch_statistics import Statistics, Tally


def describe_statistics(name: str, version: str, statistics: Statistics) -> dict[str, object]:
    """One entry of `model_stats`. Times are nanoseconds, `last_inference` milliseconds since the epoch."""
    durations = {
        "success": statistics.success,
        "fail": statistics.fail,
        "queue": statistics.queue,
        "compute_input": statistics.compute_input,
        "compute_infer": statistics.compute_infer,
        "compute_output": statistics.compute_output,
        "cache_hit": statistics.cache_hit,
        "cache_miss": statistics.cache_miss,
    }
    return {
        "name": name,
        "version": version,
        "last_inference": statistics.last_inference_ms,
        "inference_count": statistics.inference_count,
        "execution_count": statistics.execution_count,
        "inference_stats": {name: _duration(it) for name, it in durations.items()},
        "response_stats": {},  # of decoupled models, which there are none of
        "batch_stats": [_batch(rows, statistics.batches[rows]) for rows in sorted(statistics.batches)],
        "memory_usage": [],  # of GPUs
    }


def _duration(tally: Tally) -> dict[str, int]:
    return {"count": tally.count, "ns": tally.ns}


def _batch(rows: int, tally: Tally) -> dict[str, object]:
    """Joining and telling apart are counted per model, not per batch size."""
    nothing = {"count": 0, "ns": 0}
    return {"batch_size": rows, "compute_input": nothing, "compute_infer": _duration(tally), "compute_output": nothing}
