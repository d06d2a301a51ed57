from __future__ import annotations

import pytest

KILLS = "kills"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{KILLS}: gateway, front, database, PACS and engine are killed 200 times; opt in",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if KILLS in (config.option.markexpr or ""):
        return
    left = [item for item in items if item.get_closest_marker(KILLS) is not None]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
