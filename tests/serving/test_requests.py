"""Decoding requests: what comes in goes through unchanged, and what is wrong is named."""

import contextlib
import json
import math
import struct
from collections.abc import Sequence
from typing import Any
from unittest.mock import Mock

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.datatypes import DTYPES, INTEGER_RANGES
from serving.errors import RequestMalformed
from serving.outcomes import outcome_of
from serving.requests import LONG, InferRequest, RequestDecoder
from serving.responses import ResponseEncoder
from serving.tensors import Array
from serving.tickets import Ticket

Named = tuple[str, Array]


def decoder(*inputs: Tensor, is_batched: bool = False) -> RequestDecoder:
    """Of a model with these inputs, and the outputs y and z."""
    return RequestDecoder(inputs, (Tensor("y", "FP32", (-1,)), Tensor("z", "FP32", (-1,))), is_batched=is_batched)


def one(datatype: str = "FP32", shape: tuple[int, ...] = (-1, -1)) -> RequestDecoder:
    """Of a model with the one input x."""
    return decoder(Tensor("x", datatype, shape))


def tensor(
    data: object = None, shape: Sequence[int] = (1, 2), datatype: str = "FP32", name: str = "x", **more: object
) -> dict[str, Any]:
    """One entry of `inputs`."""
    given = {} if data is None else {"data": data}
    return {"name": name, "shape": list(shape), "datatype": datatype, **given, **more}


def body(*inputs: dict[str, Any], **more: object) -> bytes:
    """A request in JSON."""
    return json.dumps({"inputs": inputs, **more}).encode()


def binary_tensor(array: Array, datatype: str, name: str = "x") -> tuple[dict[str, Any], bytes]:
    """One entry of `inputs`, and the bytes it announces."""
    if datatype == "BYTES":
        blob = b"".join(struct.pack("<I", len(it.encode())) + it.encode() for it in array.ravel())
    else:
        blob = array.tobytes()
    return tensor(None, array.shape, datatype, name, parameters={"binary_data_size": len(blob)}), blob


def decode_binary(datatype: str, shape: Sequence[int], blob: bytes, size: int | None = None) -> Array:
    """Decode one binary tensor x of a model that takes any shape of this rank."""
    size = len(blob) if size is None else size
    header = body(tensor(None, shape, datatype, parameters={"binary_data_size": size}))
    return one(datatype, (-1,) * len(shape)).decode(header + blob, b"%d" % len(header)).inputs["x"]


def arrays(datatype: str) -> st.SearchStrategy[Array]:
    """Any small array of the datatype, without NaN and infinity."""
    shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    if datatype == "BYTES":
        texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
        return hnp.arrays(np.dtype(np.object_), shapes, elements=texts)
    dtype = DTYPES[datatype]
    if dtype.kind == "f":
        return hnp.arrays(dtype, shapes, elements=hnp.from_dtype(dtype, allow_nan=False, allow_infinity=False))
    return hnp.arrays(dtype, shapes)


any_datatype = st.sampled_from(sorted(DTYPES))
any_array = any_datatype.flatmap(lambda it: st.tuples(st.just(it), arrays(it)))


