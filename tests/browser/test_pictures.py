"""The README's pictures, with the real runners and a phantom: ``pytest tests/browser -m pictures``.

They are written to ``docs/``; nothing else makes them.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.async_api import Browser

from models import phantom
from models.phantom import Artefact
from models.phantom.dicom import encode
from tests.browser.visits import opened
from tests.e2e.conftest import end, start

pytestmark = [pytest.mark.anyio, pytest.mark.pictures]

DOCS = Path("docs")
SEED = 5


async def test_pictures(chromium: Browser, tmp_path: Path) -> None:
    instance = start(tmp_path)
    try:
        instance.wait_until_said("ready: http")
        scan = encode(phantom.draw(np.random.default_rng(SEED), artefact=Artefact.NONE))
        async with httpx.AsyncClient(base_url=instance.url, timeout=30, trust_env=False) as client:
            response = await client.post("/api/v1/predictions", content=scan)
        assert response.status_code == 201, response.text
        prediction = response.json()
        assert not prediction["degraded"]
        places = {
            "analyse": "/",
            "result": f"/results/{prediction['id']}",
            "history": "/history",
            "treatment": "/treatment",
            "models": "/models",
        }
        size = {"width": 1200, "height": 900}
        for name, place in places.items():
            async with opened(chromium, instance.url, viewport=size) as visit:
                await visit.go(place)
                await visit.page.screenshot(path=DOCS / f"{name}-page.png")
    finally:
        end(instance)
