from __future__ import annotations

from pathlib import Path

import pytest

from service.settings import Settings
from tests.service.storage.encrypted import FIRST, Keys

CROWD = "crowd"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{CROWD}: two and forty people write for a minute; opt in")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if CROWD in (config.option.markexpr or ""):
        return
    left = [item for item in items if item.get_closest_marker(CROWD) is not None]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


@pytest.fixture
def keys(settings: Settings, tmp_path: Path) -> Keys:
    """A file of keys with one in it, beside a database of either kind."""
    made = Keys(settings, tmp_path)
    made.put(FIRST)
    return made
