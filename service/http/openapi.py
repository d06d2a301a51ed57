"""OpenAPI document of the app: FastAPI's own, completed and corrected."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from service.http.problems import ProblemDocument


def document(app: FastAPI, *bodies: type[BaseModel]) -> dict[str, Any]:
    """Return the OpenAPI document as it is true here.

    FastAPI cannot see the schemas of problems and of ``bodies`` that routes read themselves, leaves
    nulls out of examples, and documents validation answers that are never given: an id of another
    form is a 404.
    """
    result = app.openapi()
    for operations in result["paths"].values():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
    schemas = result["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = ProblemDocument.model_json_schema()
    for body in bodies:
        schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {}) | {body.__name__: schema}
    for route in _routes(app):
        for status, said in route.responses.items():
            for media_type, answer in said.get("content", {}).items():
                if "example" in answer:
                    for method in route.methods or ():
                        operation = result["paths"][route.path][method.lower()]
                        shown = operation["responses"][str(status)]["content"][media_type]
                        shown["example"] = deepcopy(answer["example"])
    return result


def _routes(app: FastAPI) -> Iterator[APIRoute]:
    """Every documented route, as its router has it: none is included under another prefix."""
    for included in app.routes:
        router = getattr(included, "original_router", None)
        for route in router.routes if router else ():
            if isinstance(route, APIRoute) and route.include_in_schema:
                yield route
