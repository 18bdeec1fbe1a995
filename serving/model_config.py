"""A model in the words of Triton's configuration, for the tools that ask for it (perf_analyzer refuses to run without).

The names are those of Triton's `ModelConfig` message, so that the same dictionary serves JSON and gRPC. A model whose requests
are joined is one with a `max_batch_size`: its dimensions are then written without the first.
"""

from collections.abc import Sequence
from typing import Final

from contracts.signature import Tensor

PLATFORM: Final = "onnxruntime_onnx"
_DATA_TYPES: Final = {"BYTES": "TYPE_STRING"}


def describe_config(
    name: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    *,
    max_batch_size: int,
    max_delay_us: int,
    timeout_us: int,
    max_queued: int,
) -> dict[str, object]:
    """Triton's `ModelConfig`; `max_batch_size` is 0 where requests never share a run."""
    is_batched = max_batch_size > 0
    config: dict[str, object] = {
        "name": name,
        "platform": PLATFORM,
        "backend": "onnxruntime",
        "runtime": "",
        "version_policy": {"latest": {"num_versions": 1}},
        "max_batch_size": max_batch_size,
        "input": [_input(it, is_batched) for it in inputs],
        "output": [_output(it, is_batched) for it in outputs],
        "batch_input": [],
        "batch_output": [],
        "optimization": {
            "priority": "PRIORITY_DEFAULT",
            "input_pinned_memory": {"enable": False},
            "output_pinned_memory": {"enable": False},
            "gather_kernel_buffer_threshold": 0,
            "eager_batching": False,
        },
        "instance_group": [_instance_group(name)],
        "default_model_filename": "model.onnx",
        "cc_model_filenames": {},
        "metric_tags": {},
        "parameters": {},
        "model_warmup": [],
        "model_transaction_policy": {"decoupled": False},
    }
    if is_batched:
        config["dynamic_batching"] = _dynamic_batching(max_delay_us, timeout_us, max_queued)
    return config


def _instance_group(name: str) -> dict[str, object]:
    return {
        "name": name,
        "kind": "KIND_CPU",
        "count": 1,
        "gpus": [],
        "secondary_devices": [],
        "profile": [],
        "passive": False,
        "host_policy": "",
    }


def _dynamic_batching(max_delay_us: int, timeout_us: int, max_queued: int) -> dict[str, object]:
    return {
        "preferred_batch_size": [],
        "max_queue_delay_microseconds": max_delay_us,
        "preserve_ordering": False,
        "priority_levels": 0,
        "default_priority_level": 0,
        "default_queue_policy": {
            "timeout_action": "REJECT",
            "default_timeout_microseconds": timeout_us,
            "allow_timeout_override": True,
            "max_queue_size": max_queued,
        },
        "priority_queue_policy": {},
    }


def _input(tensor: Tensor, is_batched: bool) -> dict[str, object]:
    return {
        "name": tensor.name,
        "data_type": _data_type(tensor),
        "format": "FORMAT_NONE",
        **_dims(tensor, is_batched),
        "is_shape_tensor": False,
        "allow_ragged_batch": False,
        "optional": False,
    }


def _output(tensor: Tensor, is_batched: bool) -> dict[str, object]:
    return {
        "name": tensor.name,
        "data_type": _data_type(tensor),
        **_dims(tensor, is_batched),
        "label_filename": "",
        "is_shape_tensor": False,
    }


def _data_type(tensor: Tensor) -> str:
    return _DATA_TYPES.get(tensor.datatype, f"TYPE_{tensor.datatype}")


def _dims(tensor: Tensor, is_batched: bool) -> dict[str, object]:
    """The dimensions of one request; Triton has no word for none at all but a `reshape`."""
    dims = tensor.shape[1:] if is_batched else tensor.shape
    return {"dims": dims} if dims else {"dims": [1], "reshape": {"shape": []}}
