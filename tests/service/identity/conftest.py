from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A front that people sign in to."""
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners, auth="local") as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
async def twins(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Front, Front]]:
    """Two fronts on one database."""
    var = tmp_path_factory.mktemp("var")
    async with (
        running() as runners,
        front(var, runners, auth="local") as one,
        front(var, runners, auth="local") as two,
    ):
        yield one, two
