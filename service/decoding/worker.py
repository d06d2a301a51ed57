"""Worker process: makes one call after the other, under a limit on memory."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from service.decoding import channel

TIMER: Final = signal.ITIMER_PROF
"""Counts time on a processor, which waiting behind others is not."""
OUT_OF_TIME: Final = signal.SIGPROF
_NO_LIMIT: Final = resource.RLIM_INFINITY
_PAGE: Final = resource.getpagesize()
_LEFT: Final = 8 << 20
"""Bytes that a call may leave behind, freed and in pieces, before they are given back."""
_STANDS_IN: Final = 1000
"""Of processes to kill when memory runs out, the kernel takes this one: not the front."""


@dataclass(frozen=True)
class Call:
    """``function`` is ``module:name``; ``seconds`` of a processor are what it may take, ``memory``
    the bytes on top of what the worker had when it was new."""

    function: str
    arguments: tuple[Any, ...]
    seconds: float
    memory: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a call ended: with a ``value``, with ``memory`` at its end, with an exception that
    ``raised``, or with one that the front does not know, of which ``value`` tells type and path.

    ``peak`` is the most memory that the worker has ever had, in bytes beyond its first.
    """

    kind: Literal["value", "memory", "raised", "bug"]
    value: Any
    peak: int


def named(function: Callable[..., Any]) -> str:
    return f"{function.__module__}:{function.__qualname__}"


def find(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return found


def serve(connection: socket.socket, parent: int, known: tuple[type[Exception], ...]) -> None:
    """Answer calls until the front goes away. ``known`` are the exceptions that it can be told."""
    _settle(parent)
    trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
    first, resident = _data(), _peak()
    while True:
        try:
            call: Call = channel.receive(connection)
        except (EOFError, OSError):
            return
        _limit(first + call.memory)
        # What it does at its end is to end the process, wherever that is.
        signal.setitimer(TIMER, call.seconds)
        outcome = _outcome(call, known, resident)
        signal.setitimer(TIMER, 0)
        _limit(_NO_LIMIT)
        with contextlib.suppress(OSError):
            channel.send(connection, outcome)
        if outcome.kind == "memory":
            # What was cut off in the middle may have left anything half done.
            return
        if _data() - first > _LEFT:
            trim(0)


def _outcome(call: Call, known: tuple[type[Exception], ...], resident: int) -> Outcome:
    kind: Literal["value", "memory", "raised", "bug"] = "value"
    try:
        value = find(call.function)(*call.arguments)
    except MemoryError:
        kind, value = "memory", None
    except known as error:
        # Its causes and frames hold what the file held.
        kind, value = "raised", type(error)(*error.args)
    except Exception as error:
        kind, value = "bug", _where(error)
    return Outcome(kind, value, _peak() - resident)


def _settle(parent: int) -> None:
    """Have this process die with its parent, keep quiet, and go first where memory runs out."""
    if sys.platform == "linux":
        parent_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(_STANDS_IN))
    # Decoders written in C quote files on standard error.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _limit(bytes_: int) -> None:
    """Bound private writable memory; mapped libraries, which all share, count nothing."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (bytes_, _NO_LIMIT))


def _data() -> int:
    """Return what of this process counts under RLIMIT_DATA: data and stack, the sixth of statm."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[5]) * _PAGE
    except (OSError, IndexError):
        return 0


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _where(error: BaseException) -> str:
    """Return type and path of ``error``: its message may quote a file."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    path = " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
    return f"{type(error).__module__}.{type(error).__qualname__} at {path}"
