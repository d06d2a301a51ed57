"""What the front tells, as Prometheus' own linter reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.operations.tools import promtool
from tests.service.kit import images
from tests.service.kit.fronts import front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_names_and_units_are_as_prometheus_has_them(tmp_path: Path) -> None:
    async with running() as runners, front(tmp_path / "var", runners) as opened:
        await opened.post(images.png())
        await opened.post(images.unusable())
        text = (await opened.client.get("/metrics")).text

    # It prints what it dislikes, and fails for some of it only.
    assert promtool("check", "metrics", given=text) == ""
