"""The real thing: five runners and a front, each a process, started as `make run` starts them."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from PIL import Image

from models import phantom
from models.phantom import Artefact
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
FRONT = ROOT / ".venv/front/bin/python"
START_SECONDS = 240


@dataclass
class Running:
    """One `make run`: its supervisor, its address, and the folder of its state."""

    process: subprocess.Popen[str]
    url: str
    var: Path
    output: Path

    def runner(self, name: str) -> psutil.Process:
        """Return the process that serves runner ``name``."""
        return self._child("bentos", name)

    def front(self) -> psutil.Process:
        return self._child("service", "serve")

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def _child(self, *arguments: str) -> psutil.Process:
        return next(
            child
            for child in psutil.Process(self.process.pid).children()
            if set(arguments) <= set(child.cmdline())
        )

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_said(self, pattern: str, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.said()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"never said {pattern!r}:\n{self.said()}")
            time.sleep(0.1)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def start(folder: Path, var: Path | None = None, **settings: str) -> Running:
    """Start everything on a free port; return at once. State lies in ``folder``, or in ``var``.

    ``settings`` are variables of the environment.
    """
    var = folder / "var" if var is None else var
    port = free_port()
    output = folder / "output.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            [str(FRONT), "-m", "service", "run"],
            cwd=ROOT,
            env={
                **os.environ,
                # What signing in is about is tested where nothing else is.
                "OSTEOSERVE_AUTH": "none",
                "OSTEOSERVE_PORT": str(port),
                "OSTEOSERVE_VAR": str(var),
                # Tests send one image again and again, and want to see the models asked.
                "OSTEOSERVE_CACHE_IMAGES": "0",
                **settings,
            },
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )
    return Running(process, f"http://127.0.0.1:{port}", var, output)


def end(running: Running) -> None:
    """End it, and whatever a failed test left of it."""
    left = running.descendants() if running.process.poll() is None else []
    if running.process.poll() is None:
        running.stop()
    for process in left:
        if process.is_running():
            process.kill()


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """A phantom as (height, width) uint8."""
    drawn = phantom.draw(np.random.default_rng(21), "osteoporosis", artefact=Artefact.NONE)
    # YBR_FULL_422 shares colour between two columns and wants an even number of them.
    return drawn.image[:, : drawn.image.shape[1] // 2 * 2]


@pytest.fixture(scope="session")
def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One instance that tests share and must leave whole."""
    instance = start(tmp_path_factory.mktemp("run"))
    try:
        instance.wait_until_said("ready: http")
        yield instance
    finally:
        end(instance)


@pytest.fixture(scope="package")
def client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=30, trust_env=False) as client:
        yield client
