"""From encoded requests to arrays: random ones compared with numpy, and every rule of what may be sent."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from contracts.signature import Tensor
from serving.datatypes import DTYPES
from serving.errors import RequestMalformed
from serving.grpc.contents import AT_ONCE, FIELDS
from serving.grpc.messages import ModelInferRequest
from serving.grpc.requests import WireRequest
from serving.requests import InferRequest, RequestDecoder
from serving.responses import packed
from serving.tensors import Array

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


@st.composite
def tensors(draw: st.DrawFn) -> tuple[str, Array]:
    """A datatype, and an array of it."""
    datatype = draw(st.sampled_from(sorted(DTYPES)))
    shape = draw(SHAPES)
    if datatype == "BYTES":
        texts = draw(st.lists(TEXTS, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
        return datatype, np.array([*texts, None], np.object_)[:-1].reshape(shape)
    return datatype, draw(arrays.arrays(DTYPES[datatype], shape))


def decoder(*inputs: tuple[str, str, int]) -> RequestDecoder:
    """Of a model with these inputs (name, datatype, rank), all dimensions free, and one output `y`."""
    wanted = [Tensor(name, datatype, (-1,) * rank) for name, datatype, rank in inputs]
    return RequestDecoder(wanted, [Tensor("y", "FP32", (-1,))], is_batched=False)


def put(request: Any, name: str, datatype: str, array: Array, is_raw: bool) -> None:
    """Add an input."""
    added = request.inputs.add(name=name, datatype=datatype, shape=array.shape)
    if is_raw:
        request.raw_input_contents.append(packed(array))
    else:
        values = array.ravel().tolist()
        getattr(added.contents, FIELDS[datatype]).extend([it.encode() for it in values] if datatype == "BYTES" else values)


def decode(request: Any, by: RequestDecoder) -> InferRequest:
    return WireRequest(request.SerializeToString()).decode(by)


@given(st.lists(tensors(), min_size=1, max_size=3), st.booleans(), st.randoms())
def test_what_was_sent_is_what_is_decoded(given_: list[tuple[str, Array]], is_raw: bool, random: Any) -> None:
    is_raw = is_raw or any(datatype == "FP16" for datatype, _ in given_)
    named = [(f"x{index}", datatype, array) for index, (datatype, array) in enumerate(given_)]
    by = decoder(*[(name, datatype, array.ndim) for name, datatype, array in named])
    request = ModelInferRequest(model_name="m", id="7")
    for name, datatype, array in random.sample(named, len(named)):
        put(request, name, datatype, array, is_raw)
    found = decode(request, by)
    assert (list(found.inputs), found.id, found.outputs) == ([name for name, _, _ in named], "7", ("y",))
    for name, _, array in named:
        assert found.inputs[name].dtype == array.dtype
        np.testing.assert_array_equal(found.inputs[name], array)


def test_raw_contents_are_not_copied() -> None:
    request = ModelInferRequest(model_name="m")
    put(request, "x", "UINT8", np.arange(100, dtype=np.uint8), is_raw=True)
    wire = WireRequest(request.SerializeToString())
    array = wire.decode(decoder(("x", "UINT8", 1))).inputs["x"]
    assert np.shares_memory(array, np.frombuffer(wire.data, np.uint8))


def test_empty_contents_beside_raw_ones_are_passed_over() -> None:
    request = ModelInferRequest(model_name="m")
    put(request, "x", "INT32", np.array([1, 2], np.int32), is_raw=True)
    request.inputs[0].contents.SetInParent()  # as MLServer's client does
    assert request.inputs[0].HasField("contents")
    assert decode(request, decoder(("x", "INT32", 1))).inputs["x"].tolist() == [1, 2]


def test_parameters_and_outputs_are_read() -> None:
    request = ModelInferRequest(outputs=[{"name": "y"}])
    request.parameters["priority"].uint64_param = 2
    request.parameters["timeout"].int64_param = 5000
    request.parameters["sequence_id"].string_param = "passed over"
    request.outputs[0].parameters["classification"].int64_param = 3
    put(request, "x", "FP32", np.ones(2, np.float32), is_raw=True)
    found = decode(request, decoder(("x", "FP32", 1)))
    assert (found.priority, found.timeout_us, found.classes, found.id) == (2, 5000, (3,), None)


Change = Callable[[Any], Any]
WRONG: dict[str, tuple[Change, str]] = {
    "more raw contents than inputs": (lambda it: it.raw_input_contents.append(b"1234"), "2 were given"),
    "fewer raw contents than inputs": (
        lambda it: it.inputs.add(name="z", datatype="FP32", shape=[2]),
        "2 inputs take as many raw_input_contents, 1 were given",
    ),
    "raw and typed contents": (lambda it: it.inputs[0].contents.fp32_contents.append(1), "has contents, and the request raw"),
    "raw contents too short": (lambda it: it.inputs[0].shape.append(3), "takes shape"),
    "raw contents of another size": (lambda it: it.raw_input_contents.__setitem__(0, b"1234567"), "takes 8 bytes, not 7"),
    "no contents at all": (lambda it: it.ClearField("raw_input_contents"), "takes 2 values, 0 were given"),
    "an unknown input": (lambda it: setattr(it.inputs[0], "name", "q"), "the model has no input 'q'"),
    "an unknown datatype": (lambda it: setattr(it.inputs[0], "datatype", "FP31"), "that is no datatype"),
    "another datatype": (lambda it: setattr(it.inputs[0], "datatype", "INT32"), "is FP32, not 'INT32'"),
    "a negative dimension": (lambda it: it.inputs[0].shape.__setitem__(0, -2), "negative dimension: -2"),
    "a shape of 2**62": (lambda it: it.inputs[0].shape.__setitem__(0, 2**62), "not 8"),
    "an input twice": (
        lambda it: (it.inputs.add(name="x", datatype="FP32", shape=[2]), it.raw_input_contents.append(b"12345678")),
        "is given twice",
    ),
    "an unknown output": (lambda it: it.outputs.add(name="q"), "the model has no output 'q'"),
    "an output twice": (lambda it: [it.outputs.add(name="y") for _ in range(2)], "asked for twice"),
    "a timeout that is text": (lambda it: setattr(it.parameters["timeout"], "string_param", "1"), "parameters of the request"),
    "a negative priority": (lambda it: setattr(it.parameters["priority"], "int64_param", -1), "parameters of the request"),
    "an output for shared memory": (
        lambda it: setattr(it.outputs.add(name="y").parameters["shared_memory_region"], "string_param", "r"),
        "shared memory",
    ),
    "an input in shared memory": (
        lambda it: (
            it.ClearField("raw_input_contents"),
            setattr(it.inputs[0].parameters["shared_memory_region"], "string_param", "r"),
        ),
        "shared memory",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case: str) -> None:
    change, text = WRONG[case]
    request = ModelInferRequest(model_name="m")
    put(request, "x", "FP32", np.ones(2, np.float32), is_raw=True)
    change(request)
    with pytest.raises(RequestMalformed) as refused:
        decode(request, decoder(("x", "FP32", 1)))
    assert text in str(refused.value)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("datatype", "field", "values", "text"),
    [
        ("INT8", "int_contents", [1, 300], "value 1 of input 'x' is 300; INT8 goes from -128 to 127"),
        ("UINT16", "uint_contents", [2**16, 0], "value 0 of input 'x' is 65536; UINT16 goes from 0 to 65535"),
        ("INT64", "int_contents", [1, 2], "has int_contents; INT64 goes in int64_contents"),
        ("FP16", "fp32_contents", [1, 2], "goes in raw_input_contents only"),
        ("BYTES", "bytes_contents", [b"a", b"\xff"], "string 1 of input 'x' is not UTF-8"),
        ("BOOL", "bool_contents", [True], "takes 2 values, 1 were given"),
    ],
)
def test_what_is_wrong_with_typed_contents_is_said(datatype: str, field: str, values: list[Any], text: str) -> None:
    request = ModelInferRequest()
    getattr(request.inputs.add(name="x", datatype=datatype, shape=[2]).contents, field).extend(values)
    with pytest.raises(RequestMalformed) as refused:
        decode(request, decoder(("x", datatype, 1)))
    assert text in str(refused.value)


@pytest.mark.parametrize("datatype", ["FP32", "INT8", "BOOL"])
def test_very_many_typed_numbers_are_read_piece_by_piece(datatype: str) -> None:
    """(And so a thread that reads them lets others have Python's lock in between.)"""
    count = 2 * AT_ONCE + 3
    request = ModelInferRequest()
    values = np.random.default_rng(0).integers(0, 2, count)
    contents = request.inputs.add(name="x", datatype=datatype, shape=[count]).contents
    getattr(contents, FIELDS[datatype]).extend(values.tolist())
    assert decode(request, decoder(("x", datatype, 1))).inputs["x"].tolist() == values.tolist()


def test_what_is_wrong_far_behind_is_found() -> None:
    request = ModelInferRequest()
    request.inputs.add(name="x", datatype="INT8", shape=[AT_ONCE + 2]).contents.int_contents.extend([0] * (AT_ONCE + 1) + [200])
    with pytest.raises(RequestMalformed, match=f"value {AT_ONCE + 1} of input 'x' is 200"):
        decode(request, decoder(("x", "INT8", 1)))


def test_typed_numbers_keep_all_their_digits() -> None:
    request = ModelInferRequest()
    values = [2**64 - 1, 2**63 + 1]
    request.inputs.add(name="x", datatype="UINT64", shape=[2]).contents.uint64_contents.extend(values)
    assert decode(request, decoder(("x", "UINT64", 1))).inputs["x"].tolist() == values
