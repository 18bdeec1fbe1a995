"""Walking over a request's fields: the same as parsing it, and never more than RequestMalformed for what is no request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import RequestMalformed
from serving.grpc.messages import ModelInferRequest, ModelInferResponse
from serving.grpc.wire import MAX_FIELDS, RAW_OUTPUT_CONTENTS, head, split_raw

BLOBS = st.lists(st.binary(max_size=300) | st.binary(min_size=20_000, max_size=20_001), max_size=8)
TEXT = st.text(max_size=200)


@given(
    name=TEXT, version=TEXT, blobs=BLOBS, shape=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5), priority=st.integers(0, 9)
)
def test_raw_contents_are_found_where_they_lie(
    name: str, version: str, blobs: list[bytes], shape: list[int], priority: int
) -> None:
    request = ModelInferRequest(model_name=name, model_version=version, raw_input_contents=blobs)
    request.inputs.add(name="x", datatype="FP32", shape=shape).contents.fp32_contents.append(1.5)
    request.parameters["priority"].int64_param = priority
    data = request.SerializeToString()
    rest, found = split_raw(data)
    assert [data[offset : offset + size] for offset, size in found] == blobs
    request.ClearField("raw_input_contents")
    assert ModelInferRequest.FromString(rest) == request


@given(st.lists(st.sampled_from(["raw", "name", "input", "id"]), max_size=12))
def test_fields_may_come_in_any_order(kinds: list[str]) -> None:
    """As protobuf allows."""
    pieces = {
        "raw": ModelInferRequest(raw_input_contents=[b"four"]),
        "name": ModelInferRequest(model_name="m"),
        "input": ModelInferRequest(inputs=[{"name": "x"}]),
        "id": ModelInferRequest(id="7"),
    }
    data = b"".join(pieces[it].SerializeToString() for it in kinds)
    rest, found = split_raw(data)
    whole = ModelInferRequest.FromString(data)
    assert [data[offset : offset + size] for offset, size in found] == list(whole.raw_input_contents)
    assert len(ModelInferRequest.FromString(rest).inputs) == len(whole.inputs)


@given(st.binary(max_size=60))
def test_what_is_no_message_is_malformed_and_nothing_else(data: bytes) -> None:
    try:
        rest, found = split_raw(data)
    except RequestMalformed:
        return
    assert len(rest) <= len(data)
    assert all(offset >= 0 and offset + size <= len(data) for offset, size in found)


@given(st.integers(0, 120), st.binary(max_size=4))
def test_a_request_that_was_cut_is_malformed_or_another_request(cut: int, tail: bytes) -> None:
    request = ModelInferRequest(model_name="model" * 5, id="3", raw_input_contents=[b"12345678" * 8])
    data = request.SerializeToString()[:cut] + tail
    try:
        _, found = split_raw(data)
    except RequestMalformed:
        return
    assert all(offset + size <= len(data) for offset, size in found)


@pytest.mark.parametrize(
    "data",
    [
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x3a\x80",
        b"\x3b",
        b"\x0c",
        b"\x3f",
        b"\x3a\xff\xff\xff\xff\x0f",
        b"\x80",
    ],
    ids=["a length of 70 bits", "half a length", "a group", "the end of a group", "no wire type", "four gigabytes", "half a tag"],
)
def test_what_is_wrong_on_the_wire_is_said(data: bytes) -> None:
    with pytest.raises(RequestMalformed, match="is no protobuf message"):
        split_raw(data)


def test_a_request_of_very_many_fields_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(RequestMalformed, match="fields"):
        split_raw(b"\x2a\x00" * (MAX_FIELDS + 1))


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 3_000_000])
def test_a_field_written_by_hand_is_read_by_protobuf(size: int) -> None:
    blob = bytes(size)
    assert ModelInferResponse.FromString(head(RAW_OUTPUT_CONTENTS, size) + blob).raw_output_contents == [blob]
