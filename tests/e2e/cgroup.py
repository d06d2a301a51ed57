"""A group of processes under a limit on memory, as a container is: cgroup v2, or v1 where it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOUNTED: Final = Path("/sys/fs/cgroup")


class UnavailableError(Exception):
    """No group can be made here; the message says why."""


@dataclass(frozen=True)
class Names:
    """What the kernel calls a limit, the most that was used, and the number of kills."""

    limit: str
    peak: str
    kills: str


V1: Final = Names("memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control")
V2: Final = Names("memory.max", "memory.peak", "memory.events")


@dataclass(frozen=True)
class Group:
    path: Path
    names: Names

    def joined(self, command: Sequence[str]) -> list[str]:
        """Return a command that runs ``command`` as a member from its beginning."""
        enter = 'echo $$ > "$0" && exec "$@"'
        return ["sh", "-c", enter, str(self.path / "cgroup.procs"), *command]

    @property
    def peak(self) -> int:
        """Most bytes that its members have held together, cached files among them."""
        return int((self.path / self.names.peak).read_text())

    @property
    def kills(self) -> int:
        """Members that the kernel has killed for memory."""
        lines = (self.path / self.names.kills).read_text().splitlines()
        return int(dict(line.split() for line in lines)["oom_kill"])


@contextmanager
def bounded(bytes_: int) -> Iterator[Group]:
    """Yield a group that may hold ``bytes_``. Raises :class:`UnavailableError`."""
    parent, names = _parent()
    path = parent / f"osteoserve-test-{os.getpid()}"
    try:
        path.mkdir()
    except OSError as error:
        raise UnavailableError(f"no cgroup can be made: {error.strerror}") from None
    try:
        if not (path / names.limit).exists():
            raise UnavailableError("the memory controller is not handed down to this process")
        (path / names.limit).write_text(str(bytes_))
        yield Group(path, names)
    finally:
        _remove(path)


def _parent() -> tuple[Path, Names]:
    """Return the folder of this process's own group, below which it may make others."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        raise UnavailableError("the system has no cgroups") from None
    own = {controllers: path for _, controllers, path in (line.split(":", 2) for line in lines)}
    if "memory" in own:
        return MOUNTED / "memory" / own["memory"].lstrip("/"), V1
    return MOUNTED / own.get("", "/").lstrip("/"), V2


def _remove(path: Path) -> None:
    """Remove a group, once the last of its members, which is ending, is away."""
    until = time.monotonic() + 10
    while True:
        try:
            path.rmdir()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
