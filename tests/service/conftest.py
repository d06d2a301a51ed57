from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.service import images
from tests.service.fronts import Front, front
from tests.service.runners import running


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OSTEOSERVE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def png() -> bytes:
    return images.png()


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A front with four honest runners, for tests that leave no trace in it."""
    async with running() as runners, front(tmp_path_factory.mktemp("var"), runners) as opened:
        yield opened


@pytest.fixture
def var(tmp_path: Path) -> Path:
    return tmp_path / "var"
