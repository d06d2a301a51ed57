"""The hospital's interface engine as a process of its own, to be killed and started again."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.ports import free_port

ROOT: Final = Path(__file__).parents[4]
SERVE: Final = """
import asyncio, sys
from pathlib import Path
from hospital.sink import sink

async def serve(folder, port, pause):
    async with sink(Path(folder), int(port), float(pause)):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(serve(*sys.argv[1:]))
"""
SILENT: Final = 3600.0
PAUSE: Final = 0.2
"""Seconds from keeping a message to its answer, so that kills come between the two."""
PATIENCE: Final = 120.0


@dataclass
class Sink:
    """An interface engine. In its first life it keeps what comes and answers nothing."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    lives: int = 0

    def start(self) -> None:
        """Return when it takes messages."""
        self.folder.mkdir(exist_ok=True)
        self.lives += 1
        pause = SILENT if self.lives == 1 else PAUSE
        command = [sys.executable, "-c", SERVE, str(self.folder), str(self.port), str(pause)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it at once; its first life only when it has kept a message, which nobody is told."""
        if self.process is None:
            return
        if self.lives == 1:
            self._wait()
        self.end()

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def taken(self) -> list[bytes]:
        """Return every message that it has kept, in the order in which they came."""
        return [one.read_bytes() for one in sorted(self.folder.glob("*.hl7"))]

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while not self.taken():
            assert time.monotonic() < end, "no message came"
            time.sleep(0.05)
