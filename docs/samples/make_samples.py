"""Makes the sample models and the traffic for them: `python docs/samples/make_samples.py [DIRECTORY]`.

Three small ONNX files, each with a free first dimension named N, and with the metadata keys that Headrace shows: an example
request (`headrace.example`), the names of the classes (`headrace.labels`), and a description (`headrace.description`).
`traffic.json` holds requests as an application would send them. All data is made up here from a fixed seed (the digits come with
scikit-learn), so a second run gives models that predict the same. Needs the development dependencies.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

SEED: Final = 20_260_711
OPSET: Final = 17
IR_VERSION: Final = 8
TRAFFIC_REQUESTS: Final = 50

Table = dict[str, np.ndarray]
"""Inputs of a model by name; the first axis of each is the row."""


class Dataset(NamedTuple):
    """What a model learns from and what it is judged by. Labels are integers; 1 means default, or anomaly."""

    train: Table
    train_labels: np.ndarray
    test: Table
    test_labels: np.ndarray


class Sample(NamedTuple):
    """One sample: its file is `<name>.onnx`."""

    name: str
    description: str
    labels: list[str]
    load: Callable[[], Dataset]
    fit: Callable[[Dataset], onnx.ModelProto]


# Credit risk: gradient-boosted trees on a table of applications for a loan.

NUMERIC: Final = {
    "age": (18, 80),
    "annual_income": (8_000, 250_000),
    "employment_years": (0, 40),
    "loan_amount": (500, 60_000),
    "loan_term_months": (6, 84),
    "interest_rate": (2.0, 28.0),
    "debt_to_income": (0.0, 1.2),
    "credit_history_years": (0, 45),
    "open_accounts": (0, 25),
    "delinquencies_2y": (0, 8),
    "credit_utilization": (0.0, 1.3),
    "savings_balance": (0, 120_000),
    "dependents": (0, 6),
}
"""Columns and the range their values are clipped to; money in euro, rates in percent, shares as fractions."""

CATEGORIES: Final = {
    "housing": ["own", "mortgage", "rent"],
    "purpose": ["car", "home", "education", "business", "medical", "other"],
    "employment": ["salaried", "self-employed", "retired", "student", "unemployed"],
    "marital_status": ["single", "married", "divorced"],
    "region": ["north", "east", "south", "west"],
    "channel": ["branch", "online", "partner"],
    "collateral": ["none", "vehicle", "property"],
}


def make_credit_applications(rows: int, rng: np.random.Generator) -> Table:
    """Applications with the dependencies one would expect: income grows with age, the rate with utilization, and so on."""
    age = rng.gamma(9.0, 4.6, rows)
    income = np.exp(rng.normal(10.3, 0.5, rows) + 0.012 * (np.minimum(age, 55) - 40))
    delinquencies = rng.poisson(0.35, rows) * (rng.random(rows) < 0.6)
    utilization = rng.beta(1.6, 2.6, rows) + 0.06 * delinquencies
    loan = rng.gamma(2.2, 4_800.0, rows)
    columns = {
        "age": np.round(age),
        "annual_income": np.round(income, -2),
        "employment_years": np.round(rng.beta(1.3, 2.5, rows) * np.maximum(age - 18, 0), 1),
        "loan_amount": np.round(loan, -2),
        "loan_term_months": rng.choice([12, 24, 36, 48, 60, 72], rows),
        "interest_rate": np.round(3.5 + 9 * utilization + 1.8 * delinquencies + rng.gamma(2.0, 0.9, rows), 2),
        "debt_to_income": np.round(rng.beta(2.0, 4.5, rows) + 0.3 * loan / income, 3),
        "credit_history_years": np.round(rng.beta(2.0, 2.0, rows) * np.maximum(age - 18, 0), 1),
        "open_accounts": rng.poisson(5.5, rows),
        "delinquencies_2y": delinquencies,
        "credit_utilization": np.round(utilization, 3),
        "savings_balance": np.round(rng.lognormal(8.0, 1.4, rows), -1),
        "dependents": rng.poisson(0.9, rows),
    }
    numeric = {name: np.clip(columns[name], *limits).astype(np.float32)[:, None] for name, limits in NUMERIC.items()}
    return numeric | {name: rng.choice(values, rows).astype(object)[:, None] for name, values in CATEGORIES.items()}


def draw_defaults(table: Table, rng: np.random.Generator) -> np.ndarray:
    """Who defaults: a logistic law with two interactions that trees can find and a linear model cannot."""
    it = {name: column[:, 0] for name, column in table.items()}
    strained = (it["debt_to_income"] > 0.5) & (it["savings_balance"] < 2_000)
    young_business = (it["purpose"] == "business") & (it["credit_history_years"] < 4)
    log_odds = (
        -3.9
        + 3.4 * it["credit_utilization"]
        + 1.0 * it["delinquencies_2y"]
        + 2.6 * it["debt_to_income"]
        + 0.05 * it["loan_amount"] / 1_000
        - 0.018 * it["annual_income"] / 1_000
        - 0.06 * it["employment_years"]
        + 1.9 * strained
        + 1.7 * young_business
        + 1.5 * (it["employment"] == "unemployed")
        + 0.6 * (it["housing"] == "rent")
        - 1.3 * (it["collateral"] == "property")
    )
    return (rng.random(len(log_odds)) < 1 / (1 + np.exp(-1.6 * log_odds.astype(np.float64)))).astype(np.int64)


def load_credit() -> Dataset:
    """6000 applications to learn from, 3000 to be judged by."""
    rng = np.random.default_rng(SEED)
    table = make_credit_applications(9000, rng)
    labels = draw_defaults(table, rng)
    train, test = ({name: column[part] for name, column in table.items()} for part in (slice(6000), slice(6000, None)))
    return Dataset(train, labels[:6000], test, labels[6000:])


def fit_credit(data: Dataset) -> onnx.ModelProto:
    """Trees over the numbers as they are and the categories one-hot, in one graph that takes each column by its name."""
    names = list(data.train)
    is_numeric = [index for index, name in enumerate(names) if name in NUMERIC]
    is_category = [index for index, name in enumerate(names) if name in CATEGORIES]
    encode = OneHotEncoder(categories=list(CATEGORIES.values()), handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    model = Pipeline(
        [
            ("columns", ColumnTransformer([("numbers", "passthrough", is_numeric), ("categories", encode, is_category)])),
            ("trees", GradientBoostingClassifier(n_estimators=150, max_depth=3, subsample=0.8, random_state=SEED)),
        ]
    )
    model.fit(np.concatenate([column.astype(object) for column in data.train.values()], axis=1), data.train_labels)
    kinds = [(name, FloatTensorType([None, 1]) if name in NUMERIC else StringTensorType([None, 1])) for name in names]
    return convert_sklearn(model, initial_types=kinds, target_opset=OPSET, options={id(model): {"zipmap": False}})


# Digits: a small neural network on 8x8 images.


def load_digit_images() -> Dataset:
    """scikit-learn's digits, pixels from 0 (white) to 16 (black), a quarter held out."""
    digits = load_digits()
    images, labels = digits.data.astype(np.float32), digits.target.astype(np.int64)
    train, test, train_labels, test_labels = train_test_split(images, labels, test_size=0.25, random_state=SEED, stratify=labels)
    return Dataset({"image": train}, train_labels, {"image": test}, test_labels)


