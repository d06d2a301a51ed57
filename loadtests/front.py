"""An osteoserve of the load's own: started on a free port of loopback, stopped afterwards."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil

ROOT: Final = Path(__file__).resolve().parent.parent
START_SECONDS: Final = 240.0
STOP_SECONDS: Final = 60.0
ASK_SECONDS: Final = 5.0

COMPONENTS: Final = ("front", "cnn", "vgg16", "resnet", "vertebrae", "stack")


class FrontError(RuntimeError):
    """It did not get ready; the message ends with what it said."""


@dataclass(frozen=True)
class Front:
    """A running one: its address and, where it is ours, its supervisor's process."""

    url: str
    supervisor: psutil.Process | None = None

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time that each component has taken so far, children included."""
        found = {}
        for child in self.supervisor.children() if self.supervisor else ():
            words = child.cmdline()
            name = words[words.index("bentos") + 1] if "bentos" in words else "front"
            found[name] = sum(
                sum(one.cpu_times()[:2]) for one in (child, *child.children(recursive=True))
            )
        return found


@contextmanager
def own(folder: Path) -> Iterator[Front]:
    """Run what ``make run`` runs. Of it, output stays in a folder below ``folder``, state does not.

    Raises :class:`FrontError`.
    """
    python = Path(os.environ.get("OSTEOSERVE_FRONT_PYTHON", ROOT / ".venv/front/bin/python"))
    if not python.exists():
        raise FrontError(f"no {python}: `make setup` makes it; or name a running one with URL=")
    port = free_port()
    folder = folder / f"own-{port}"
    folder.mkdir(parents=True, exist_ok=True)
    output, state = folder / "run.txt", folder / "state"
    with output.open("w") as file:
        process = subprocess.Popen(  # noqa: S603 - our own supervisor
            [str(python), "-m", "service", "run"],
            cwd=ROOT,
            env={
                **os.environ,
                "OSTEOSERVE_PORT": str(port),
                "OSTEOSERVE_VAR": str(state),
            },
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the load; this is stopped when that has ended.
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has no threads
        )
    try:
        _wait(process, output)
        yield Front(f"http://127.0.0.1:{port}", psutil.Process(process.pid))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        # A database that grew with every run would make every run slower than the last.
        shutil.rmtree(state, ignore_errors=True)


def wait(url: str, seconds: float) -> None:
    """Until the pages of a running one answer, but not longer than that. Raises FrontError.

    Asked for is what the load asks for as well: health may be kept from the outside.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            with urlopen(url, timeout=ASK_SECONDS):  # noqa: S310 - looked at by the caller
                return
        except HTTPError as error:
            said = f"HTTP {error.code}"
        except OSError as error:
            said = f"{type(error).__name__}: {error}"
        if time.monotonic() > end:
            raise FrontError(f"osteoserve did not answer within {seconds:g} s: {said}")
        time.sleep(0.5)


def die_with_parent() -> None:
    """Ask Linux to end this child, of its own making, when its parent is killed and cannot."""
    if sys.platform == "linux":
        parent_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGTERM)


def _wait(process: subprocess.Popen[bytes], output: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while "ready: http" not in (said := output.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > end:
            raise FrontError(f"osteoserve did not get ready; it said:\n{said[-2000:]}")
        time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
