"""The OpenAPI description of the REST API (OpenAPI Specification 3.1.0), made from its operations and their models.

This module does not know which operations there are.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from nes2mqtt.outputs.web.api.operation import BY_PURPOSE, PREFIX, Operation
from nes2mqtt.outputs.web.problem import DESCRIPTIONS, MEDIA_TYPE, Problem

__all__ = ["description"]

_SCHEMAS = "#/components/schemas/"
_PURPOSE = {
    "name": BY_PURPOSE,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "pattern": "^[ -~]*$", "examples": ["my-program"]},
    "description": "Anything; needed without a token, because answering reads from the meter: a page of another site cannot "
    "send it",
}


def description(info: dict[str, str], operations: Sequence[Operation[Any]]) -> dict[str, Any]:
    """Return the document.

    Args:
        info: what stands in it under that name, such as title and version (section 4.8.2).
        operations: all of them.
    """
    asked = {each.asked for each in operations}
    answered = {each.model for each in operations if each.model is not None}
    used: list[tuple[Any, JsonSchemaMode]] = [(model, "validation") for model in asked]
    used += [(model, "serialization") for model in (*answered, Problem)]
    schemas = models_json_schema(used, ref_template=_SCHEMAS + "{model}")[1]["$defs"]
    parameters = {model.__name__: schemas.pop(model.__name__) for model in asked}
    return {
        "openapi": "3.1.0",
        "info": info,
        "paths": {
            PREFIX + each.path: {"get": _operation(each, parameters[each.asked.__name__])} for each in operations
        },
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _operation(operation: Operation[Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Describe one (section 4.8.10)."""
    found: dict[str, Any] = {
        "summary": operation.summary,
        "description": inspect.getdoc(operation.answer),
        "operationId": operation.answer.__name__,
    }
    parameters = [
        {
            "name": name,
            "in": _place(name, operation),
            "required": name in asked.get("required", ()),
            # "null" cannot be said in a query: who means nothing leaves the parameter out.
            "schema": {key: value for key, value in schema.items() if (key, value) != ("default", None)},
            "description": schema.get("description", ""),
        }
        for name, schema in asked.get("properties", {}).items()
    ]
    if operation.reads_meter:
        parameters.append(_PURPOSE)
    if parameters:
        found["parameters"] = parameters
    found["responses"] = {
        "200": {"description": operation.answered, "content": {operation.media_type: {"schema": _answered(operation)}}},
        **{
            str(status): {
                "description": DESCRIPTIONS[status],
                "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}{Problem.__name__}"}}},
            }
            for status in operation.problems
        },
    }
    return found


def _place(name: str, operation: Operation[Any]) -> str:
    if name in re.findall(r"{(\w+)}", operation.path):
        return "path"
    return "header" if name in operation.asked.HEADERS else "query"


def _answered(operation: Operation[Any]) -> dict[str, Any]:
    if operation.model is None:
        return {"type": "string"}
    one = {"$ref": f"{_SCHEMAS}{operation.model.__name__}"}
    return {"type": "array", "items": one} if operation.several else one
