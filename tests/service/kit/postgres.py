"""A server of PostgreSQL of the tests' own, which can be killed and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOM = 2 * 2**30
"""Bytes that a server of PostgreSQL and what tests keep in it stay well below."""


@dataclass(frozen=True)
class Server:
    """A server on a socket in a folder of its own, whose processes are whom ``become`` names."""

    programs: Path
    place: Path
    become: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"postgresql://tester@/postgres?host={self.place}"

    def make(self) -> None:
        options = ["--auth=trust", "--username=tester", "--no-sync", "--encoding=UTF8"]
        self._run("initdb", *options)

    def start(self) -> None:
        listen = f"-c listen_addresses= -c unix_socket_directories={self.place} -c fsync=off"
        listen += " -c max_wal_size=128MB"
        self._run("pg_ctl", "--wait", f"--options={listen}", f"--log={self.place}/log", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "--wait", "--mode=immediate", "stop")

    def kill(self) -> None:
        """End the server and all that serve for it as ``kill -9`` does."""
        number = int((self.place / "data" / "postmaster.pid").read_text().splitlines()[0])
        first = psutil.Process(number)
        found = [first, *first.children(recursive=True)]
        for one in found:
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
        # One that lives on would keep the next server out.
        _, alive = psutil.wait_procs(found, 30)
        assert not alive

    def _run(self, name: str, *arguments: str) -> None:
        command = [*self.become, str(self.programs / name), f"--pgdata={self.place / 'data'}"]
        subprocess.run([*command, *arguments], check=True, capture_output=True, cwd=self.place)


@contextmanager
def started() -> Iterator[Server]:
    """Yield a server that runs; skip where there is none. It refuses to run as root."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL server (initdb) is not installed")
    become: tuple[str, ...] = ()
    # Not below pytest's own folder, which only its owner may enter.
    place = Path(tempfile.mkdtemp(prefix="osteoserve-pg-", dir=_memory()))
    try:
        if os.geteuid() == 0:
            if shutil.which("setpriv") is None:
                pytest.skip("PostgreSQL will not run as root, and there is no setpriv")
            become = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
            os.chown(place, 65534, 65534)
        server = Server(programs, place, become)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(place)


def _programs() -> Path | None:
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
