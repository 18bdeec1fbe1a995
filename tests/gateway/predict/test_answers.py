"""Predictions out: labels and scores by name."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from gateway.predict.answers import RowsMixed
from gateway.predict.calls import Form
from tests.gateway.predict.conftest import Load
from tests.gateway.predict.predicting import classifier, echo, predict
from tests.models import FLOAT, save_graph, tensor

LABELS = ("cat", "dog", "é")


def probabilities(row: list[float]) -> list[float]:
    powers = np.exp(np.array(row, np.float32))
    return (powers / powers.sum()).tolist()


async def test_labels_and_probabilities_by_name(load: Load) -> None:
    rows = [[0.0, 5.0, 0.0], [1.0, 0.0, 0.0]]
    predictions = await predict(load(classifier, LABELS), *[{"x": it} for it in rows])
    assert [it["label"] for it in predictions] == ["dog", "cat"]
    for row, prediction in zip(rows, predictions, strict=True):
        assert list(prediction) == ["label", "probabilities"]
        assert prediction["probabilities"] == pytest.approx(dict(zip(LABELS, probabilities(row), strict=True)))


async def test_the_label_is_found_where_the_model_gives_scores_alone(load: Load) -> None:
    (prediction,) = await predict(load(classifier, LABELS, has_label=False), {"x": [0, 0, 9]})
    assert prediction["label"] == "é"
    assert prediction["probabilities"]["é"] > 0.99


@pytest.mark.parametrize("labels", [(), ("one", "two"), ("one", "one", "two")])
async def test_without_fitting_labels_numbers_stay_numbers(load: Load, labels: tuple[str, ...]) -> None:
    (prediction,) = await predict(load(classifier, labels, has_label=False), {"x": [0, 0, 0]})
    assert prediction == {"probabilities": pytest.approx([1 / 3] * 3)}


async def test_numbers_are_written_in_their_own_digits(load: Load) -> None:
    loaded = load(
        echo, {"single": (FLOAT, ["N"]), "half": (TensorProto.FLOAT16, ["N", 1]), "double": (TensorProto.DOUBLE, ["N"])}
    )
    (prediction,) = await predict(loaded, {"single": 0.1, "half": 0.5, "double": 0.1})
    assert prediction == {"single_out": 0.1, "half_out": 0.5, "double_out": 0.1}


async def test_a_class_beyond_the_labels_is_its_number(load: Load, tmp_path: Path) -> None:
    def build(path: Path) -> Path:
        nodes = [helper.make_node("Identity", ["x"], ["predicted_class"])]
        inputs, outputs = [tensor("x", TensorProto.INT64, ["N"])], [tensor("predicted_class", TensorProto.INT64, ["N"])]
        return save_graph(path, nodes, inputs, outputs, metadata={"headrace.labels": json.dumps(LABELS)})

    predictions = await predict(load(build), {"x": 1}, {"x": 7}, {"x": -1})
    assert [it["predicted_class"] for it in predictions] == ["dog", "7", "-1"]


async def test_missing_and_infinite_numbers_are_null(load: Load) -> None:
    loaded = load(echo, {"x": (FLOAT, ["N", 1]), "more": (FLOAT, ["N", 2])})
    assert await predict(loaded, {"x": None, "more": [None, 1]}) == [{"x_out": None, "more_out": [None, 1]}]


async def test_texts_and_flags_in_lists(load: Load) -> None:
    loaded = load(echo, {"words": (TensorProto.STRING, ["N", 2]), "flags": (TensorProto.BOOL, ["N", 2, 1])})
    row = {"words": ["a", "é"], "flags": [[True], [False]]}
    assert await predict(loaded, row, row) == [{"words_out": ["a", "é"], "flags_out": [[True], [False]]}] * 2


def test_outputs_that_do_not_go_by_rows_are_refused(load: Load) -> None:
    form: Form = load(classifier)[1]
    outputs: list[Any] = [np.zeros(3, np.int64), np.zeros((2, 3), np.float32)]
    with pytest.raises(RowsMixed, match=r"'probabilities' has the shape \[2, 3\] for 3 rows"):
        form.encoder.encode(outputs, 3)
