from __future__ import annotations

import io
import logging
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from service.storage.database import Database
from tests.service.kit import databases, images
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

ROOM = 2 * 2**30
"""Bytes that a server of PostgreSQL and what tests keep in it stay well below."""


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


def postgres_folder() -> Path | None:
    """Return where initdb and pg_ctl are, newest version first."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists()), None)


def _memory() -> Path | None:
    """Return a folder in memory that has room for a server, None where there is none.

    A database is made in a fifteenth of the time that it takes on a disk.
    """
    folder = Path("/dev/shm")  # noqa: S108 - for a folder within it that nobody else may enter
    if os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= ROOM:
        return folder
    return None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server of our own on a socket in a folder of its own. It refuses to run as root."""
    folder = postgres_folder()
    if folder is None:
        pytest.skip("PostgreSQL server (initdb) is not installed")
    become: list[str] = []
    # Not below pytest's own folder, which only its owner may enter.
    place = Path(tempfile.mkdtemp(prefix="osteoserve-pg-", dir=_memory()))
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("PostgreSQL will not run as root, and there is no setpriv to become nobody")
        become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        os.chown(place, 65534, 65534)
    data = place / "data"

    def run(*command: str) -> None:
        subprocess.run([*become, *command], check=True, capture_output=True, cwd=place)

    try:
        options = ["--auth=trust", "--username=tester", "--no-sync", "--encoding=UTF8"]
        run(str(folder / "initdb"), f"--pgdata={data}", *options)
        listen = f"-c listen_addresses= -c unix_socket_directories={place} -c fsync=off"
        listen += " -c max_wal_size=128MB"
        control = [str(folder / "pg_ctl"), f"--pgdata={data}", "--wait"]
        run(*control, f"--options={listen}", f"--log={place}/log", "start")
        try:
            yield f"postgresql://tester@/postgres?host={place}"
        finally:
            run(*control, "--mode=immediate", "stop")
    finally:
        shutil.rmtree(place)


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
