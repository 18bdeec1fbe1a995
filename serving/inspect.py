"""Looks into a model file of unknown origin: `python -m serving inspect FILE` prints an Inspection, or a Refusal with status 1.

Runs in a process of its own that first gives its rights away (see sandbox.py): a hostile file can at worst end this process,
which its starter reports as a refusal.
"""

import math
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

import msgspec
import onnx
import onnx.checker
from google.protobuf.message import DecodeError

from contracts.signature import Inspection
from serving.errors import ModelNotLoadable
from serving.sessions import open_session, signature_of

KNOWN_DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
SMALL_THINGS: Final = 32 << 20
"""What parsing needs beside the copy of the weights, generously."""
GRAPH_FIELD: Final = 7
"""Number of the field `graph` in ModelProto."""
LENGTH_DELIMITED: Final = 2
FIXED_SIZES: Final = {1: 8, 5: 4}


class ModelRefused(Exception):
    """The file cannot be served; `str(error)` is one sentence for the uploader."""


def inspect_file(path: Path) -> Inspection:
    """What is in the file at `path`. Raises ModelRefused, and MemoryError where that can be told."""
    size = _size(path)
    found = _read_graph(path, size)
    _check(path)
    try:
        signature = signature_of(open_session(path, intra_op_threads=1))
    except ModelNotLoadable as error:
        raise ModelRefused(f"this runtime cannot load the model: {error}") from error
    return msgspec.structs.replace(found, inputs=signature.inputs, outputs=signature.outputs)


def _size(path: Path) -> int:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ModelRefused(f"the file cannot be read: {error.strerror}") from error
    if size == 0:
        raise ModelRefused("the file is empty")
    return size


def _read_graph(path: Path, size: int) -> Inspection:
    """All but inputs and outputs. The parsed file is given up with this frame: it takes as much memory as the file once more."""
    model = _parse(path)
    nodes = list(_nodes(model.graph))
    _refuse_custom_operators(model, nodes)
    _refuse_external_data(model, nodes)
    return Inspection(
        inputs=(),
        outputs=(),
        opset=next((it.version for it in model.opset_import if it.domain in ("", "ai.onnx")), 0),
        ir_version=model.ir_version,
        producer=" ".join(filter(None, (model.producer_name, model.producer_version))),
        parameters=sum(math.prod(it.dims) for it in model.graph.initializer),
        size_bytes=size,
        nodes=len(nodes),
        metadata={it.key: it.value for it in model.metadata_props},
    )


def _parse(path: Path) -> onnx.ModelProto:
    model = onnx.ModelProto()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        _reserve(len(data))
        try:
            with memoryview(data) as view:
                model.ParseFromString(cast(bytes, view))  # it takes any buffer
        except DecodeError as error:
            raise ModelRefused(f"the file is not ONNX, or is cut off: {_where_it_breaks(data)}") from error
    if model.ir_version < 1 or not model.graph.output:
        raise ModelRefused("the file is not ONNX: it holds no graph with outputs")
    return model


def _reserve(size: int) -> None:
    """Raises MemoryError if there is no room for a copy of `size` bytes: protobuf does not notice that, and crashes."""
    try:
        mmap.mmap(-1, size + size // 4 + SMALL_THINGS).close()
    except OSError as error:
        raise MemoryError from error


def _where_it_breaks(data: mmap.mmap) -> str:
    """At which byte the structure ceases to make sense, in the file or in the graph inside it."""
    begin, end = 0, len(data)
    while True:
        position, message, graph = _walk(data, begin, end)
        if message:
            return f"byte {position}: {message}"
        if graph is None:
            raise MemoryError  # every field is where it should be, and yet it cannot be read
        begin, end = graph


def _walk(data: mmap.mmap, begin: int, end: int) -> tuple[int, str, tuple[int, int] | None]:
    """Step over the fields between `begin` and `end`: where it stopped, why if too early, and where the graph lies."""
    position, graph = begin, None
    while position < end:
        start = position
        tag, position = _varint(data, position, end)
        kind = tag & 7
        if tag >> 3 == 0 or kind not in (0, LENGTH_DELIMITED, *FIXED_SIZES):
            return start, "no field begins here", None
        length, position = _varint(data, position, end) if kind in (0, LENGTH_DELIMITED) else (FIXED_SIZES[kind], position)
        length = 0 if kind == 0 else length
        if position + length > end:
            return start, f"a field of {length} bytes begins here, {max(0, end - position)} bytes are left", None
        if tag >> 3 == GRAPH_FIELD and kind == LENGTH_DELIMITED and begin == 0:
            graph = (position, position + length)
        position += length
    return position, "", graph


def _varint(data: mmap.mmap, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end and shift < 64:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        shift += 7
        if byte < 0x80:
            return value, position
    return value, end + 1


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Every node, those of subgraphs included."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for subgraph in (attribute.g, *attribute.graphs):
                yield from _nodes(subgraph)


def _refuse_custom_operators(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> None:
    own = {(it.domain, it.name) for it in model.functions}
    inside = [node for function in model.functions for node in function.node]
    for node in (*nodes, *inside):
        if node.domain not in KNOWN_DOMAINS and (node.domain, node.op_type) not in own:
            what = f"node {_name(node)} is the operator {node.op_type} of {node.domain!r}"
            raise ModelRefused(f"{what}; operators of custom libraries are not run here")


def _refuse_external_data(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> None:
    inside = [node for function in model.functions for node in function.node]
    attributes = [it for node in (*nodes, *inside) for it in node.attribute]
    tensors = [*model.graph.initializer, *(it.t for it in attributes), *(t for it in attributes for t in it.tensors)]
    sparse = [
        *model.graph.sparse_initializer,
        *(it.sparse_tensor for it in attributes),
        *(t for it in attributes for t in it.sparse_tensors),
    ]
    graphs = [subgraph for it in attributes for subgraph in (it.g, *it.graphs)]
    nested = [tensor for graph in graphs for tensor in graph.initializer]
    for tensor in (*tensors, *nested, *(t for it in sparse for t in (it.values, it.indices))):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            location = next((it.value for it in tensor.external_data if it.key == "location"), "")
            raise ModelRefused(
                f"tensor {tensor.name!r} is kept in another file ({location!r}); save the model with its weights inside"
            )


def _check(path: Path) -> None:
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelRefused(f"the model is not valid ONNX: {_first_lines(error)}") from error


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])[:500]


def _name(node: onnx.NodeProto) -> str:
    return repr(node.name or (node.output[0] if node.output else "?"))
