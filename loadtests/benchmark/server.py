"""A contender's processes, from start to end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx
import psutil

from loadtests.benchmark import isolation
from loadtests.benchmark.contender import ROOT, VAR, Command, Contender
from loadtests.benchmark.tree import GONE, Memory, Tree

START_SECONDS: Final = 240.0
STOP_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.05

DIES_WITH_US: Final = ("setpriv", "--pdeathsig", "SIGTERM")
"""Of util-linux, which puts the command in its own place: nothing outlives a killed harness."""

IDLE_SHARE: Final = 0.2
"""CPUs that a server may use and still counts as having nothing to do."""

SETTLE_SECONDS: Final = 30.0


class ServerError(RuntimeError):
    """A contender did not start, or ended; the message has its last words."""


class Server:
    """Running between ``with`` and its end; ``start_seconds`` is how long it took to get ready."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        self.start_seconds = 0.0
        self._roles: dict[int, str] = {}
        self.tree = Tree([child.pid for child in psutil.Process().children()], self._component)
        self.memory = Memory(self.tree)
        roles = [command.role for command in contender.commands]
        self._ports = dict(_free_ports([*roles, *contender.ports]))
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return f"{self._address(self.contender.commands[0])}{self.contender.path}"

    def __enter__(self) -> Self:
        if self.contender.everywhere and not isolation.isolated():
            raise ServerError(
                f"{self.contender.name} listens on every interface; it is started in a network of "
                "its own alone, which takes `unshare` and `ip` and the right to use them"
            )
        VAR.mkdir(parents=True, exist_ok=True)
        # State and logs of this start alone, gone with it; short, since Ray's sockets lie there.
        self._folder = Path(tempfile.mkdtemp(prefix="bench-"))
        begun = time.perf_counter()
        try:
            for command in self.contender.commands:
                self._started.append(self._start(command))
            self.memory.start()
            self._wait_ready(begun + START_SECONDS)
        except BaseException:
            self._end()
            raise
        self.start_seconds = time.perf_counter() - begun
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def settle(self) -> None:
        """Return once what was left of a step is computed, or after :data:`SETTLE_SECONDS`."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            before, begun = self._spent(), time.monotonic()
            time.sleep(0.5)
            if self._spent() - before < IDLE_SHARE * (time.monotonic() - begun):
                return

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Hold every process still, those that compute while nobody asks them too.

        A harness that is killed outright meanwhile leaves them stopped.
        """
        held: set[psutil.Process] = set()
        try:
            # Until there is none that another started before it was held itself.
            while new := set(self.tree.processes()) - held:
                for process in new:
                    held.add(process)
                    with contextlib.suppress(*GONE):
                        process.suspend()
            yield
        finally:
            for process in held:
                with contextlib.suppress(*GONE):
                    process.resume()

    def check(self) -> None:
        """Raise :class:`ServerError` where a process has ended."""
        for command, process in zip(self.contender.commands, self._started, strict=True):
            if process.poll() is not None:
                raise ServerError(
                    f"{self.contender.name}: {command.role} ended ({process.returncode})"
                    f"{self._last_words(command)}"
                )

    def _start(self, command: Command) -> subprocess.Popen[bytes]:
        values = {role: str(port) for role, port in self._ports.items()}
        with self._log(command).open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - the contenders' table
                [
                    *DIES_WITH_US,
                    str(self.contender.python),
                    *(_filled(argument, values) for argument in command.arguments),
                ],
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "TMPDIR": str(self._folder),
                    "OSTEOSERVE_VAR": str(self._folder),
                    "TF_CPP_MIN_LOG_LEVEL": "2",
                    "BENCH_ENGINE": self.contender.engine,
                    **{key: _filled(v, values) for key, v in command.environment.items()},
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._roles[process.pid] = command.role
        return process

    def _wait_ready(self, deadline: float) -> None:
        with httpx.Client(trust_env=False, timeout=5.0) as client:
            for command in self.contender.commands:
                while not _answers(client, self._address(command) + command.ready):
                    self.check()
                    if time.perf_counter() > deadline:
                        raise ServerError(
                            f"{self.contender.name}: {command.role} was not ready within "
                            f"{START_SECONDS:.0f} s{self._last_words(command)}"
                        )
                    time.sleep(POLL_SECONDS)

    def _end(self) -> None:
        # A second Ctrl-C, or one that also reaches the group, must not leave servers behind.
        with _undisturbed():
            self._stop()

    def _stop(self) -> None:
        if self.memory.started:
            self.memory.stop()
        everything = self.tree.processes()
        for process in reversed(self._started):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
        # What a contender started belongs to it: by process id, as it was seen below this one.
        for left in {*everything, *self.tree.processes()}:
            with contextlib.suppress(*GONE):
                left.kill()
        psutil.wait_procs(everything, timeout=STOP_SECONDS)
        for process in self._started:
            process.wait()
        shutil.rmtree(VAR / "logs" / self.contender.name, ignore_errors=True)
        logs = VAR / "logs" / self.contender.name
        logs.mkdir(parents=True)
        for path in self._folder.rglob("*.log"):
            with contextlib.suppress(OSError):
                shutil.copy(path, logs / path.name)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _component(self, process: psutil.Process) -> str:
        if self.contender.component is not None:
            return self.contender.component(process.cmdline())
        for one in (process, *process.parents()):
            if one.pid in self._roles:
                return self._roles[one.pid]
        return "other"

    def _spent(self) -> float:
        return sum(self.tree.cpu_seconds().values())

    def _address(self, command: Command) -> str:
        return f"http://127.0.0.1:{self._ports[command.role]}"

    def _log(self, command: Command) -> Path:
        return self._folder / f"{command.role}.log"

    def _last_words(self, command: Command) -> str:
        lines = self._log(command).read_text(errors="replace").splitlines()[-15:]
        return "".join(f"\n    {line}" for line in lines)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Ignore stop signals inside."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    earlier = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, earlier, strict=True):
            # None: it was not set from Python.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _filled(text: str, values: dict[str, str]) -> str:
    return text.format_map(values)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _free_ports(names: list[str]) -> Iterator[tuple[str, int]]:
    """Yield a port for each name; all were free together a moment ago."""
    with contextlib.ExitStack() as stack:
        for name in names:
            probe = stack.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            yield name, int(probe.getsockname()[1])
