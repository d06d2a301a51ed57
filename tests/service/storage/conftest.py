from __future__ import annotations

import pytest

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
