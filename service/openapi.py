"""Routes of the OpenAPI document and its page. Swagger UI comes from a package, not a CDN."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import fastapi_offline
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from models.artifact import ArtifactError
from service.http import openapi as http
from service.http import sub_path
from service.http.security import DOCS_POLICY
from service.http.static import Assets
from service.served_models import schemas as served
from service.web.contexts import DocsPage
from service.web.dependencies import TemplatesDep

router = APIRouter(prefix="/api", include_in_schema=False)

ASSETS: Final = Path(fastapi_offline.__file__).parent / "static"


@router.get("/openapi.json")
async def openapi(request: Request) -> dict[str, Any]:
    result = http.document(request.app)
    below = sub_path.of(request.scope)
    if below:
        result["servers"] = [{"url": below}]
    # What is served shows itself; where it cannot be read, that answer has no example.
    with suppress(ArtifactError):
        example = served.example(await run_in_threadpool(served.lineup))
        answer = result["paths"]["/api/v1/models"]["get"]["responses"]["200"]
        answer["content"]["application/json"]["example"] = example
    return result


@router.get("/docs")
async def docs(request: Request, templates: TemplatesDep) -> Response:
    headers = {"Content-Security-Policy": DOCS_POLICY}
    return templates.respond(request, DocsPage(), headers=headers)


def install(app: FastAPI) -> None:
    app.include_router(router)
    # Before /static, whose folder it is not in.
    app.mount("/static/swagger", Assets(directory=ASSETS), name="swagger")
