"""Decoders' fork servers that are forked instead of started: what each loads is loaded once a run.

Every front has its own, as always, and it is the real one. A fork server takes two thirds of a
second of a processor to load its libraries, and hundreds of fronts are started here. Where the
system has no pidfd (all but Linux) each is started as the service does it.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

from service.decoding import fork_server, fork_server_process, messages
from service.decoding.fork_server_process import ForkServerProcess
from service.decoding.worker import find

NUMBER = struct.Struct("<q")


class Origin:
    """A process with everything loaded, which forks a fork server when it is asked to."""

    def __init__(self, preparation: str) -> None:
        self._turn = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            path = os.pathsep.join(
                [str(fork_server_process.ROOT), os.environ.get("PYTHONPATH", "")]
            )
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.service.kit.fork_servers",
                    str(theirs.fileno()),
                    preparation,
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **fork_server_process.ENVIRONMENT, "PYTHONPATH": path},
            )
        atexit.register(self._end)

    def fork(self, theirs: socket.socket) -> int:
        """Return the number of a new process, a fork server at the other end of ``theirs``."""
        with self._turn:
            socket.send_fds(self._control, [b"f"], [theirs.fileno()])
            return int(NUMBER.unpack(self._control.recv(NUMBER.size, socket.MSG_WAITALL))[0])

    def _end(self) -> None:
        self._control.close()
        self._process.wait(30)


origin = cache(Origin)


class Process:
    """What a pool asks of a process that it started, of one that is no child."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def kill(self) -> None:
        signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    async def wait(self) -> None:
        if self._descriptor < 0:
            return
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1


async def start(preparation: str) -> Any:
    """Stand in for :meth:`ForkServerProcess.start`."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = Process(await asyncio.to_thread(origin(preparation).fork, theirs))
    ours.setblocking(False)
    started = ForkServerProcess(process, ours)  # type: ignore[arg-type] # all of a process that it uses
    assert await messages.exactly(ours, len(fork_server.READY)) == fork_server.READY
    return started


class Forked:
    """While any front is open, pools get their fork servers forked; tests of pools have none."""

    def __init__(self) -> None:
        self._fronts = 0
        self._patch = patch.object(ForkServerProcess, "start", start)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        if not self._fronts and hasattr(os, "pidfd_open"):
            self._patch.start()
        self._fronts += 1
        try:
            yield
        finally:
            self._fronts -= 1
            if not self._fronts and hasattr(os, "pidfd_open"):
                self._patch.stop()


forked = Forked()


def main(descriptor: int, preparation: str) -> None:
    control = socket.socket(fileno=descriptor)
    # It lives as long as the tests, some of which tell all of their processes to stop.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    find(preparation)()
    # Nobody waits for a fork server here: the front sees by its pidfd that it has ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        data, descriptors, *_ = socket.recv_fds(control, 1, 1)
        if not data:
            os._exit(0)
        child = os.fork()
        if not child:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            fork_server.main(descriptors[0], preparation)
        os.close(descriptors[0])
        control.sendall(NUMBER.pack(child))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
