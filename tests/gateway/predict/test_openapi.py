"""The description of each deployment: valid OpenAPI 3.1, and true to what is taken and answered."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from onnx import TensorProto
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.predict.openapi import describe
from tests.gateway.predict.conftest import Load
from tests.gateway.predict.predicting import KINDS, Loaded, classifier, echo, predict, refusal
from tests.models import FLOAT, columns_model, mixing_model, scalar_model, sum_model

PATH = "/v1/predict/m"
FEATURES = json.dumps([{"name": "width", "description": "In millimetres"}, "height", {"name": "rings", "type": "integer"}])
EVERY_TYPE = {name.lower(): (kind, ["N", 1]) for name, kind in KINDS.items()}

MODELS: dict[str, tuple[Any, ...]] = {
    "classes": (classifier, ("cat", "dog", "é"), FEATURES),
    "scores alone": (classifier, ("cat", "dog", "é"), "", False),
    "no names": (sum_model,),
    "columns": (columns_model,),
    "every type": (echo, EVERY_TYPE),
    "pictures": (echo, {"picture": (TensorProto.UINT8, ["N", 2, 2, 3])}),
    "free lengths": (echo, {"words": (TensorProto.INT64, ["N", None])}),
    "rows that depend": (mixing_model,),
    "a scalar": (scalar_model,),
    "state": (echo, {"state": (FLOAT, [2, 1, 3]), "rate": (TensorProto.INT64, [])}),
}


def documented(loaded: Loaded) -> dict[str, Any]:
    """The document as JSON has it."""
    return json.loads(json.dumps(describe(*loaded, PATH)))


def schema(document: dict[str, Any], part: dict[str, Any]) -> Draft202012Validator:
    """What checks a body against the schema in `part`."""
    return Draft202012Validator({**part["content"]["application/json"]["schema"], "components": document["components"]})


@pytest.mark.parametrize("name", MODELS)
async def test_the_example_works_and_schemas_hold(load: Load, name: str) -> None:
    loaded = load(*MODELS[name])
    document = documented(loaded)
    OpenAPIV31SpecValidator(document).validate()
    operation = document["paths"][PATH]["post"]
    request, answer = operation["requestBody"], operation["responses"]["200"]
    example = request["content"]["application/json"]["example"]
    schema(document, request).validate(example)
    predictions = await predict(loaded, *example["rows"])
    schema(document, answer).validate({"predictions": predictions, "model_version": loaded[0].version})


@pytest.mark.parametrize(
    "rows", [[], [{}], [{"amount": 1}], [{"amount": 1, "country": 1}], [{"amount": 1, "country": "", "x": 1}]]
)
def test_what_the_schema_forbids_is_refused(load: Load, rows: list[Any]) -> None:
    loaded = load(columns_model)
    document = documented(loaded)
    assert not schema(document, document["paths"][PATH]["post"]["requestBody"]).is_valid({"rows": rows})
    assert refusal(loaded, json.dumps({"rows": rows}).encode()).status == 422


def test_features_are_described(load: Load) -> None:
    row = documented(load(*MODELS["classes"]))["components"]["schemas"]["Row"]
    assert row["properties"] == {
        "width": {"type": ["number", "null"], "description": "In millimetres"},
        "height": {"type": ["number", "null"]},
        "rings": {"type": ["integer", "null"]},
    }
    assert (row["required"], row["additionalProperties"]) == (["width", "height", "rings"], False)


def test_ranges_and_lengths_are_described(load: Load) -> None:
    loaded = load(echo, {"small": (TensorProto.INT8, ["N"]), "picture": (FLOAT, ["N", 2, None])})
    assert documented(loaded)["components"]["schemas"]["Row"]["properties"] == {
        "small": {"type": "integer", "minimum": -128, "maximum": 127},
        "picture": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "array", "items": {"type": ["number", "null"]}},
        },
    }


def test_the_file_describes_the_model(load: Load) -> None:
    loaded = load(echo, {"x": (FLOAT, ["N"])}, {"headrace.description": "Gives back what it gets."})
    document = documented(loaded)
    assert document["info"] == {"title": "m", "version": "3", "description": "Gives back what it gets."}
