"""The machine's pace: what the bare runtime does just now, asked between the steps of a contender.

A virtual machine's neighbours change its pace within minutes, by more than contenders differ. What
each does is therefore set against what the limit did at the same time.
"""

from __future__ import annotations

import json
import subprocess
from types import TracebackType
from typing import Any, Final, Self

from loadtests.benchmark.contender import ROOT

COMMAND: Final = (".venv/runners/bin/python", "-m", "loadtests.benchmark.limit", "pace")

STOP_SECONDS: Final = 10.0


class Pace:
    """The limit's process, open between ``with`` and its end; it sleeps while nobody asks."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            COMMAND, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        # Loading models and looking for their best batches belongs to no contender's time.
        self()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # At the end of its input it ends.
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def __call__(self) -> float:
        """Return images a second over two blocks, canonical images in and verdicts out.

        Raises :class:`RuntimeError` where the process has ended.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the limit's process has no pipes")
        print(file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the limit's process ended ({self._process.wait()})")
        said: dict[str, Any] = json.loads(line)
        return float(said["images_per_second"])
