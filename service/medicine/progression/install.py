"""What progression adds to the front."""

from __future__ import annotations

from fastapi import FastAPI

from service.medicine.progression import api, pages, report


def install(app: FastAPI) -> None:
    app.include_router(api.router)
    app.include_router(pages.pages)
    app.include_router(report.router)
    app.include_router(report.pages)