@given(any_array, st.booleans())
def test_json_data_arrives_unchanged_flat_and_nested(given_array: tuple[str, Array], is_nested: bool) -> None:
    datatype, array = given_array
    data = array.tolist() if is_nested and array.ndim else array.ravel().tolist()
    decoded = one(datatype, (-1,) * array.ndim).decode(body(tensor(data, array.shape, datatype))).inputs["x"]
    assert (decoded.dtype, decoded.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(decoded, array)


@given(any_array, st.integers(0, 9))
def test_binary_data_arrives_unchanged_wherever_it_begins(given_array: tuple[str, Array], padding: int) -> None:
    datatype, array = given_array
    declared, blob = binary_tensor(array, datatype)
    header = body(declared) + b" " * padding
    decoded = one(datatype, (-1,) * array.ndim).decode(header + blob, b"%d" % len(header)).inputs["x"]
    assert (decoded.dtype, decoded.shape, decoded.flags.aligned) == (array.dtype, array.shape, True)
    np.testing.assert_array_equal(decoded, array)


@given(st.lists(any_array, min_size=1, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4), st.randoms())
def test_several_inputs_binary_and_json_arrive_in_the_signatures_order(
    given_arrays: list[tuple[str, Array]], flags: list[bool], random: Any
) -> None:
    names = [f"x{it}" for it in range(len(given_arrays))]
    signature = [Tensor(name, datatype, (-1,) * array.ndim) for name, (datatype, array) in zip(names, given_arrays, strict=True)]
    order = list(zip(names, given_arrays, flags, strict=False))
    random.shuffle(order)
    declared: list[dict[str, Any]] = []
    blobs = b""
    for name, (datatype, array), is_binary in order:
        entry, blob = binary_tensor(array, datatype, name) if is_binary else (_in_json(name, datatype, array), b"")
        declared.append(entry)
        blobs += blob
    header = body(*declared)
    decoded = decoder(*signature).decode(header + blobs, b"%d" % len(header)).inputs
    assert list(decoded) == names
    for name, (_, array) in zip(names, given_arrays, strict=True):
        np.testing.assert_array_equal(decoded[name], array)


@given(any_array, st.booleans(), st.text(max_size=5))
def test_an_answer_decoded_again_is_what_was_encoded(given_array: tuple[str, Array], is_binary: bool, request_id: str) -> None:
    datatype, array = given_array
    shape = (-1,) * array.ndim
    request = InferRequest({}, 1, ("x",), (is_binary,), request_id.encode(errors="replace").decode())
    encoder = ResponseEncoder('a "model"', "1", [Tensor("x", datatype, shape)])
    pieces, _, headers = encoder.encode(request, [array])
    answer = pieces if isinstance(pieces, bytes) else b"".join(pieces)
    length = int(headers.split(b": ")[1]) if headers else len(answer)
    header = json.loads(answer[:length])
    assert (header["model_name"], header["model_version"], header["id"]) == ('a "model"', "1", request.id)
    again = orjson.dumps({"inputs": header["outputs"]}) + answer[length:]
    decoded = one(datatype, shape).decode(again, b"%d" % (len(again) - len(answer) + length)).inputs["x"]
    np.testing.assert_array_equal(decoded, array)


def test_numbers_beyond_2_to_the_53_are_exact() -> None:
    values = [2**63 - 1, -(2**63), 2**53 + 1]
    assert one("INT64", (-1,)).decode(body(tensor(values, [3], "INT64"))).inputs["x"].tolist() == values
    assert one("UINT64", (-1,)).decode(body(tensor([2**64 - 1], [1], "UINT64"))).inputs["x"].tolist() == [2**64 - 1]
    assert one("FP64", (-1,)).decode(body(tensor([2**70], [1], "FP64"))).inputs["x"].tolist() == [2.0**70]


def test_doubles_are_exact_to_the_last_bit() -> None:
    values = [0.1, 1 / 3, math.pi * 1e-300, 5e-324, 1.7976931348623157e308]
    assert one("FP64", (-1,)).decode(body(tensor(values, [5], "FP64"))).inputs["x"].tolist() == values


def test_null_is_nan_in_floating_point() -> None:
    decoded = one("FP32", (-1,)).decode(body(tensor([1.5, None, 2], [3])))
    np.testing.assert_array_equal(decoded.inputs["x"], np.array([1.5, np.nan, 2], np.float32))


def test_integers_are_fine_in_floating_point_and_large_nested_data_is_read() -> None:
    rows = [[it * 3, it * 3 + 1, it * 3 + 2] for it in range(1000)]
    decoded = one("FP16", (-1, 3)).decode(body(tensor(rows, [1000, 3], "FP16")))
    np.testing.assert_array_equal(decoded.inputs["x"], np.arange(3000, dtype=np.float16).reshape(1000, 3))


def test_a_scalar_may_stand_alone() -> None:
    assert one("FP32", ()).decode(body(tensor(5, []))).inputs["x"].tolist() == 5.0
    assert one("BYTES", ()).decode(body(tensor(["a"], [], "BYTES"))).inputs["x"].tolist() == "a"


def test_unknown_keys_are_passed_over_and_the_id_is_kept() -> None:
    request = one().decode(body(tensor([1, 2], more={"a": [1]}), id="", model_name="m", parameters={"priority": 1}))
    assert (request.id, request.rows, request.outputs, request.binary) == ("", 1, ("y", "z"), (False, False))


def test_outputs_come_in_the_order_and_form_asked_for() -> None:
    asked = [{"name": "z", "parameters": {"binary_data": False}}, {"name": "y"}]
    request = one().decode(body(tensor([1, 2]), outputs=asked, parameters={"binary_data_output": True}))
    assert (request.outputs, request.binary) == (("z", "y"), (False, True))
    everything = one().decode(body(tensor([1, 2]), outputs=[], parameters={"binary_data_output": True}))
    assert (everything.outputs, everything.binary) == (("y", "z"), (True, True))


def test_a_request_counts_as_a_row_at_least() -> None:
    """Or as many as like could be queued where a model takes empty tensors."""
    alone = decoder(Tensor("x", "FP32", (-1, 2)), is_batched=False)
    assert [alone.decode(body(tensor([1.0] * 2 * rows, [rows, 2]))).rows for rows in (0, 1, 3)] == [1, 1, 3]


def test_rows_of_a_batched_model_must_agree() -> None:
    both = decoder(Tensor("x", "FP32", (-1, 2)), Tensor("w", "FP32", (-1,)), is_batched=True)
    assert both.decode(body(tensor([1, 2, 3, 4], [2, 2]), tensor([1, 2], [2], name="w"))).rows == 2
    with pytest.raises(HeadraceError, match="'w' has 1 rows, the inputs before it have 2"):
        both.decode(body(tensor([1, 2, 3, 4], [2, 2]), tensor([1], [1], name="w")))
    with pytest.raises(HeadraceError, match="no rows"):
        both.decode(body(tensor([], [0, 2]), tensor([], [0], name="w")))


DEEP = 100_000
HEAD = '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":'
REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not JSON"),
    "not JSON": (b"hello", "not JSON"),
    "cut off": (body(tensor([1, 2]))[:-3], "not JSON"),
    "trailing garbage": (body(tensor([1, 2])) + b"x", "trailing"),
    "a list": (b"[]", r"Expected `object`, got `array`"),
    "null": (b"null", "Expected `object`"),
    "no inputs": (b"{}", "missing required field `inputs`"),
    "inputs null": (b'{"inputs":null}', "inputs"),
    "inputs an object": (b'{"inputs":{}}', "inputs"),
    "an input that is a number": (b'{"inputs":[1]}', r"inputs\[0\]"),
    "no name": (b'{"inputs":[{"shape":[1,2],"datatype":"FP32","data":[1,2]}]}', "`name`"),
    "no shape": (b'{"inputs":[{"name":"x","datatype":"FP32","data":[1,2]}]}', "`shape`"),
    "no datatype": (b'{"inputs":[{"name":"x","shape":[1,2],"data":[1,2]}]}', "`datatype`"),
    "no data": (body(tensor()), "neither data nor binary_data_size"),
    "empty inputs": (body(), "input 'x' is missing"),
    "another input": (body(tensor([1, 2], name="w")), "no input 'w'; it takes 'x'"),
    "an input twice": (body(tensor([1, 2]), tensor([1, 2])), "twice"),
    "an unknown datatype": (body(tensor([1, 2], datatype="FP31")), "'FP31'; that is no datatype"),
    "another datatype": (body(tensor([1, 2], datatype="INT64")), "'x' is FP32, not 'INT64'"),
    "another rank": (body(tensor([1, 2], [2])), "1 dimensions were given"),
    "a negative dimension": (body(tensor([1, 2], [-1, -2])), "negative dimension: -1"),
    "a fractional dimension": (body(tensor([1, 2], [1.5, 2])), "Expected `int`"),  # type: ignore[list-item]
    "a huge shape": (body(tensor([1, 2], [2**40, 4])), f"takes {2**42} values, 2 were given"),
    "an overflowing shape": (body(tensor([], [2**62, 2**62])), "values, 0 were given"),
    "dimensions of 4,000 digits": (body(tensor([], [10**4_000, 10**4_000])), r"<= 9223372036854775807 - at .*shape\[0\]"),
    "dimensions below 64 bits": (body(tensor([], [-(10**4_000), 2])), r">= -9223372036854775808"),
    "a zero beside the impossible": (body(tensor([], [0, 2**62])), "cannot have shape|takes 0"),
    "too few values": (body(tensor([1])), "takes 2 values, 1 were given"),
    "too many values": (body(tensor([1, 2, 3])), "takes 2 values, 3 were given"),
    "ragged": (body(tensor([[1, 2, 3], [4]], [2, 2])), "not nested as shape"),
    "nested otherwise": (body(tensor([[1], [2]])), "not nested as shape"),
    "nested too deep": (body(tensor([[[1, 2]]])), "not nested|takes numbers"),
    "nested in the innermost": (body(tensor([[1, [2]]])), "takes numbers"),
    "partly nested": (body(tensor([1, [2]])), "not nested as shape"),
    "a string for a number": (body(tensor(["1", 2])), "value 0 of input 'x' is \"1\"; FP32 takes numbers"),
    "a boolean for a number": (body(tensor([1, True])), "value 1 of input 'x' is true"),
    "an object for a number": (body(tensor([1, {"a": 1}])), "takes numbers"),
    "data that is a string": (body(tensor("12")), "takes numbers|takes 2 values"),
    "data that is null": (HEAD.encode() + b"null}]}", "takes 2 values"),
    "a number too large for the type": (body(tensor([1, 1e39])), "too large for FP32"),
    "a number too large for anything": (HEAD.encode() + b"[1,1e400]}]}", "out of range"),
    "a bare NaN": (HEAD.encode() + b"[1,NaN]}]}", "send null for NaN"),
    "a bare infinity": (HEAD.encode() + b"[-Infinity,1]}]}", "no NaN or Infinity"),
    "deep data": (HEAD.encode() + b"[" * DEEP + b"]" * DEEP + b"}]}", "too deep"),
    "deep elsewhere": (b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}", "too deep"),
    "deep objects": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, "too deep"),
    "not UTF-8 in a key passed over": (b'{"a":"\xff","inputs":[]}', "not UTF-8 at byte 6"),
    "not UTF-8 in a name": (b'{"inputs":[{"name":"\xff"}]}', "not UTF-8"),
    "an id that is a number": (body(tensor([1, 2]), id=5), "id"),
    "an unknown output": (body(tensor([1, 2]), outputs=[{"name": "q"}]), "no output 'q'; it gives 'y', 'z'"),
    "an output twice": (body(tensor([1, 2]), outputs=[{"name": "y"}, {"name": "y"}]), "asked for twice"),
    "too few classes": (body(tensor([1, 2]), outputs=[{"name": "y", "parameters": {"classification": -1}}]), "1 or more"),
    "too many classes": (body(tensor([1, 2]), outputs=[{"name": "y", "parameters": {"classification": 10**9}}]), "at most 65536"),
    "a flag that is a string": (body(tensor([1, 2]), parameters={"binary_data_output": "yes"}), "Expected `bool`"),
    "binary data without a header length": (body(tensor(parameters={"binary_data_size": 8})), "0 bytes are left"),
    "both kinds of data": (body(tensor([1, 2], parameters={"binary_data_size": 8})), "both data and binary_data_size"),
}