def fit_digits(data: Dataset) -> onnx.ModelProto:
    """One hidden layer of 64; the scale of the pixels is left to the network, so that the graph takes them as they are."""
    model = MLPClassifier(hidden_layer_sizes=(64,), alpha=1e-2, max_iter=200, random_state=SEED, tol=1e-3)
    model.fit(data.train["image"], data.train_labels)
    kinds = [("image", FloatTensorType([None, 64]))]
    return convert_sklearn(model, initial_types=kinds, target_opset=OPSET, options={id(model): {"zipmap": False}})


# Sensor anomaly: how badly a window of readings is explained by the normal patterns.

WINDOW: Final = 48
"""Readings of one window: a day, one every half hour."""


def make_windows(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Bearing temperatures in degrees Celsius over a day: a load cycle with two harmonics, weather, and noise."""
    hours = np.arange(WINDOW) / 2
    phase = rng.normal(0, 0.5, (rows, 1))
    cycle = rng.normal(8, 1.5, (rows, 1)) * np.sin((hours - 9 + phase) * np.pi / 12)
    harmonic = rng.normal(2, 0.6, (rows, 1)) * np.sin((hours - 7 + phase) * np.pi / 6)
    weather = rng.normal(0, 2, (rows, 1)) + rng.normal(0, 1, (rows, 1)) * (hours - 12) / 12
    return (58 + cycle + harmonic + weather + rng.normal(0, 0.5, (rows, WINDOW))).astype(np.float32)


def disturb(windows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Windows with one fault each: a spike, a sensor that sticks, or a step."""
    damaged, positions = windows.copy(), np.arange(WINDOW)
    for row, fault, start in zip(
        damaged, rng.integers(0, 3, len(windows)), rng.integers(6, WINDOW - 18, len(windows)), strict=True
    ):
        inside = (positions >= start) & (positions < start + (3 if fault == 0 else 16))
        if fault == 1:
            row[inside] = row[start]
        else:
            row[inside] += rng.choice([-1, 1]) * rng.uniform(5, 9)
    return damaged


def load_sensor() -> Dataset:
    """4000 normal windows to learn from; 1000 normal and 1000 faulty ones to be judged by."""
    rng = np.random.default_rng(SEED)
    normal, faulty = make_windows(1000, rng), disturb(make_windows(1000, rng), rng)
    train = make_windows(4000, rng)
    labels = np.repeat([0, 1], 1000)
    return Dataset({"window": train}, np.zeros(4000, np.int64), {"window": np.concatenate([normal, faulty])}, labels)


def fit_sensor(data: Dataset) -> onnx.ModelProto:
    """`score` is the mean squared part of a window outside the first principal components, as a multiple of what 99 % of
    normal windows stay below: above 1 is an anomaly."""
    windows = data.train["window"]
    pca = PCA(n_components=6, random_state=SEED).fit(windows)
    residual = windows - pca.inverse_transform(pca.transform(windows))
    limit = np.quantile(np.mean(residual**2, axis=1), 0.99)
    weights = {
        "mean": pca.mean_,
        "into": pca.components_.T,
        "back": pca.components_,
        "limit": np.array(limit),
    }
    nodes = [
        helper.make_node("Sub", ["window", "mean"], ["centered"]),
        helper.make_node("MatMul", ["centered", "into"], ["latent"]),
        helper.make_node("MatMul", ["latent", "back"], ["explained"]),
        helper.make_node("Sub", ["centered", "explained"], ["residual"]),
        helper.make_node("Mul", ["residual", "residual"], ["squared"]),
        helper.make_node("ReduceMean", ["squared"], ["error"], axes=[1], keepdims=0),
        helper.make_node("Div", ["error", "limit"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "sensor-anomaly",
        [helper.make_tensor_value_info("window", TensorProto.FLOAT, ["N", WINDOW])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["N"])],
        [numpy_helper.from_array(it.astype(np.float32), name) for name, it in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])


SAMPLES: Final = (
    Sample(
        "credit-risk",
        "Probability that a loan defaults: gradient-boosted trees over 13 numbers and 7 categories of an application. "
        "Class 1 is a default. Made-up data.",
        ["repaid", "default"],
        load_credit,
        fit_credit,
    ),
    Sample(
        "digits",
        "Which digit an 8x8 grey image shows: a neural network with one hidden layer. "
        "Pixels from 0 (white) to 16 (black), row by row.",
        [str(digit) for digit in range(10)],
        load_digit_images,
        fit_digits,
    ),
    Sample(
        "sensor-anomaly",
        "How unusual a day of bearing temperatures is (48 readings in degrees Celsius): "
        "the part that six principal components do not explain. A score above 1 is an anomaly. Made-up data.",
        [],
        load_sensor,
        fit_sensor,
    ),
)


def make_request(table: Table) -> dict[str, Any]:
    """An inference request of the Open Inference Protocol with all rows of `table`."""
    return {"inputs": [_to_tensor(name, column) for name, column in table.items()]}


def take_rows(table: Table, rows: Any) -> Table:
    """The given rows (indices or a slice) of every column."""
    return {name: column[rows] for name, column in table.items()}


def finish(model: onnx.ModelProto, sample: Sample, example: list[dict[str, Any]]) -> onnx.ModelProto:
    """Name the free dimension, drop what only training needed, and add the metadata."""
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version, model.domain, model.doc_string = "headrace-samples", "1", "", ""
    model.graph.name = sample.name
    metadata = {"headrace.description": sample.description, "headrace.example": json.dumps(example)}
    if sample.labels:
        metadata["headrace.labels"] = json.dumps(sample.labels)
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    return model


def make_traffic(data: Dataset) -> list[dict[str, Any]]:
    """Requests of one to four rows each, from the held-out data in random order."""
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(data.test_labels))
    sizes = rng.choice([1, 1, 1, 2, 4], TRAFFIC_REQUESTS)
    return [
        make_request(take_rows(data.test, order[end - size : end])) for size, end in zip(sizes, np.cumsum(sizes), strict=True)
    ]


def write_samples(directory: Path) -> None:
    """Write the three models and `traffic.json` into `directory`."""
    traffic: dict[str, list[dict[str, Any]]] = {}
    for sample in SAMPLES:
        data = sample.load()
        example = make_request(take_rows(data.test, slice(1)))["inputs"]
        model = finish(sample.fit(data), sample, example)
        onnx.save(model, directory / f"{sample.name}.onnx")
        traffic[sample.name] = make_traffic(data)
    (directory / "traffic.json").write_text(_one_request_a_line(traffic))


def _to_tensor(name: str, column: np.ndarray) -> dict[str, Any]:
    if column.dtype == object:
        return {"name": name, "datatype": "BYTES", "shape": list(column.shape), "data": column.ravel().tolist()}
    # The shortest decimals that give the same float32 back: 0.1 rather than 0.10000000149011612.
    values = [float(str(value)) for value in column.ravel()]
    return {"name": name, "datatype": "FP32", "shape": list(column.shape), "data": values}


def _one_request_a_line(traffic: dict[str, list[dict[str, Any]]]) -> str:
    models = (f'"{name}": [\n' + ",\n".join(map(json.dumps, requests)) + "\n]" for name, requests in traffic.items())
    return "{\n" + ",\n".join(models) + "\n}\n"


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
