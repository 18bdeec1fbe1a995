"""Tiny ONNX models made on the spot, each for one behaviour."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 21
IR_VERSION = 10

FLOAT = TensorProto.FLOAT
Shape = Sequence[int | str | None]


def tensor(name: str, kind: int, shape: Shape) -> onnx.ValueInfoProto:
    """A graph input or output; text in `shape` names a free dimension."""
    return helper.make_tensor_value_info(name, kind, list(shape))


def save_graph(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    constants: dict[str, np.ndarray[Any, Any]] | None = None,
    metadata: dict[str, str] | None = None,
    domains: Sequence[str] = (),
) -> Path:
    """Write a model of these parts to `path`."""
    initializers = [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), initializers)
    opsets = [helper.make_opsetid("", OPSET), *(helper.make_opsetid(domain, 1) for domain in domains)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="headrace-tests")
    helper.set_model_props(model, metadata or {})
    path.write_bytes(model.SerializeToString())
    return path


def sum_model(path: Path, width: int = 4, metadata: dict[str, str] | None = None) -> Path:
    """`y` [N] is the sum of each row of `x` [N, width], FP32."""
    nodes = [helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)]
    constants = {"axes": np.array([1], np.int64)}
    return save_graph(path, nodes, [tensor("x", FLOAT, ["N", width])], [tensor("y", FLOAT, ["N"])], constants, metadata)


def linear_model(path: Path, width: int = 4, outputs: int = 3, seed: int = 0) -> Path:
    """`y` [N, outputs] = `x` [N, width] times random weights, FP32; `seed` makes different files."""
    weights = np.random.default_rng(seed).normal(size=(width, outputs)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return save_graph(path, nodes, [tensor("x", FLOAT, ["N", width])], [tensor("y", FLOAT, ["N", outputs])], {"w": weights})


def mlp_model(path: Path, width: int = 4, hidden: int = 16, outputs: int = 3) -> Path:
    """A tiny perceptron: `input` [N, width] to `probabilities` [N, outputs], FP32."""
    random = np.random.default_rng(0)
    constants = {
        "w1": random.normal(size=(width, hidden)).astype(np.float32),
        "b1": random.normal(size=hidden).astype(np.float32),
        "w2": random.normal(size=(hidden, outputs)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Gemm", ["input", "w1", "b1"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "w2"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    inputs, result = [tensor("input", FLOAT, ["N", width])], [tensor("probabilities", FLOAT, ["N", outputs])]
    return save_graph(path, nodes, inputs, result, constants)


def picture_model(path: Path, side: int = 8) -> Path:
    """`means` [N, 3] of each channel of `image` [N, 3, side, side], FP32."""
    nodes = [helper.make_node("ReduceMean", ["image", "axes"], ["means"], keepdims=0)]
    inputs, outputs = [tensor("image", FLOAT, ["N", 3, side, side])], [tensor("means", FLOAT, ["N", 3])]
    return save_graph(path, nodes, inputs, outputs, {"axes": np.array([2, 3], np.int64)})


def identity_model(path: Path, kind: int, shape: Shape = ("N", 2)) -> Path:
    """`y` is `x`, of the ONNX element type `kind`."""
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    return save_graph(path, nodes, [tensor("x", kind, shape)], [tensor("y", kind, shape)])


def echo_model(path: Path, kinds: dict[str, int], width: int = 2) -> Path:
    """One input [N, width] for each name, of the ONNX element type given; each comes back as `<name>_out`."""
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in kinds]
    inputs = [tensor(name, kind, ["N", width]) for name, kind in kinds.items()]
    outputs = [tensor(f"{name}_out", kind, ["N", width]) for name, kind in kinds.items()]
    return save_graph(path, nodes, inputs, outputs)


def columns_model(path: Path) -> Path:
    """Two inputs of different types, `amount` FP32 [N, 1] and `country` BYTES [N, 1], both given back."""
    return echo_model(path, {"amount": FLOAT, "country": TensorProto.STRING}, width=1)


def failing_model(path: Path) -> Path:
    """`y` [N] = item of a table of ten at the index `x` [N] INT64: an index of 10 or more fails when it runs."""
    nodes = [helper.make_node("Gather", ["table", "x"], ["y"])]
    constants = {"table": np.arange(10, dtype=np.float32) * 10}
    return save_graph(path, nodes, [tensor("x", TensorProto.INT64, ["N"])], [tensor("y", FLOAT, ["N"])], constants)


def mixing_model(path: Path) -> Path:
    """`y` [N, 2] is `x` [N, 2] minus the mean over the rows: rows must not be joined with those of others."""
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=1),
        helper.make_node("Sub", ["x", "mean"], ["y"]),
    ]
    constants = {"axes": np.array([0], np.int64)}
    return save_graph(path, nodes, [tensor("x", FLOAT, ["N", 2])], [tensor("y", FLOAT, ["N", 2])], constants)


def scalar_model(path: Path) -> Path:
    """`y` = `x` + 1, both scalars (shape []), FP32."""
    nodes = [helper.make_node("Add", ["x", "one"], ["y"])]
    return save_graph(path, nodes, [tensor("x", FLOAT, [])], [tensor("y", FLOAT, [])], {"one": np.array(1, np.float32)})


def slow_model(path: Path, size: int = 600, layers: int = 8) -> Path:
    """`y` [N, size] from `x` [N, size] through matrices large enough to take milliseconds."""
    constants = {f"w{it}": np.full((size, size), 1 / size, np.float32) for it in range(layers)}
    names = ["x", *(f"h{it}" for it in range(layers - 1)), "y"]
    nodes = [helper.make_node("MatMul", [names[it], f"w{it}"], [names[it + 1]]) for it in range(layers)]
    return save_graph(path, nodes, [tensor("x", FLOAT, ["N", size])], [tensor("y", FLOAT, ["N", size])], constants)


def custom_operator_model(path: Path) -> Path:
    """A valid file whose node `wizard` needs an operator of a custom library."""
    nodes = [helper.make_node("Magic", ["x"], ["y"], name="wizard", domain="com.example")]
    return save_graph(path, nodes, [tensor("x", FLOAT, ["N"])], [tensor("y", FLOAT, ["N"])], domains=["com.example"])


def external_data_model(path: Path, location: str = "../secret.bin") -> Path:
    """A file whose weights `w` are said to lie in the file `location`."""
    linear_model(path)
    model = onnx.load(str(path))
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location)
    path.write_bytes(model.SerializeToString())
    return path