@pytest.mark.parametrize(("request_body", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_is_a_400_that_says_so(request_body: bytes, reason: str) -> None:
    with pytest.raises(HeadraceError, match=reason) as refused:
        one().decode(request_body)
    assert refused.value.status == 400


OUT_OF_RANGE = [(name, value) for name, (low, high) in INTEGER_RANGES.items() for value in (low - 1, high + 1)]


@pytest.mark.parametrize(("datatype", "value"), [*OUT_OF_RANGE, ("INT8", 10**400)])
def test_whole_numbers_out_of_range_are_refused_not_wrapped(datatype: str, value: int) -> None:
    with pytest.raises(HeadraceError, match="value 1 of input 'x'") as refused:
        one(datatype, (-1,)).decode(
            b'{"inputs":[{"name":"x","shape":[2],"datatype":"%s","data":[0,%d]}]}' % (datatype.encode(), value)
        )
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("INT32", 1.0),
        ("INT32", 1.5),
        ("INT64", True),
        ("BOOL", 1),
        ("BOOL", "true"),
        ("BYTES", 1),
        ("UINT8", None),
        ("BYTES", None),
    ],
)
def test_values_of_another_kind_are_refused(datatype: str, value: object) -> None:
    with pytest.raises(HeadraceError, match=f"value 0 of input 'x' is .*; {datatype} takes"):
        one(datatype, (-1,)).decode(body(tensor([value], [1], datatype)))


