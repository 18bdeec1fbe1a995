"""Models for predictions, and how one is asked without a gateway."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onnx import TensorProto, helper

from contracts.errors import HeadraceError
from gateway.predict.calls import Form
from gateway.predict.problems import RowsInvalid
from serving.batcher import Ticket
from serving.models import Model
from serving.requests import InferRequest
from serving.tensors import Array
from tests.models import FLOAT, Shape, save_graph, tensor

Loaded = tuple[Model, Form]

KINDS = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}


def echo(path: Path, inputs: dict[str, tuple[int, Shape]], metadata: dict[str, str] | None = None) -> Path:
    """Each input comes back as `<name>_out`; `inputs` gives element type and shape by name."""
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in inputs]
    taken = [tensor(name, kind, shape) for name, (kind, shape) in inputs.items()]
    given = [tensor(f"{name}_out", kind, shape) for name, (kind, shape) in inputs.items()]
    return save_graph(path, nodes, taken, given, metadata=metadata)


def classifier(path: Path, labels: Sequence[str] = (), features: str = "", has_label: bool = True) -> Path:
    """As skl2onnx writes them: `label` INT64 [N], `probabilities` FP32 [N, 3], from `x` FP32 [N, 3], whose softmax they are."""
    nodes = [helper.make_node("Softmax", ["x"], ["probabilities"], axis=1)]
    outputs = [tensor("probabilities", FLOAT, ["N", 3])]
    if has_label:
        nodes.append(helper.make_node("ArgMax", ["x"], ["label"], axis=1, keepdims=0))
        outputs.insert(0, tensor("label", TensorProto.INT64, ["N"]))
    metadata = {"headrace.labels": json.dumps(labels)} if labels else {}
    if features:
        metadata["headrace.features"] = features
    return save_graph(path, nodes, [tensor("x", FLOAT, ["N", 3])], outputs, metadata=metadata)


class Waiting:
    """A caller who stays."""

    is_gone = False


async def run(loaded: Loaded, body: bytes) -> tuple[InferRequest, list[Array]]:
    """The decoded request of `body`, and the model's own outputs. Raises HeadraceError."""
    model, form = loaded
    inputs, count = form.decoder.decode(body)
    request = InferRequest(inputs, count, form.outputs, form.binary)
    settled: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
    model.submit(request, Waiting(), settled.set_result)
    ticket = await asyncio.wait_for(settled, 10)
    if ticket.error is not None:
        raise ticket.error
    return request, ticket.outputs


async def predict_body(loaded: Loaded, body: bytes) -> list[Any]:
    """The predictions for a body as it is sent. Raises HeadraceError."""
    request, outputs = await run(loaded, body)
    answer = json.loads(loaded[1].encoder.encode(outputs, request.rows))
    assert answer.keys() == {"predictions", "model_version"}
    assert answer["model_version"] == loaded[0].version
    return answer["predictions"]


async def predict(loaded: Loaded, *rows: Any) -> list[Any]:
    """As `predict_body`, of `rows`."""
    return await predict_body(loaded, body_of(*rows))


def body_of(*rows: Any) -> bytes:
    """The body that asks for predictions of `rows`."""
    return json.dumps({"rows": rows}).encode()


def refusal(loaded: Loaded, body: bytes) -> HeadraceError:
    """What `body` is refused with."""
    try:
        loaded[1].decoder.decode(body)
    except HeadraceError as error:
        return error
    raise AssertionError("nothing was found")


def problems_of(loaded: Loaded, *rows: Any) -> list[tuple[int | None, str | None, str]]:
    """Row, column and message of each thing wrong with `rows`."""
    error = refusal(loaded, body_of(*rows))
    assert isinstance(error, RowsInvalid), error
    return [(it.row, it.column, it.message) for it in error.problems]
