"""Processes of our own: started so that they die with us, on ports that are free."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
STOP_SECONDS: Final = 30.0


class NotReadyError(RuntimeError):
    """What was started or waited for did not get ready; the message ends with what it said."""


def start(
    command: Sequence[str],
    output: Path | None,
    environment: Mapping[str, str],
    *,
    session: bool = False,
) -> subprocess.Popen[bytes]:
    """Start ``command`` at the repository's root and return its process.

    What it says goes to ``output``, or our own. With ``session`` Ctrl-C does not reach it.
    """
    with output.open("wb") if output else contextlib.nullcontext() as file:
        return subprocess.Popen(  # noqa: S603 - commands of this package
            list(command),
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT if file else None,
            start_new_session=session,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has no threads yet
        )


@contextmanager
def running(
    command: Sequence[str],
    output: Path,
    environment: Mapping[str, str],
    ready: Callable[[], bool],
    seconds: float,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` in a session of its own, from when it is ready. Raises NotReadyError."""
    process = start(command, output, environment, session=True)
    end = time.monotonic() + seconds
    try:
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                raise NotReadyError(f"it did not get ready{last_words(output)}")
            time.sleep(0.1)
        yield process
    finally:
        stop([process])


def stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask them to end, and end those that do not."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def last_words(path: Path, characters: int = 1500) -> str:
    """Return the end of what a process said, indented below a colon."""
    lines = path.read_text(errors="replace")[-characters:].splitlines() if path.exists() else []
    return "; it said:" + "".join(f"\n    {line}" for line in lines)


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """Return a port of loopback for each name; all were free together a moment ago."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in names]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in zip(names, probes, strict=True)}


def _die_with_parent() -> None:
    """Ask Linux to end this child when its parent is killed and cannot."""
    if sys.platform == "linux":
        parent_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGTERM)
