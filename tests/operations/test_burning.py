"""A front that fails one request in twenty, and the Prometheus that watches it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from starlette.responses import JSONResponse, Response

from tests.operations.prometheus import Prometheus, prometheus
from tests.service.kit import images
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import Honest, running

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Moody(Honest):
    """Breaks whenever it is told to."""

    broken: bool = False

    async def answer(self, body: Any) -> Response:
        return JSONResponse({}, 500) if self.broken else await super().answer(body)


async def test_five_per_cent_failing_burns_the_budget_until_it_is_mended(tmp_path: Path) -> None:
    runners = [Moody("cnn"), Moody("vgg16"), Moody("resnet"), Moody("vertebrae")]
    async with running(*runners) as urls, front(tmp_path / "var", urls) as opened:
        groups = [{"targets": [opened.client.base_url.netloc.decode()],
                   "labels": {"component": "front"}}]  # fmt: skip
        (tmp_path / "targets.json").write_text(json.dumps(groups))
        with prometheus(tmp_path, str(tmp_path / "targets.json")) as watching:
            async with asking(opened, runners):
                await anyio.to_thread.run_sync(see_it_burn, watching)
            for runner in runners:
                runner.broken = False
            async with asking(opened, []):
                await anyio.to_thread.run_sync(see_it_end, watching)


@asynccontextmanager
async def asking(opened: Front, runners: list[Moody]) -> AsyncIterator[None]:
    task = asyncio.create_task(ask(opened, runners))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def ask(opened: Front, runners: list[Moody]) -> None:
    """Send scans for as long as nobody stops it; ``runners`` break for every twentieth."""
    png = images.png()
    number = 0
    while True:
        number += 1
        for runner in runners:
            runner.broken = number % 20 == 0
        status = (await opened.post(png)).status_code
        assert status == (503 if runners and number % 20 == 0 else 201)
        await asyncio.sleep(0.02)


def see_it_burn(watching: Prometheus) -> None:
    watching.until(lambda: watching.targets() == {"front": "up"})
    watching.until(lambda: "OsteoserveBudgetBurn" in watching.firing())
    burning = watching.ask('ALERTS{alertname="OsteoserveBudgetBurn",alertstate="firing"}')
    assert {(one["metric"]["slo"], one["metric"]["objective"]) for one in burning} == {
        ("predict", "availability")
    }
    # Of 0.1 % that may fail 5 % do, give or take what a window of seconds sees.
    burn = watching.value('osteoserve:slo_burn:rate1h{slo="predict",objective="availability"}')
    assert burn is not None
    assert 14.4 < burn < 150


def see_it_end(watching: Prometheus) -> None:
    watching.until(lambda: "OsteoserveBudgetBurn" not in watching.firing(), seconds=300)
