"""A real browser in front of a real front: ``pytest tests/browser -m browser``.

Left out unless a marker expression names them, because they need a Chromium that the system has
(``tests/browser/install``). Pictures of every page come to ``var/screenshots``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser.visits import Visit, opened
from tests.service.kit import images
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

MARKERS = {
    "browser": "drives Chromium; opt in",
    "hour": "a whole hour of a technician and of a radiologist; opt in",
    "pictures": "makes the README's pictures with the real runners; opt in",
}


# Inside a container its own sandbox may not be had; nothing foreign is opened.
FLAGS: Sequence[str] = ("--no-sandbox", "--disable-dev-shm-usage")


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = {name for name in MARKERS if name in (config.option.markexpr or "")}
    left = [
        item
        for item in items
        if {mark.name for mark in item.iter_markers()} & MARKERS.keys() - asked
    ]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> None:
    for name in [name for name in os.environ if name.startswith("OSTEOSERVE_")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def screenshots() -> Path:
    folder = Path("var/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A front with five honest toy runners; tests set ``probability`` of its stack as they like."""
    async with running() as runners, front(tmp_path_factory.mktemp("var"), runners) as opened:
        yield opened


def executable() -> str:
    """Return where the system's Chromium is."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("there is no chromium: run tests/browser/install")
    return path


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
async def visit(chromium: Browser, shared: Front) -> AsyncIterator[Visit]:
    async with opened(chromium, str(shared.client.base_url)) as made:
        yield made


@pytest.fixture(scope="session")
def png() -> bytes:
    return images.png()