def test_binary_sizes_must_add_up() -> None:
    with pytest.raises(HeadraceError, match=r"takes 8 bytes, not 7"):
        decode_binary("FP32", [1, 2], b"1234567")
    with pytest.raises(HeadraceError, match=r"binary_data_size of input 'x' is 8, 7 bytes are left"):
        decode_binary("FP32", [1, 2], b"1234567", 8)
    with pytest.raises(HeadraceError, match=r"1 bytes follow the last binary tensor"):
        decode_binary("FP32", [1, 2], b"123456789", 8)
    with pytest.raises(HeadraceError, match=r"is -8, 8 bytes are left"):
        decode_binary("FP32", [1, 2], b"12345678", -8)
    with pytest.raises(HeadraceError, match=r"takes 17592186044416 bytes, not 8"):
        decode_binary("FP32", [2**40, 4], b"12345678")


@pytest.mark.parametrize(
    ("datatype", "size", "header_length", "is_quick"),
    [
        ("FP32", LONG, None, True),
        ("FP32", LONG + 1, None, False),
        ("FP32", LONG + 1, b"0", True),
        ("FP32", LONG + 1, b"%d" % LONG, True),
        ("FP32", LONG + 1, b"%d" % (LONG + 1), False),
        ("FP32", LONG + 1, b"9" * 5_000, False),
        ("FP32", LONG + 1, b"-1", False),
        ("BYTES", LONG, b"10", True),
        ("BYTES", LONG + 1, b"10", False),
    ],
)
def test_what_is_quickly_decoded_is_short_or_numbers_in_binary(
    datatype: str, size: int, header_length: bytes | None, is_quick: bool
) -> None:
    assert one(datatype).is_quick(size, header_length) == is_quick


