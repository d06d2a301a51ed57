"""What load is put on: an osteoserve that runs somewhere, or a local instance of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import psutil

from loadtests import processes
from loadtests.processes import ROOT, NotReadyError

START_SECONDS: Final = 240.0
ANSWER_SECONDS: Final = 5.0
KEY: Final = "OSTEOSERVE_KEY"
"""Names a key of the role clinician, which every request is sent with."""
GONE: Final = (psutil.NoSuchProcess, psutil.AccessDenied, OSError)
COMPONENTS: Final = ("front", "vertebrae", "cnn", "vgg16", "resnet", "stack")


@dataclass(frozen=True)
class Target:
    """Its address and, of a local instance, its supervisor's process."""

    url: str
    supervisor: psutil.Process | None = None

    def cpu_seconds(self) -> dict[str, float]:
        return cpu_seconds(self.supervisor.children(recursive=True) if self.supervisor else ())


def cpu_seconds(processes: Iterable[psutil.Process]) -> dict[str, float]:
    """Return component → CPU seconds so far, children that have ended included.

    A process belongs to the component that it is or was started by, else to ``other``.
    """
    spent: dict[str, float] = {}
    for process in processes:
        with suppress(*GONE):
            lines = (one.cmdline() for one in (process, *process.parents()))
            name = next(filter(None, map(component, lines)), "other")
            spent[name] = spent.get(name, 0.0) + sum(process.cpu_times()[:4])
    return spent


def component(arguments: list[str]) -> str | None:
    """Return which part of ``make run`` a process is, by its command line."""
    if "service" in arguments:
        return "front" if "serve" in arguments else None
    return next((name for name in COMPONENTS if name in arguments), None)


@contextmanager
def local(folder: Path) -> Iterator[Target]:
    """Run what ``make run`` runs, on a free port. Output stays below ``folder``, state does not.

    Raises :class:`NotReadyError`.
    """
    python = Path(os.environ.get("OSTEOSERVE_FRONT_PYTHON", ROOT / ".venv/front/bin/python"))
    if not python.exists():
        raise NotReadyError(f"no {python}: `make setup` makes it; or name a running one with URL=")
    (port,) = processes.free_ports(["front"]).values()
    folder = folder / f"local-{port}"
    folder.mkdir(parents=True, exist_ok=True)
    output, state = folder / "run.txt", folder / "state"
    environment = {"OSTEOSERVE_PORT": str(port), "OSTEOSERVE_VAR": str(state)}
    before = os.environ.pop(KEY, None)
    command = [str(python), "-m", "service", "run"]

    def ready() -> bool:
        return "ready: http" in output.read_text(errors="replace")

    try:
        with processes.running(command, output, environment, ready, START_SECONDS) as process:
            os.environ[KEY] = _key(python, environment)
            yield Target(f"http://127.0.0.1:{port}", psutil.Process(process.pid))
    finally:
        os.environ.pop(KEY, None)
        if before is not None:
            os.environ[KEY] = before
        # A database that grew with every run would make every run slower than the last.
        shutil.rmtree(state, ignore_errors=True)


def _key(python: Path, environment: Mapping[str, str]) -> str:
    """Return a key that the load may do everything with that it does."""
    command = ["-m", "service", "keys", "add", "--name", "load", "--role", "clinician"]
    done = subprocess.run(  # noqa: S603 - our own command line
        [str(python), *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise NotReadyError(f"no key could be made: {done.stderr.strip()}")
    return done.stdout.splitlines()[-1]


def wait(url: str, seconds: float) -> None:
    """Until the pages of a running one answer, but not longer than that. Raises NotReadyError.

    As the load asks: for pages, since health may be kept from the outside, and without a proxy.
    """
    end = time.monotonic() + seconds
    opener = build_opener(ProxyHandler({}))
    while True:
        try:
            with opener.open(url, timeout=ANSWER_SECONDS):
                return
        except HTTPError as error:
            said = f"HTTP {error.code}"
        except OSError as error:
            said = f"{type(error).__name__}: {error}"
        if time.monotonic() > end:
            raise NotReadyError(f"osteoserve did not answer within {seconds:g} s: {said}")
        time.sleep(0.5)
