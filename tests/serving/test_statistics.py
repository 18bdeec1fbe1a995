"""What Triton's tools read: statistics and configuration."""

from contracts.signature import Tensor
from serving.batch_statistics import Statistics
from serving.batches import Batch
from serving.model_config import describe_config
from serving.statistics import describe_statistics


def test_counters_come_in_the_shape_of_tritons_statistics() -> None:
    statistics = Statistics()
    statistics.add_batch(Batch([], 8, "full", run_ns=1_000), 2, 600)
    statistics.add_batch(Batch([], 2, "idle", run_ns=500), 1, 0)
    statistics.add_batch(Batch([], 8, "full", run_ns=1_500), 1, 100)
    statistics.add_batch(Batch([], 1, "alone", run_ns=300, has_answers=False), 1, 40)
    statistics.cache_hit.add(10)
    told = describe_statistics("m", "2", statistics)
    assert (told["name"], told["version"], told["inference_count"], told["execution_count"]) == ("m", "2", 18, 3)
    stats = told["inference_stats"]
    assert isinstance(stats, dict)
    assert stats["success"] == {"count": 4, "ns": 4_700}
    assert stats["fail"] == {"count": 1, "ns": 340}
    assert stats["queue"] == {"count": 5, "ns": 740}
    assert stats["cache_hit"] == {"count": 1, "ns": 10}
    assert list(stats) == [
        "success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss",
    ]  # fmt: skip
    nothing = {"count": 0, "ns": 0}
    assert told["batch_stats"] == [
        {"batch_size": 2, "compute_input": nothing, "compute_infer": {"count": 1, "ns": 500}, "compute_output": nothing},
        {"batch_size": 8, "compute_input": nothing, "compute_infer": {"count": 2, "ns": 2_500}, "compute_output": nothing},
    ]


TENSORS = (Tensor("x", "FP32", (-1, 3)), Tensor("name", "BYTES", (-1,)))


def config(max_batch_size: int) -> dict[str, object]:
    """Of a model with the inputs `TENSORS`, which are its outputs too."""
    return describe_config(
        "m", TENSORS, TENSORS, max_batch_size=max_batch_size, max_delay_us=50, timeout_us=2_000_000, max_queued=100
    )


def dims_and_types(tensors: object) -> list[tuple[object, object, object]]:
    assert isinstance(tensors, list)
    return [(it["data_type"], it["dims"], it.get("reshape")) for it in tensors]


def test_a_batched_models_dimensions_leave_out_the_first() -> None:
    told = config(64)
    assert (told["name"], told["platform"], told["max_batch_size"]) == ("m", "onnxruntime_onnx", 64)
    wanted = [("TYPE_FP32", (3,), None), ("TYPE_STRING", [1], {"shape": []})]
    assert dims_and_types(told["input"]) == dims_and_types(told["output"]) == wanted
    batching = told["dynamic_batching"]
    assert isinstance(batching, dict)
    assert batching["max_queue_delay_microseconds"] == 50
    assert batching["default_queue_policy"]["default_timeout_microseconds"] == 2_000_000


def test_a_model_that_is_not_batched_shows_all_its_dimensions() -> None:
    told = config(0)
    assert dims_and_types(told["input"]) == [("TYPE_FP32", (-1, 3), None), ("TYPE_STRING", (-1,), None)]
    assert "dynamic_batching" not in told
