from __future__ import annotations

import io
import logging
import os
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from service.storage.database import Database
from tests.service.kit import databases, images
from tests.service.kit.fronts import Front, front
from tests.service.kit.postgres import started
from tests.service.kit.runners import running


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
    """A front with five honest runners, for tests that leave no trace in it."""
    async with running() as runners, front(tmp_path_factory.mktemp("var"), runners) as opened:
        yield opened


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Whatever a test configures of Python's logging is put back."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, warnings.showwarning, logging.raiseExceptions)
    yield
    root.handlers[:], level, warnings.showwarning, logging.raiseExceptions = before
    root.setLevel(level)


@pytest.fixture
def lines(own_logging: None) -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def var(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server of PostgreSQL of our own."""
    with started() as server:
        yield server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A database of either kind with nothing in it, SQLite's not even a file."""
    if request.param == "sqlite":
        yield Settings(var=tmp_path)
    else:
        with databases.created(request.getfixturevalue("postgres")) as url:
            yield Settings(database_url=url)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A database of either kind at the newest revision."""
    if request.param == "sqlite":
        made = Settings(var=tmp_path)
        databases.lay(made)
        yield made
    else:
        with databases.created(request.getfixturevalue("postgres"), migrated=True) as url:
            yield Settings(database_url=url)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = Database(settings)
    await opened.migrate()
    yield opened
    await opened.close()
