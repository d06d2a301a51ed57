"""Serialisation of calls and outcomes: a pickle, and beside it what is large, not copied.

A worker takes whatever the front sends. The front does not return the favour: a worker has handled
a stranger's file in C, so what it sends may build nothing but the types that were agreed on.
"""

from __future__ import annotations

import io
import pickle
import socket
import struct
from collections.abc import Collection, Sequence
from typing import Any, Final

LARGE: Final = 1 << 16
"""Bytes from which on they travel beside the pickle."""
MOST: Final = 1 << 30
"""Bytes of one message, more than any upload or result."""
MOST_PARTS: Final = 64
_COUNT: Final = struct.Struct("<I")

# How numpy puts arrays and their types together again.
_NUMPY: Final = frozenset(
    {
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.numeric", "_frombuffer"),
        ("numpy._core.multiarray", "_reconstruct"),
    }
)

Part = bytes | bytearray | memoryview


class ChannelError(Exception):
    """The other side sent what is no message."""


def encode(value: object) -> list[Part]:
    """Return ``value`` as parts: the pickle, then its large buffers."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, 5, buffer_callback=buffers.append)
    return [head, *(buffer.raw() for buffer in buffers)]


def lengths(parts: Sequence[Part]) -> bytes:
    """Return what goes before ``parts``: how many they are, and how long each is."""
    sizes = [len(part) for part in parts]
    return _COUNT.pack(len(sizes)) + struct.pack(f"<{len(sizes)}Q", *sizes)


def beside(value: object) -> object:
    """Return ``value`` so that it travels beside the pickle if it is a large one of bytes."""
    large = isinstance(value, bytes) and len(value) >= LARGE
    return pickle.PickleBuffer(value) if large else value  # type: ignore[arg-type]


def receive(connection: socket.socket) -> Any:
    """Return the next call, as a worker takes it. Raises :class:`EOFError` when none will come."""
    (count,) = _COUNT.unpack(_exactly(connection, _COUNT.size))
    sizes = struct.unpack(f"<{count}Q", _exactly(connection, 8 * count))
    head, *buffers = [_exactly(connection, size) for size in sizes]
    return pickle.loads(head, buffers=buffers)  # noqa: S301 - from the front, which is ours


def send(connection: socket.socket, value: object) -> None:
    parts = encode(value)
    connection.sendall(b"".join((lengths(parts), *parts)))


def decode(parts: Sequence[Part], known: Collection[type]) -> Any:
    """Return the value in ``parts`` that a worker sent, of ``known`` types, numbers and arrays.

    Raises :class:`ChannelError` for anything else.
    """
    names = {(one.__module__, one.__qualname__): one for one in known}

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) in _NUMPY:
                return super().find_class(module, name)
            if (module, name) not in names:
                raise ChannelError("a worker sent something that was not agreed on")
            return names[module, name]

    head, *buffers = parts
    try:
        return Unpickler(io.BytesIO(head), buffers=buffers).load()
    except ChannelError:
        raise
    except Exception as error:
        raise ChannelError(f"a worker sent what is no outcome: {type(error).__name__}") from None


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = connection.recv(count, socket.MSG_WAITALL) if count else b""
    if len(data) < count:
        # Linux gives less than all only at the end, or where a signal came between.
        rest = bytearray(data)
        while len(rest) < count:
            more = connection.recv(count - len(rest), socket.MSG_WAITALL)
            if not more:
                raise EOFError
            rest += more
        data = bytes(rest)
    return data
