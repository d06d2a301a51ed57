"""A system's processes, from start to end, and what they cost."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import psutil

from loadtests import processes
from loadtests.benchmark.systems import VAR, System
from loadtests.processes import ROOT, NotReadyError
from loadtests.target import GONE, cpu_seconds

START_SECONDS: Final = 180.0
INSIDE: Final = "OSTEOSERVE_BENCH_ISOLATED"
"""Set in the environment of the one that was started in a network of its own."""


@dataclass(frozen=True)
class Server:
    """A running system; ``start_seconds`` is how long it took to get ready."""

    url: str
    start_seconds: float
    others: frozenset[int]
    """Processes below this one that are not its."""

    def processes(self) -> list[psutil.Process]:
        return _below(self.others)

    def cpu_seconds(self) -> dict[str, float]:
        return cpu_seconds(self.processes())

    def memory_bytes(self) -> int:
        """Return the proportional set size of all."""
        total = 0
        for process in self.processes():
            with contextlib.suppress(*GONE):
                total += process.memory_full_info().pss
        return total


def isolated() -> bool:
    return os.environ.get(INSIDE) == "1"


def isolate(arguments: Sequence[str]) -> None:
    """Begin anew in a network of our own, loopback and nothing else, where there is one to be had.

    Ray Serve's replicas listen on every interface, which no setting changes.
    """
    if isolated() or shutil.which("unshare") is None or shutil.which("ip") is None:
        return
    # Whoever is not root becomes so in a namespace of users, towards nobody else.
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    inside = ("unshare", *user, "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    if not subprocess.run([*inside, "true"], check=False, capture_output=True).returncode:  # noqa: S603 - as above
        command = (*inside, sys.executable, "-m", "loadtests.benchmark", *arguments)
        os.execvpe(command[0], command, {**os.environ, INSIDE: "1"})  # noqa: S606 - our own module


def adopt_orphans() -> None:
    """Let processes whose parent ended become ours, so that none is lost from sight."""
    become_subreaper = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
    ctypes.CDLL(None).prctl(become_subreaper, 1)


@contextmanager
def serving(system: System) -> Iterator[Server]:
    """Run ``system``, with nothing in any cache, and end all that it started.

    Raises :class:`NotReadyError`.
    """
    if system.every_interface and not isolated():
        raise NotReadyError(
            f"{system.name} listens on every interface; it is started in a network of its own "
            "alone, which takes `unshare` and `ip` and the right to use them"
        )
    others = frozenset(child.pid for child in psutil.Process().children())
    (port,) = processes.free_ports(["port"]).values()
    # State of this start alone, gone with it; short, since Ray's sockets lie there.
    state = tempfile.mkdtemp(prefix="bench-")
    log = VAR / "logs" / f"{system.name}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    arguments = (argument.format(port=port) for argument in system.arguments)
    own = {"PYTHONPATH": str(ROOT), "TMPDIR": state, "OSTEOSERVE_VAR": state, **system.environment}
    begun, address = time.monotonic(), f"http://127.0.0.1:{port}"
    command = [str(system.python), *arguments]
    left: set[psutil.Process] = set()

    def ready() -> bool:
        try:
            return httpx.get(address + system.ready, trust_env=False, timeout=5.0).is_success
        except httpx.HTTPError:
            return False

    try:
        with processes.running(command, log, own, ready, START_SECONDS):
            try:
                yield Server(address + system.path, time.monotonic() - begun, others)
            finally:
                left |= set(_below(others))
    finally:
        # What a system started belongs to it: by process id, as it was seen below this one.
        left |= set(_below(others))
        for one in left:
            with contextlib.suppress(*GONE):
                one.kill()
        psutil.wait_procs(left, timeout=processes.STOP_SECONDS)
        shutil.rmtree(state, ignore_errors=True)


def _below(others: Collection[int]) -> list[psutil.Process]:
    """Return every process below this one, but ``others`` and what is below them."""
    found = []
    for child in psutil.Process().children():
        if child.pid not in others:
            with contextlib.suppress(*GONE):
                found += [child, *child.children(recursive=True)]
    return found
