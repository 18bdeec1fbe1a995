"""The committed sample models: they load, answer, predict sensibly, and are what the script makes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime
from sklearn.metrics import roc_auc_score

from docs.samples.make_samples import SAMPLES, Sample, Table, take_rows

DIRECTORY = Path(__file__).parents[2] / "docs" / "samples"
BY_NAME = {sample.name: sample for sample in SAMPLES}
DTYPES = {"FP32": np.float32, "BYTES": object}
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=list(BY_NAME))


def run(path: Path, table: Table) -> dict[str, Any]:
    """Outputs by name."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [it.name for it in session.get_outputs()]
    return dict(zip(names, session.run(names, table), strict=True))


def metadata_of(sample: Sample) -> dict[str, str]:
    return {it.key: it.value for it in onnx.load(DIRECTORY / f"{sample.name}.onnx").metadata_props}


def to_table(inputs: list[dict[str, Any]]) -> Table:
    return {it["name"]: np.array(it["data"], DTYPES[it["datatype"]]).reshape(it["shape"]) for it in inputs}


def committed(name: str) -> Path:
    return DIRECTORY / f"{name}.onnx"


@pytest.fixture(scope="module")
def remade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run of the script writes now."""
    directory = tmp_path_factory.mktemp("samples")
    script = DIRECTORY / "make_samples.py"
    subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", str(script), str(directory)], check=True, timeout=100
    )
    return directory


@each_sample
def test_the_example_in_the_file_is_answered(sample: Sample) -> None:
    example = json.loads(metadata_of(sample)["headrace.example"])
    for output in run(committed(sample.name), to_table(example)).values():
        assert len(output) == 1
        assert np.all(np.isfinite(output))


@each_sample
def test_the_file_is_small_and_says_what_it_is(sample: Sample) -> None:
    model = onnx.load(committed(sample.name))
    metadata = metadata_of(sample)
    assert committed(sample.name).stat().st_size < 1_000_000
    assert model.producer_name == "headrace-samples"
    assert metadata["headrace.description"] == sample.description
    assert json.loads(metadata.get("headrace.labels", "[]")) == sample.labels


@each_sample
def test_the_first_dimension_is_free_and_named(sample: Sample) -> None:
    graph = onnx.load(committed(sample.name)).graph
    for value in (*graph.input, *graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param == "N"


@each_sample
def test_rows_do_not_influence_each_other(sample: Sample) -> None:
    table = take_rows(sample.load().test, slice(7))
    together = run(committed(sample.name), table)
    for row in range(7):
        alone = run(committed(sample.name), take_rows(table, slice(row, row + 1)))
        for name, output in alone.items():
            np.testing.assert_allclose(output[0], together[name][row], rtol=1e-5, atol=1e-6)


def test_the_inputs_are_the_columns_by_name() -> None:
    inputs = onnx.load(committed("credit-risk")).graph.input
    assert len(inputs) == 20
    kinds = {it.name: it.type.tensor_type.elem_type for it in inputs}
    assert kinds["annual_income"] == onnx.TensorProto.FLOAT
    assert kinds["housing"] == onnx.TensorProto.STRING


def test_credit_risk_tells_defaults_from_repaid_loans() -> None:
    """A coin has an AUC of 0.5; the law that drew the labels, which is noisy itself, has about 0.9."""
    data = BY_NAME["credit-risk"].load()
    outputs = run(committed("credit-risk"), data.test)
    assert outputs["label"].dtype == np.int64
    assert outputs["probabilities"].shape == (len(data.test_labels), 2)
    np.testing.assert_allclose(outputs["probabilities"].sum(axis=1), 1, atol=1e-5)
    assert roc_auc_score(data.test_labels, outputs["probabilities"][:, 1]) > 0.85
    assert outputs["probabilities"][:, 1].mean() == pytest.approx(data.test_labels.mean(), abs=0.02)


def test_an_unknown_category_is_answered() -> None:
    table = take_rows(BY_NAME["credit-risk"].load().test, slice(1)) | {"housing": np.array([["boat"]], object)}
    assert np.all(np.isfinite(run(committed("credit-risk"), table)["probabilities"]))


def test_digits_are_read() -> None:
    data = BY_NAME["digits"].load()
    outputs = run(committed("digits"), data.test)
    assert outputs["probabilities"].shape == (len(data.test_labels), 10)
    assert np.mean(outputs["probabilities"].argmax(axis=1) == data.test_labels) > 0.95


def test_faulty_windows_score_above_1_and_normal_ones_below() -> None:
    data = BY_NAME["sensor-anomaly"].load()
    score = run(committed("sensor-anomaly"), data.test)["score"]
    assert np.mean(score[data.test_labels == 0] > 1) < 0.03
    assert np.mean(score[data.test_labels == 1] > 1) > 0.9


@each_sample
def test_the_script_makes_a_model_that_predicts_the_same(sample: Sample, remade: Path) -> None:
    table = take_rows(sample.load().test, slice(500))
    before, after = run(committed(sample.name), table), run(remade / f"{sample.name}.onnx", table)
    assert before.keys() == after.keys()
    for name, output in before.items():
        np.testing.assert_allclose(after[name], output, rtol=1e-3, atol=1e-3)


def test_the_traffic_is_what_the_script_makes_and_is_answered(remade: Path) -> None:
    traffic = json.loads((DIRECTORY / "traffic.json").read_text())
    assert traffic == json.loads((remade / "traffic.json").read_text())
    assert traffic.keys() == BY_NAME.keys()
    for name, requests in traffic.items():
        assert len(requests) == 50
        session = onnxruntime.InferenceSession(committed(name), providers=["CPUExecutionProvider"])
        for request in requests:
            table = to_table(request["inputs"])
            first: Any = session.run(None, table)[0]
            assert len(first) == len(next(iter(table.values())))


def test_the_curl_examples_send_what_the_models_take() -> None:
    """Each command is run by a shell whose `curl` prints the body instead of sending it."""
    readme = (DIRECTORY / "README.md").read_text()
    commands = [block for block in readme.split("```sh\n")[1:] if block.startswith("curl")]
    assert len(commands) == len(SAMPLES)
    fake = 'curl() { while [ "$1" != -d ]; do url="$url $1"; shift; done; echo "$url" >&2; echo "$2"; }\n'
    answers: dict[str, Any] = {}
    for command in commands:
        shell = subprocess.run(
            ["sh", "-c", fake + command.split("```")[0]], check=True, capture_output=True, text=True, timeout=10
        )
        name = shell.stderr.split("/v2/models/")[1].split("/infer")[0]
        answers[name] = run(committed(name), to_table(json.loads(shell.stdout)["inputs"]))
    assert answers["digits"]["label"] == [1]
    assert answers["sensor-anomaly"]["score"][0] > 1
    assert answers["credit-risk"]["label"].shape == (1,)
