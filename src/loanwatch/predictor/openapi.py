"""The OpenAPI description of POST /predict, worked out from the contract."""

from typing import Any

from loanwatch.contract import Column, Contract, Kind
from loanwatch.predictor.explanation import REASON_LIMIT
from loanwatch.predictor.fields import fields_of
from loanwatch.web.problem import ERROR_LIMIT

__all__ = ["example_application", "predict_operation", "schemas"]

_ERRORS = {
    "400": "The client hung up or sent no valid HTTP",
    "401": "A valid access token is needed",
    "408": "The body did not arrive in time",
    "409": "Reasons were asked for, and the model was saved without what they need",
    "413": "Too many bytes or applications",
    "415": "Not JSON, or packed in another way than gzip",
    "422": "The applications are not as expected; none was scored",
    "429": "The token's rate is used up",
    "503": "No model is deployed, or decisions cannot be recorded at the moment",
}


def schemas(contract: Contract, *, max_rows: int) -> dict[str, Any]:
    """Return the schemas of an application, a decision and an error."""
    fields = fields_of(contract)
    key = contract.keys.application
    return {
        "Application": {
            "type": "object",
            "description": "A field that is left out counts as null, which means: not known.",
            "properties": {name: dict(field.schema) for name, field in fields.items()},
            "required": [key],
            "additionalProperties": False,
        },
        "Applications": {
            "type": "array",
            "description": f"Each {key} once.",
            "items": {"$ref": "#/components/schemas/Application"},
            "minItems": 1,
            "maxItems": max_rows,
        },
        "Decision": _decision(contract),
        "Reason": {
            "type": "object",
            "properties": {"code": {"type": "string"}, "sentence": {"type": "string"}},
            "required": ["code", "sentence"],
        },
        "Error": _error(),
    }


def predict_operation(contract: Contract, *, tokens: bool) -> dict[str, Any]:
    """Return the operation."""
    rows = {"$ref": "#/components/schemas/Applications"}
    wrapped = {"type": "object", "properties": {"X": rows}, "required": ["X"], "additionalProperties": False}
    answer = {"type": "array", "items": {"$ref": "#/components/schemas/Decision"}}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "operationId": "predict",
        "summary": "Decide on applications",
        "parameters": [
            {
                "name": "explain",
                "in": "query",
                "description": f"Also give the up to {REASON_LIMIT} strongest reasons against each applicant.",
                "schema": {"type": "boolean", "default": False},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"anyOf": [rows, wrapped]},
                    "example": [example_application(contract)],
                }
            },
        },
        "responses": {
            "200": {
                "description": "The decisions, in the order asked; all by the same model version",
                "content": {"application/json": {"schema": answer}},
            },
            **{status: {"description": text, "content": error} for status, text in _ERRORS.items()},
        },
        **({"security": [{"token": []}]} if tokens else {}),
    }


def example_application(contract: Contract) -> dict[str, Any]:
    """Return an application without label, applicant and time, which a request need not have.

    The values are the contract's own examples; made up, if it has none at all.
    """
    key = contract.column(contract.keys.application)
    predictors = [column for column in contract.columns if column.predictor]
    value_of = _plain if any(column.example is not None for column in predictors) else _made_up
    return {key.name: key.example or "7c1d2b4e-0a5f-4c1e-9b64", **{c.name: value_of(c) for c in predictors}}


def _plain(column: Column) -> str | float | None:
    value = column.example
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _made_up(column: Column) -> str | float | None:
    if column.kind is Kind.CATEGORICAL:
        return column.order[-1] if column.order else None
    low, high = column.minimum or 0.0, column.maximum
    value = low if high is None or low + 1 > high else (low + high) / 2 if high <= 1_000 else low + 1_000
    return int(value) if value == int(value) else value


def _decision(contract: Contract) -> dict[str, Any]:
    key, label = contract.keys.application, contract.label
    return {
        "type": "object",
        "properties": {
            key: {"type": ["string", "integer"], "description": "As it was sent"},
            "prediction": {"type": "string", "enum": [label.positive, label.negative]},
            "probability": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "description": f"Calibrated probability of {label.positive!r}",
            },
            "model_version": {"type": "integer"},
            "reasons": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/Reason"},
                "maxItems": REASON_LIMIT,
                "description": "The strongest reasons against the applicant, the strongest first; only with explain",
            },
        },
        "required": [key, "prediction", "probability", "model_version"],
    }


def _error() -> dict[str, Any]:
    place = {
        "type": "object",
        "properties": {
            "row": {"type": ["integer", "null"], "description": "Position of the application, from 0"},
            "field": {"type": ["string", "null"]},
            "expected": {"type": "string"},
        },
        "required": ["row", "field", "expected"],
    }
    return {
        "type": "object",
        "properties": {
            "error": {"type": "string", "description": "A word for programs"},
            "message": {"type": "string", "description": "A sentence for people"},
            "errors": {"type": "array", "items": place, "maxItems": ERROR_LIMIT},
            "request_id": {"type": "string"},
        },
        "required": ["error", "message", "errors", "request_id"],
    }