def test_binary_booleans_are_0_or_1() -> None:
    with pytest.raises(HeadraceError, match="must be 0 or 1"):
        decode_binary("BOOL", [2], b"\x00\x02")


@pytest.mark.parametrize(
    ("blob", "reason"),
    [
        (b"\x05\x00\x00\x00abc", "string 0 of input 'x' runs past"),
        (b"\x01\x00\x00\x00a\x01\x00", "takes 1 strings|runs past"),
        (b"\x01\x00\x00\x00a\x01\x00\x00\x00b", "takes 1 strings, 2 were given"),
        (b"", "too few bytes for 1 strings"),
        (b"\x01\x00\x00\x00\xff", "string 0 of input 'x' is not UTF-8"),
        (b"\xff\xff\xff\xff", "runs past"),
    ],
)
def test_binary_strings_that_do_not_fit_are_refused(blob: bytes, reason: str) -> None:
    with pytest.raises(HeadraceError, match=reason) as refused:
        decode_binary("BYTES", [1], blob)
    assert refused.value.status == 400


def test_a_body_without_a_header_is_the_one_input() -> None:
    values = np.arange(6, dtype=np.float32)
    for shape, wanted in (((-1, -1), (1, 6)), ((-1, 3), (2, 3)), ((2, 3), (2, 3)), ((-1,), (6,))):
        request = one("FP32", shape).decode(values.tobytes(), b"0")
        np.testing.assert_array_equal(request.inputs["x"], values.reshape(wanted))
        assert request.binary == (True, True)
    assert one("BYTES", (-1, 1)).decode("é".encode(), b"0").inputs["x"].tolist() == [["é"]]
    for shape, blob in (((2, 3), b"1234"), ((-1, 3), b"1234567"), ((-1, 3), b"")):
        with pytest.raises(HeadraceError, match=r"takes .* bytes"):
            one("FP32", shape).decode(blob, b"0")
    with pytest.raises(HeadraceError, match="one input; the model takes 'x', 'w'"):
        decoder(Tensor("x", "FP32", (-1,)), Tensor("w", "FP32", (-1,))).decode(b"1234", b"0")


