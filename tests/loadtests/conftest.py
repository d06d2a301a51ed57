"""Load tests are tested too; what puts minutes of load on the real processes is opt-in: -m load."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OSTEOSERVE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "load: puts load on the real processes for minutes; opt in")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "load" in (config.option.markexpr or ""):
        return
    left = [item for item in items if item.get_closest_marker("load")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in set(left)]
