"""What pages add to the front: those that belong to no subject, and static files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI

from service.http.static import Assets
from service.resources import Resources
from service.web import article_pages, languages, problem_pages
from service.web.templates import Templates
from service.web.templates import STATIC


def install(app: FastAPI) -> None:
    for routes in (article_pages, languages, problem_pages):
        app.include_router(routes.router)
    app.mount("/static", Assets(directory=STATIC), name="static")


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    # Compiling pages is not for the first who asks.
    await anyio.to_thread.run_sync(resources.get(Templates).warm)
    yield
