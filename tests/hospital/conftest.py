from __future__ import annotations

import pytest

HOSPITAL = "hospital"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{HOSPITAL}: starts a whole hospital, with Java; opt in")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if HOSPITAL in (config.option.markexpr or ""):
        return
    left = [item for item in items if item.get_closest_marker(HOSPITAL) is not None]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