def test_a_classification_is_asked_for_per_output() -> None:
    asked = [{"name": "z", "parameters": {"classification": 3}}, {"name": "y"}]
    assert one().decode(body(tensor([1, 2]), outputs=asked)).classes == (3, 0)
    assert one().decode(body(tensor([1, 2]), outputs=asked[1:])).classes == ()


def test_a_classified_output_is_bytes_in_both_forms() -> None:
    encoder = ResponseEncoder("m", "1", [Tensor("x", "FP32", (-1, 3))], ("a", "b", "c"), is_batched=True)
    scores = np.array([[0.25, 0.5, 0]], np.float32)
    answer, _, _ = encoder.encode(InferRequest({}, 1, ("x",), (False,), classes=(2,)), [scores])
    assert isinstance(answer, bytes)
    wanted = {"name": "x", "datatype": "BYTES", "shape": [1, 2], "data": ["0.500000:1:b", "0.250000:0:a"]}
    assert json.loads(answer)["outputs"] == [wanted]
    pieces, _, _ = encoder.encode(InferRequest({}, 1, ("x",), (True,), classes=(1,)), [scores])
    assert pieces[1] == b"\x0c\x00\x00\x000.500000:1:b"


@pytest.mark.parametrize("length", [b"abc", b"-1", b"1.5", b"9" * 13, b"", b"999"])
def test_a_header_length_that_cannot_be_is_refused(length: bytes) -> None:
    with pytest.raises(HeadraceError, match="Inference-Header-Content-Length") as refused:
        one().decode(body(tensor([1, 2])), length)
    assert refused.value.status == 400


@given(st.binary(max_size=200), st.one_of(st.none(), st.integers(0, 250)))
def test_no_bytes_at_all_do_worse_than_a_400(garbage: bytes, length: int | None) -> None:
    with contextlib.suppress(RequestMalformed):
        one().decode(garbage, None if length is None else b"%d" % length)


def _in_json(name: str, datatype: str, array: Array) -> dict[str, Any]:
    return tensor(array.ravel().tolist(), array.shape, datatype, name)


@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=6),
    st.sampled_from([(), (1,), (3,), (2, 2), (0,)]),
    st.sampled_from(["FP32", "INT64", "BOOL", "BYTES"]),
    st.sampled_from([None, "an id"]),
    st.booleans(),
)
def test_the_answers_of_a_shared_run_are_written_as_if_each_had_run_alone(
    counts: list[int], tail: tuple[int, ...], datatype: str, request_id: str | None, is_binary: bool
) -> None:
    rows = sum(counts)
    numbers = np.arange(rows * int(np.prod(tail)), dtype=np.int64).reshape(rows, *tail)
    array = numbers.astype(str).astype(object) if datatype == "BYTES" else (numbers / 3).astype(DTYPES[datatype])
    encoder = ResponseEncoder("m", "1", [Tensor("x", datatype, (-1, *tail))])
    outcome, begin = outcome_of([], [array], rows), 0
    for count in counts:
        request = InferRequest({}, count, ("x",), (is_binary,), request_id)
        ticket = Ticket(request, Mock(is_gone=False), lambda _: None)
        ticket.finish(outcome, begin)
        assert encoder.encode_ticket(ticket) == encoder.encode(request, [array[begin : begin + count]])
        begin += count
