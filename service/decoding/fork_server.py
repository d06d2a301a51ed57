"""Fork server: has loaded what workers need, and forks one when it is asked to.

A worker is then there within milliseconds, and shares its libraries' memory with the others. It
never reads a file itself, runs no thread, and ends them all when the front does. It also does the
killing: as their parent it alone can be sure that a number still means the process that it meant.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import struct
from typing import Final

from service.decoding.worker import find, serve

MESSAGE: Final = struct.Struct("<cq")
"""A letter and a number: ``f`` for a new worker, answered by its process number (0: none could be
had); ``k`` to end one, answered by its wait status."""
READY: Final = MESSAGE.pack(b"r", 0)


def main(descriptor: int, preparation: str) -> None:
    """Answer the pool at the other end of the socket ``descriptor`` until it goes away.

    ``preparation``, a ``module:name``, is called once before the first worker is made, and returns
    the exceptions that workers may raise.
    """
    control = socket.socket(fileno=descriptor)
    # Ctrl-C and a supervisor's SIGTERM reach the whole group; requests in flight still need us.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    known = find(preparation)()
    gc.collect()
    # A collection in a worker would touch, and so copy, every page that it shares.
    gc.freeze()
    control.sendall(READY)
    children: set[int] = set()
    while True:
        data, descriptors, *_ = socket.recv_fds(control, MESSAGE.size, 1, socket.MSG_WAITALL)
        if len(data) < MESSAGE.size:
            for child in children:
                _end(child)
            os._exit(0)
        letter, number = MESSAGE.unpack(data)
        if letter == b"f":
            answer = _fork(control, descriptors[0], known)
            children.update({answer} - {0})
        else:
            answer = _end(number) if number in children else 0
            children.discard(number)
        control.sendall(MESSAGE.pack(letter, answer))


def _fork(control: socket.socket, descriptor: int, known: tuple[type[Exception], ...]) -> int:
    parent = os.getpid()
    try:
        child = os.fork()
    except OSError:
        os.close(descriptor)
        return 0
    if child:
        os.close(descriptor)
        return child
    status = 1
    try:
        control.close()
        serve(socket.socket(fileno=descriptor), parent, known)
        status = 0
    finally:
        os._exit(status)


def _end(child: int) -> int:
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]
