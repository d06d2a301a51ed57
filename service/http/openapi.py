"""OpenAPI document of the app: FastAPI's own, completed and corrected.

FastAPI documents what it parses itself. What a dependency of ours reads from a request, a body or a
header, the dependency describes (:func:`describes`), wherever it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final, TypeVar

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from service.http.problems import ProblemDocument

F = TypeVar("F", bound=Callable[..., Any])

FILE: Final[Mapping[str, Any]] = {"type": "string", "format": "binary"}
"""Schema of a file's bytes."""

_REFERENCE: Final = "#/components/schemas/{model}"
_DESCRIBED: Final = "__openapi__"


def describes(
    *, body: Mapping[str, Any] | None = None, parameter: Mapping[str, Any] | None = None
) -> Callable[[F], F]:
    """Mark a dependency with what it reads: ``content`` of a request body, or a parameter."""

    def mark(dependency: F) -> F:
        setattr(dependency, _DESCRIBED, (body, parameter))
        return dependency

    return mark


def json_content(kind: Any, example: Any) -> dict[str, Any]:
    """Return ``content`` of a body that is JSON of ``kind``, as pydantic knows it."""
    asked: Final = ("body", "validation", TypeAdapter[Any](kind))
    schemas, defined = TypeAdapter.json_schemas([asked], ref_template=_REFERENCE)
    schema = {**schemas[asked[:2]], **defined}
    return {"application/json": {"schema": schema, "example": example}}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document as it is true here.

    FastAPI cannot see the schema of problems, leaves nulls out of examples, and documents
    validation answers that are never given: an id of another form is a 404.
    """
    result = deepcopy(app.openapi())
    for operations in result["paths"].values():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
    schemas = result["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = ProblemDocument.model_json_schema()
    for route in _routes(app):
        for method in route.methods or ():
            operation = result["paths"][route.path][method.lower()]
            _add_requests(operation, route.dependant, schemas)
            _add_examples(operation, route)
    return result


def _add_requests(operation: dict[str, Any], dependant: Dependant, schemas: dict[str, Any]) -> None:
    for used in dependant.dependencies:
        body, parameter = getattr(used.call, _DESCRIBED, (None, None))
        if body is not None:
            content = deepcopy(dict(body))
            for one in content.values():
                for name, schema in one["schema"].pop("$defs", {}).items():
                    schemas.setdefault(name, schema)
            operation["requestBody"] = {"required": True, "content": content}
        if parameter is not None:
            operation.setdefault("parameters", []).append(dict(parameter))
        _add_requests(operation, used, schemas)


def _add_examples(operation: dict[str, Any], route: APIRoute) -> None:
    for status, said in route.responses.items():
        for media_type, answer in said.get("content", {}).items():
            if "example" in answer:
                shown = operation["responses"][str(status)]["content"][media_type]
                shown["example"] = deepcopy(answer["example"])


def _routes(app: FastAPI) -> Iterator[APIRoute]:
    """Every documented route, as its router has it: none is included under another prefix."""
    for included in app.routes:
        router = getattr(included, "original_router", None)
        for route in router.routes if router else ():
            if isinstance(route, APIRoute) and route.include_in_schema:
                yield route
