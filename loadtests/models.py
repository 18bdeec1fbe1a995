"""The models of the benchmark, made here from fixed seeds: what they compute is arbitrary, what it costs is not."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier

OPSET = 17
Floats = NDArray[np.float32]


class Graph:
    """Nodes and weights of a model as it is put together; each method returns the name of what its last node gives."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(7)
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def apply(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """One node with one output."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def weight(self, *shape: int) -> str:
        """Random numbers, scaled so that activations keep their size."""
        fan_in = int(np.prod(shape[1:])) if len(shape) == 4 else shape[0]
        return self.constant(self._random.normal(0, 1 / np.sqrt(fan_in), shape).astype(np.float32))

    def constant(self, values: NDArray[Any]) -> str:
        """An initializer."""
        name = f"weight_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(values, name))
        return name

    def dense(self, x: str, inputs: int, outputs: int) -> str:
        """A matrix product and a bias."""
        return self.apply("Add", self.apply("MatMul", x, self.weight(inputs, outputs)), self.weight(outputs))

    def convolution(self, x: str, inputs: int, outputs: int, size: int = 3, stride: int = 1) -> str:
        """A convolution that keeps height and width, but for its stride."""
        pads = [size // 2] * 4
        return self.apply("Conv", x, self.weight(outputs, inputs, size, size), pads=pads, strides=[stride, stride])

    def write(self, path: Path, x: Any, output: str, shape: list[Any]) -> None:
        """Write the model that takes `x` and gives `output` as `y`."""
        self._nodes.append(helper.make_node("Identity", [output], ["y"]))
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, path.stem, [x], [y], self._weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())


def write_tiny(path: Path) -> None:
    """A perceptron: `x` FP32 [-1, 4], `y` FP32 [-1, 2], 8 hidden units."""
    graph = Graph()
    hidden = graph.apply("Relu", graph.dense("x", 4, 8))
    graph.write(path, _floats("batch", 4), graph.dense(hidden, 8, 2), ["batch", 2])


def write_trees(path: Path) -> None:
    """Gradient boosting: `x` FP32 [-1, 10], `label` INT64 [-1], `probabilities` FP32 [-1, 2]; 100 trees of depth 3."""
    random = np.random.default_rng(7)
    rows = random.normal(size=(2000, 10)).astype(np.float32)
    labels = (rows[:, 0] * rows[:, 1] + rows[:, 2] > 0).astype(np.int64)
    classifier = GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=7).fit(rows, labels)
    types = [("x", FloatTensorType([None, 10]))]
    model: Any = convert_sklearn(classifier, initial_types=types, target_opset=OPSET, options={"zipmap": False})
    path.write_bytes(model.SerializeToString())


def write_cnn(path: Path) -> None:
    """Digits: `x` FP32 [-1, 1, 28, 28], `y` FP32 [-1, 10]; two convolutions, as in every MNIST tutorial."""
    graph = Graph()
    x, channels = "x", 1
    for outputs in (8, 16):
        x = graph.apply("Relu", graph.convolution(x, channels, outputs, size=5))
        x, channels = graph.apply("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), outputs
    flat = graph.apply("Flatten", x)
    graph.write(path, _floats("batch", 1, 28, 28), graph.dense(flat, 16 * 7 * 7, 10), ["batch", 10])


def write_resnet18(path: Path) -> None:
    """ResNet-18 (He et al., 2015, table 1), batch norms folded: `x` FP32 [-1, 3, 224, 224], `y` FP32 [-1, 1000]."""
    graph = Graph()
    x = graph.apply("Relu", graph.convolution("x", 3, 64, size=7, stride=2))
    x = graph.apply("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for outputs in (64, 64, 128, 128, 256, 256, 512, 512):
        x = _residual_block(graph, x, channels, outputs)
        channels = outputs
    flat = graph.apply("Flatten", graph.apply("GlobalAveragePool", x))
    graph.write(path, _floats("batch", 3, 224, 224), graph.dense(flat, 512, 1000), ["batch", 1000])


def write_bert(path: Path) -> None:
    """A small BERT encoder: `x` INT64 [-1, 64] tokens, `y` FP32 [-1, 2]; 4 layers of 256 with 4 heads, as BERT-mini."""
    graph = Graph()
    width, length, heads = 256, 64, 4
    x = graph.apply("Gather", graph.weight(30522, width), "x")
    x = graph.apply("Add", x, graph.weight(length, width))
    for _ in range(4):
        x = _normalized(graph, graph.apply("Add", x, _attention(graph, x, width, length, heads)), width)
        inner = graph.apply("Relu", graph.dense(x, width, 4 * width))
        x = _normalized(graph, graph.apply("Add", x, graph.dense(inner, 4 * width, width)), width)
    first = graph.apply("Gather", x, graph.constant(np.array(0)), axis=1)
    tokens = helper.make_tensor_value_info("x", TensorProto.INT64, ["batch", length])
    graph.write(path, tokens, graph.dense(first, width, 2), ["batch", 2])


def _residual_block(graph: Graph, x: str, inputs: int, outputs: int) -> str:
    stride = 1 if inputs == outputs else 2
    inner = graph.apply("Relu", graph.convolution(x, inputs, outputs, stride=stride))
    inner = graph.convolution(inner, outputs, outputs)
    around = x if stride == 1 else graph.convolution(x, inputs, outputs, size=1, stride=2)
    return graph.apply("Relu", graph.apply("Add", inner, around))


def _attention(graph: Graph, x: str, width: int, length: int, heads: int) -> str:
    split = graph.constant(np.array([-1, length, heads, width // heads]))

    def heads_of(axes: list[int]) -> str:
        return graph.apply("Transpose", graph.apply("Reshape", graph.dense(x, width, width), split), perm=axes)

    query, key, value = heads_of([0, 2, 1, 3]), heads_of([0, 2, 3, 1]), heads_of([0, 2, 1, 3])
    scale = graph.constant(np.array(np.sqrt(width // heads), np.float32))
    weights = graph.apply("Softmax", graph.apply("Div", graph.apply("MatMul", query, key), scale), axis=-1)
    mixed = graph.apply("Transpose", graph.apply("MatMul", weights, value), perm=[0, 2, 1, 3])
    joined = graph.apply("Reshape", mixed, graph.constant(np.array([-1, length, width])))
    return graph.dense(joined, width, width)


def _normalized(graph: Graph, x: str, width: int) -> str:
    return graph.apply("LayerNormalization", x, graph.constant(np.ones(width, np.float32)), axis=-1)


def _floats(*shape: Any) -> Any:
    return helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))
