"""The OpenAPI document and its page. Swagger UI's files come from a package, not from a CDN."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import fastapi_offline
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from models.artifact import ArtifactError
from service.http.problems import ProblemDocument
from service.http.security import DOCS_POLICY
from service.medicine.guidance import Facts
from service.served_models import schemas as served
from service.state import Opened
from service.web.api_docs import DocsPage

router = APIRouter(prefix="/api", include_in_schema=False)

ASSETS: Final = Path(fastapi_offline.__file__).parent / "static"


@router.get("/openapi.json")
async def openapi(request: Request) -> dict[str, Any]:
    result = document(request.app)
    # What is served shows itself; where it cannot be read, that answer has no example.
    with suppress(ArtifactError):
        example = served.example(await run_in_threadpool(served.lineup))
        answer = result["paths"]["/api/v1/models"]["get"]["responses"]["200"]
        answer["content"]["application/json"]["example"] = example
    return result


@router.get("/docs")
async def docs(request: Request, state: Opened) -> Response:
    headers = {"Content-Security-Policy": DOCS_POLICY}
    return state.pages.respond(request, DocsPage(), headers=headers)


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document as it is true here.

    FastAPI cannot see the schemas of problems and facts, leaves nulls out of examples, and
    documents validation answers that are never given: an id of another form is a 404.
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
    facts = Facts.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= facts.pop("$defs") | {"Facts": facts}
    for route in _routes(app):
        for status, said in route.responses.items():
            for media_type, body in said.get("content", {}).items():
                if "example" in body:
                    for method in route.methods or ():
                        operation = result["paths"][route.path][method.lower()]
                        shown = operation["responses"][str(status)]["content"][media_type]
                        shown["example"] = deepcopy(body["example"])
    return result


def _routes(app: FastAPI) -> Iterator[APIRoute]:
    """Every documented route, as its router has it: none is included under another prefix."""
    for included in app.routes:
        router = getattr(included, "original_router", None)
        for route in router.routes if router else ():
            if isinstance(route, APIRoute) and route.include_in_schema:
                yield route
