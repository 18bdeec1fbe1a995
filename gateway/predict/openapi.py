"""A deployment's own OpenAPI 3.1 document, made from the model's signature and its file's metadata."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from gateway.predict.answers import Schema, nested
from gateway.predict.calls import Form
from gateway.predict.features import Block, Column
from serving.datatypes import INTEGER_RANGES
from serving.models import Model
from serving.tensors import Array

DESCRIPTION_KEY: Final = "headrace.description"
MAX_EXAMPLE_VALUES: Final = 20_000
"""Larger examples would only be scrolled past."""
Document = dict[str, Any]

PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "message": {"type": "string"},
                    "row": {"type": ["integer", "null"], "description": "From 0."},
                    "column": {"type": ["string", "null"]},
                },
                "required": ["message", "row", "column"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
}
ERRORS: Final = {
    "422": "The rows do not fit the model; `errors` names rows and columns.",
    "429": "A limit of the key or of the deployment is reached; `Retry-After` says when to try again.",
    "503": "The model is loading, or too much waits for it; `Retry-After` says when to try again.",
    "default": "Whatever else was wrong: 400 the body, 401 and 403 the key, 413 its size; 504 it took too long.",
}


def describe(model: Model, form: Form, path: str) -> Document:
    """The document of `model`, whose predictions are asked for at `path`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": model.name,
            "version": model.version,
            "description": model.metadata.get(DESCRIPTION_KEY, f"Predictions of the deployment {model.name}."),
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": {path: {"post": _operation(model, form)}},
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key of the project: `hr_<id>_<secret>`."}
            },
            "schemas": {
                "Row": _row(form),
                "Prediction": _prediction(form),
                "Problem": PROBLEM,
            },
        },
    }


def _operation(model: Model, form: Form) -> Document:
    rows: Schema = {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Row"},
        "minItems": 1,
        "maxItems": form.features.max_rows,
    }
    request: Document = {"schema": _object({"rows": rows})}
    example = example_row(model, form)
    if example is not None:
        request["example"] = {"rows": [example]}
    answer = _object(
        {
            "predictions": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/Prediction"},
                "description": "One for each row, in their order.",
            },
            "model_version": {"type": "string", "description": "Number of the model version that answered."},
        }
    )
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "operationId": "predict",
        "summary": f"Predict with {model.name}",
        "requestBody": {"required": True, "content": {"application/json": request}},
        "responses": {
            "200": {"description": "The predictions.", "content": {"application/json": {"schema": answer}}},
            **{status: {"description": it, "content": problem} for status, it in ERRORS.items()},
        },
    }


def _object(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _row(form: Form) -> Schema:
    return _object({it.name: _cell(it) for it in form.features.columns})


def _cell(column: Column) -> Schema:
    value: Schema = {"type": [column.kind, "null"] if column.is_nullable else column.kind}
    if column.kind == "integer" and column.datatype in INTEGER_RANGES:
        low, high = INTEGER_RANGES[column.datatype]
        value |= {"minimum": low, "maximum": high}
    value = nested(value, column.shape)
    return value | ({"description": column.description} if column.description else {})


def _prediction(form: Form) -> Schema:
    return _object({it.name: it.schema for it in form.encoder.fields})


def example_row(model: Model, form: Form) -> Document | None:
    """A row that the model has taken; None if none is known, or if it is too large to be shown."""
    if not model.example or sum(it.size for it in model.example.values()) > MAX_EXAMPLE_VALUES:
        return None
    row: Document = {}
    for block in form.features.blocks:
        row |= _example_cells(block, model.example[block.tensor.name], has_rows=form.features.has_rows)
    return row


def _example_cells(block: Block, array: Array, *, has_rows: bool) -> Document:
    first: Array = array[0] if has_rows else array
    if block.is_nested:
        return {block.columns[0].name: _plain(first, block.columns[0])}
    return {column.name: _plain(value, column) for column, value in zip(block.columns, np.ravel(first), strict=True)}


def _plain(value: Any, column: Column) -> Any:
    """`value` as the column takes it: numbers in few digits, NaN as null."""
    if isinstance(value, np.ndarray) and value.shape:
        return [_plain(it, column) for it in value]
    if column.kind == "string":
        return str(value)
    if column.kind == "boolean":
        return bool(value)
    if column.kind == "integer":
        return int(value)
    return float(str(value)) if math.isfinite(value) else None
