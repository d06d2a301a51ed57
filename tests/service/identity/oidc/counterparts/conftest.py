"""Providers that others have written: ``pytest tests/service/identity/oidc -m counterpart``.

Left out unless a marker expression names them, since each fetches what it runs.
"""

from __future__ import annotations

import pytest

MARKER = "counterpart"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}: runs a provider of others; opt in")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if MARKER in (config.option.markexpr or ""):
        return
    left = [item for item in items if item.get_closest_marker(MARKER)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]
