"""Generate requests become inference requests, and answers become plain objects."""

import json
import math

import numpy as np
import pytest

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.generate import NotGenerative, as_event, as_infer_body, check_generative, render
from serving.requests import InferRequest, RequestDecoder

INPUTS = (Tensor("text_input", "BYTES", (-1, 1)), Tensor("temperature", "FP32", (-1, 1)), Tensor("stop", "BYTES", (-1, -1)))
OUTPUTS = (Tensor("text_output", "BYTES", (-1, 1)),)


def decoded(body: bytes) -> InferRequest:
    """What a model with `INPUTS` makes of the generate request `body`."""
    return RequestDecoder(INPUTS, OUTPUTS, is_batched=True).decode(as_infer_body(body, INPUTS))


def test_keys_become_inputs_id_and_parameters() -> None:
    body = b'{"stop":["a", "b"], "text_input": "hello", "temperature":0.5,"id":"7","seed":3,"parameters":{"top_k":[1]}}'
    request = decoded(body)
    assert {name: it.tolist() for name, it in request.inputs.items()} == {
        "text_input": [["hello"]],
        "temperature": [[0.5]],
        "stop": [["a", "b"]],
    }
    assert (request.id, request.rows) == ("7", 1)
    assert json.loads(as_infer_body(body, INPUTS))["parameters"] == {"seed": 3, "top_k": [1]}


def test_several_texts_are_several_rows() -> None:
    inputs = (Tensor("text_input", "BYTES", (-1,)),)
    body = as_infer_body(b'{"text_input":["a","b","c"]}', inputs)
    assert RequestDecoder(inputs, OUTPUTS, is_batched=True).decode(body).rows == 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "JSON object"),
        (b'"text_input"', "JSON object"),
        (b'{"text_input":"a"}', "input 'temperature' is missing"),
        (b'{"text_input":5,"temperature":1,"stop":"."}', "BYTES takes strings"),
        (b'{"text_input":{"a":1},"temperature":1,"stop":"."}', "BYTES takes strings"),
        (b'{"text_input":["a","b"],"temperature":1,"stop":"."}', "rows|values"),
        (b'{"text_input":[],"temperature":1,"stop":"."}', "1 values, 0 were given|takes 1 values"),
        (b'{"text_input":"\xff","temperature":1,"stop":"."}', "UTF-8|not JSON"),
        (b'{"\xff":"a"}', "UTF-8|not JSON"),
        (b'{"text_input":"a","parameters":[]}', "'parameters' cannot be read"),
        (b'{"text_input":"a","id":5,"temperature":1,"stop":"."}', "id"),
        (b'{"a":' * 100_000, "too deep|not JSON"),
        (b'{"text_input":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deep"),
    ],
)
def test_what_is_wrong_is_a_400_that_says_so(body: bytes, reason: str) -> None:
    with pytest.raises(HeadraceError, match=reason) as refused:
        decoded(body)
    assert refused.value.status == 400


def test_an_answer_names_its_outputs() -> None:
    request = InferRequest({}, 1, ("text_output", "scores"), (False, False), "é")
    answer = render("m", "1", request, [np.array([["hi"]], np.object_), np.array([1.5, math.nan], np.float32)])
    assert json.loads(answer) == {
        "model_name": "m", "model_version": "1", "id": "é", "text_output": "hi", "scores": [1.5, None],
    }  # fmt: skip
    assert as_event(b"{}") == b"data: {}\n\n"


def test_only_models_from_text_to_text_generate() -> None:
    check_generative("m", INPUTS, OUTPUTS)
    for inputs, outputs in ((INPUTS[1:], OUTPUTS), (INPUTS, INPUTS), ((Tensor("text_input", "FP32", (1,)),), OUTPUTS)):
        with pytest.raises(NotGenerative, match="'m'"):
            check_generative("m", inputs, outputs)
