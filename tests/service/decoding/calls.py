"""What workers are asked to do in tests: each a function of a module, found there by its name."""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.image.errors import CorruptFileError, DecoderError, ScanError


@dataclass(frozen=True, eq=False)
class Answer:
    """What a call returns: something of each kind that travels."""

    process: int
    data: bytes
    array: NDArray[np.uint8]


class Foreign:
    """A type that was not agreed on."""


def load() -> tuple[type[Exception], ...]:
    return (ScanError,)


KNOWN = (Answer, ScanError, CorruptFileError, DecoderError)


def echo(data: bytes) -> Answer:
    array = np.frombuffer(data, np.uint8)
    return Answer(os.getpid(), data, array.copy())


def hold(megabytes: int) -> int:
    """Touch so much memory at once, and return the process that did."""
    bytearray(megabytes * 2**20)
    return os.getpid()


def pieces(megabytes: int) -> int:
    """Hold so much memory in small pieces, and return the process that did."""
    held = [bytearray(2**16) for _ in range(megabytes * 16)]
    held.clear()
    return os.getpid()


def sleep(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def for_ever(*_: Any) -> None:
    """Never return, and let no signal of Python's have a turn."""
    ctypes.PyDLL(None).pause()


def compute(*_: Any) -> None:
    """Keep a processor busy for ever, in C."""
    data = os.urandom(2**20)
    while True:
        hashlib.sha256(data)


def busy(seconds: float) -> int:
    """Keep a processor busy for so long."""
    started = time.process_time()
    while time.process_time() - started < seconds:
        pass
    return os.getpid()


def everything(*_: Any) -> None:
    held = []
    while True:
        held.append(bytearray(2**20))


def crash(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def killed(*_: Any) -> None:
    """End as the system ends a process when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(*_: Any) -> None:
    raise CorruptFileError("It is damaged.")


def give_up(megabytes: int, *_: Any) -> None:
    """Do as decoders written in C do that got no memory: call the file damaged."""
    bytearray(megabytes * 2**20)
    raise DecoderError("It is damaged.")


def fail(*_: Any) -> None:
    raise KeyError("SECRET^NAME")


def foreign(*_: Any) -> Foreign:
    return Foreign()
