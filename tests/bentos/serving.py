"""A runner in this process, asked as a front would ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from uvicorn.lifespan.on import LifespanOn


@asynccontextmanager
async def served(runner: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Start the BentoML service ``runner``, and end it."""
    app = runner.to_asgi(is_main=True)
    lifespan = LifespanOn(uvicorn.Config(app, log_config=None))
    await lifespan.startup()
    assert not lifespan.should_exit
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://runner"
    ) as client:
        yield client
    await lifespan.shutdown()
