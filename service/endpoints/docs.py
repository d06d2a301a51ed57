"""The OpenAPI document and its page. Swagger UI's files come from a package, not from a CDN."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import fastapi_offline
from fastapi import APIRouter, FastAPI, Request, Response

from service.endpoints.state import Opened
from service.pages import DocsPage
from service.problems import ProblemDocument
from service.security import DOCS_POLICY

router = APIRouter(prefix="/api", include_in_schema=False)

ASSETS: Final = Path(fastapi_offline.__file__).parent / "static"


@router.get("/openapi.json")
async def openapi(request: Request) -> dict[str, Any]:
    return document(request.app)


@router.get("/docs")
async def docs(state: Opened) -> Response:
    return state.pages.respond(DocsPage(), headers={"Content-Security-Policy": DOCS_POLICY})


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document as it is true here.

    FastAPI cannot see the problem's schema, and documents validation answers that are never given:
    an id of another form is a 404.
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
    return result
