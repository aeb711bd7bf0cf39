"""Bodies of requests: strict JSON into a model, so that no two readers see two documents in one (FAULTS 77)."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from tocsin.canon import canonical_bytes, parse_json
from tocsin.serve.problem import ProblemError
from tocsin.warn.message import neutral

_M = TypeVar("_M", bound=BaseModel)


async def read_json(request: Request, model: type[_M]) -> _M:
    """Return the body of a request as a model.

    Parameters
    ----------
    request : Request
    model : type

    Raises
    ------
    ProblemError
        415 for another media type, 400 for what is no strict JSON.
    RequestValidationError
        For JSON that is not such a model.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise ProblemError(415, "expected Content-Type: application/json")
    try:
        value = parse_json(await request.body())
        canonical_bytes(value)  # refuses lone surrogates
    except ValueError as error:
        raise ProblemError(400, f"no JSON: {neutral(str(error), limit=200)}") from error
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return what OpenAPI says of a body that `read_json` reads."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": _inlined(schema, definitions)}}}
    }


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    # A route's extra schema cannot add components, so what it refers to stands in its place.
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name in definitions:
        return _inlined(definitions[name], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}
