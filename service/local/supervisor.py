"""Run everything on one machine: five runners, the front, and the gateway where it has peers.

This is for a laptop, a test or a small clinic's one server; a cluster has better (the chart). It
knows no more than it must: start, wait until ready, start a runner again that ends, stop everything
when the front ends or a person asks.

A runner that ends after everything was ready is started again, since the front answers without
it meanwhile, marked degraded, or with 503 where it is ``vertebrae``. One that keeps ending is left
down for a while, each time for longer: the others are as good as they were. A process that ends
before everything was ready, or the front at any time, stops everything: something is wrong that
another start will not mend.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp

from listener.server import listened_on
from models.files import replace
from models.runtime import usable_cpus
from service.commands import LINK_MINUTES, first_link
from service.http.settings import authority
from service.runners.registry import BY_NAME, REGISTRY
from service.settings import PREFIX, Settings
from service.storage.errors import StorageError
from service.types import RUNNERS, RunnerName

START_SECONDS: Final = 180.0
"""Longest wait for a process to get ready; a cold disk and two slow cores need a minute."""

STOP_SECONDS: Final = 20.0
"""Longest wait for a process to end after SIGTERM, then SIGKILL."""


POLL_SECONDS: Final = 0.25

GATEWAY: Final = "gateway"

MEANWHILE: Final[Mapping[str, str]] = {
    **{one.name: "no scan is judged" for one in REGISTRY if one.role == "outlines"},
    GATEWAY: "no scanner is answered",
}
"""What is so while one of these is down; while another is, answers are degraded."""

TARGETS: Final = "targets"
"""Folder of state with a file a run: where to scrape what runs, as Prometheus' file_sd_configs
read it. They take a pattern of files alone, so it is not the run's own folder."""


@dataclass(frozen=True)
class Backoff:
    """How long a runner that ended is left down."""

    restarts: int = 5
    """So often within the window it is started again at once."""
    window_seconds: float = 300.0
    first_seconds: float = 10.0
    longest_seconds: float = 600.0

    def pause(self, ends: int) -> float:
        """Return the seconds before the next start, with ``ends`` within the window."""
        beyond = ends - self.restarts
        if beyond <= 0:
            return 0.0
        return float(min(self.first_seconds * 2.0 ** min(beyond - 1, 30), self.longest_seconds))


class StartError(RuntimeError):
    """What was asked for cannot be started; the message says why and what to do."""


@dataclass
class Process:
    """One child: how to start it, where it says that it is ready, where its output goes.

    Without a ``log`` that is where ours goes. ``patience``: seconds that it has to end.
    """

    name: str
    command: list[str]
    ready_url: str
    log: Path | None
    environment: Mapping[str, str]
    patience: float = STOP_SECONDS
    child: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with contextlib.ExitStack() as stack:
            log = None if self.log is None else stack.enter_context(self.log.open("ab"))
            self.child = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                # A group of its own: Ctrl-C reaches only the supervisor, which stops the front
                # before the runners, and what a child leaves behind can be ended with it.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    async def wait_ready(self, client: aiohttp.ClientSession) -> None:
        """Return once ready. Raises :class:`StartError` when it ends or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.child is None or self.child.returncode is not None:
                raise StartError(f"{self.name} ended before it was ready{self.last_words()}")
            with contextlib.suppress(TimeoutError, aiohttp.ClientError):
                async with client.get(self.ready_url) as response:
                    if response.status == HTTPStatus.OK:
                        return
            await asyncio.sleep(POLL_SECONDS)
        raise StartError(
            f"{self.name} was not ready within {START_SECONDS:.0f} s{self.last_words()}"
        )

    async def stop(self) -> None:
        """End the process and all that it started; return when they are gone."""
        if self.child is None:
            return
        if self.child.returncode is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.child.wait(), self.patience)
        # Also when it ended by itself: a killed server leaves its workers on the port.
        self._signal(signal.SIGKILL)
        await self.child.wait()

    def last_words(self) -> str:
        if self.log is None:
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-15:] if self.log.exists() else []
        return "".join(f"\n    {line}" for line in lines) + f"\n  (all of it: {self.log})"

    def _signal(self, number: signal.Signals) -> None:
        if self.child is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.child.pid, number)


class Supervisor:
    """All processes of one ``make run``."""

    def __init__(self, settings: Settings, runner_python: Path) -> None:
        self._settings = settings
        port, var = settings.port, settings.var
        self._address = settings.local_url
        # One folder a port, so that two of us on one machine never share a file.
        self._folder = var.resolve() / "run" / str(port)
        ports = dict(zip(RUNNERS, free_ports(len(RUNNERS)), strict=True))
        self._runners = [self._runner(name, ports[name], runner_python) for name in RUNNERS]
        environment = {
            # Its matrices are small, and decoded images have threads of their own: alone an
            # image is prepared as fast, beside the runners in a tenth of the time.
            "OPENBLAS_NUM_THREADS": "1",
            **{
                PREFIX + BY_NAME[name].setting.upper(): f"http://127.0.0.1:{port}"
                for name, port in ports.items()
            },
        }
        self._front = Process(
            name="front",
            command=[sys.executable, "-m", "service", "serve", "--port", str(port)],
            ready_url=f"{self._address}/health/startup",
            log=self._folder / "front.log",
            environment=environment,
        )
        gateway = authority(settings.gateway_host, settings.gateway_http_port)
        self._gateways = (
            []
            if settings.gateway_peers is None
            else [
                Process(
                    name=GATEWAY,
                    command=[sys.executable, "-m", "service", GATEWAY],
                    ready_url=f"http://{gateway}/health/startup",
                    log=self._folder / f"{GATEWAY}.log",
                    environment=environment,
                )
            ]
        )
        self._targets = var.resolve() / TARGETS / f"{port}.json"
        self._target_groups = [
            {"targets": [authority(settings.host, port)], "labels": {"component": "front"}},
            *({"targets": [gateway], "labels": {"component": one.name}} for one in self._gateways),
            *(
                {"targets": [f"127.0.0.1:{port}"], "labels": {"component": name}}
                for name, port in ports.items()
            ),
        ]
        self._stopping = asyncio.Event()

    async def run(self) -> int:
        """Run until asked to stop (0) or until something cannot go on (1)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopping.set)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        work = asyncio.create_task(self._work())
        asked = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                _say("stopping")
                return 0
            work.result()
        except StartError as error:
            _say(str(error))
            return 1
        finally:
            for task in (work, asked):
                task.cancel()
            await asyncio.gather(work, asked, return_exceptions=True)
            await asyncio.gather(*(one.stop() for one in (self._front, *self._gateways)))
            await asyncio.gather(*(process.stop() for process in self._runners))
            # What was stopped on purpose is nothing to be called for.
            self._targets.unlink(missing_ok=True)
            _say("all stopped")
        return 1

    async def _work(self) -> None:
        """Start everything, then watch it. Ends only by raising :class:`StartError`."""
        processes = [*self._runners, self._front, *self._gateways]
        patience = aiohttp.ClientTimeout(total=5.0)
        async with aiohttp.ClientSession(timeout=patience, trust_env=False) as client:
            self._targets.parent.mkdir(exist_ok=True)
            replace(self._targets, json.dumps(self._target_groups, indent=1).encode())
            _say(f"starting {', '.join(process.name for process in processes)}")
            begun = time.monotonic()
            for process in processes:
                await process.start()
            await together(_announce(process, client, begun) for process in processes)
            _say(f"ready: {self._address}   (logs in {self._folder}, Ctrl-C stops)")
            await self._welcome()
            await together(
                [
                    self._watch_front(),
                    *(keep_up(one, client) for one in (*self._runners, *self._gateways)),
                ]
            )

    async def _welcome(self) -> None:
        """Print the link that makes the first account, until there is one."""
        if self._settings.auth == "none":
            _say("nobody signs in (OSTEOSERVE_AUTH=none): whoever is at this machine may do all")
            return
        try:
            link = await first_link(self._settings)
        except (StorageError, OSError) as error:
            _say(f"no link for the first account could be made: {error}")
            return
        if link is not None:
            _say(f"no account yet: within {LINK_MINUTES} minutes, make the first one at\n{link}")

    async def _watch_front(self) -> None:
        code = await ended(self._front)
        raise StartError(f"the front ended ({code}){self._front.last_words()}")

    def _runner(self, name: RunnerName, port: int, python: Path) -> Process:
        home = self._folder / "bentoml" / name
        return Process(
            name=name,
            command=[
                *(str(python), "-m", "bentos", name, "--host", "127.0.0.1", "--port", str(port)),
            ],
            ready_url=f"http://127.0.0.1:{port}/readyz",
            log=self._folder / f"{name}.log",
            environment={"BENTOML_HOME": str(home), **threads(name)},
        )


async def keep_up(
    process: Process, client: aiohttp.ClientSession, backoff: Backoff | None = None
) -> None:
    """Start ``process`` again whenever it ends, for ever; later each time where it keeps ending."""
    backoff = Backoff() if backoff is None else backoff
    ends: list[float] = []
    while True:
        code = await ended(process)
        down_since = time.monotonic()
        while True:
            now = time.monotonic()
            # What it was left down for does not count, or a long pause would make it forget.
            window = backoff.window_seconds + backoff.pause(len(ends))
            ends = [*(end for end in ends if now - end < window), now]
            pause = backoff.pause(len(ends))
            meanwhile = MEANWHILE.get(process.name, "answers are degraded")
            if pause:
                _say(
                    f"{process.name} keeps ending ({code}); it is left down for {pause:.0f} s, "
                    f"{meanwhile}{process.last_words()}"
                )
            else:
                _say(f"{process.name} ended ({code}); {meanwhile} until it is back")
            # What a killed one left behind must not keep the port for the whole pause.
            await process.stop()
            await asyncio.sleep(pause)
            try:
                await process.start()
                await process.wait_ready(client)
            except (StartError, OSError) as error:
                code = f"not ready: {type(error).__name__}"
                continue
            _say(f"{process.name} is back after {time.monotonic() - down_since:.1f} s")
            break


def threads(name: RunnerName) -> dict[str, str]:
    """Return on how many CPUs a runner computes beside the others; what is set already stands.

    The slowest model has all: with a share of them the machine stands half idle while it works (two
    cores, no bfloat16: 9.2 images/s against 12.2). Those that are done before it have half, since
    threads of a small network mostly wait for each other where others want their CPU: CNN and
    ResNet took 4 ms less of 163 an image, and one image alone no longer.
    """
    if not BY_NAME[name].quick or "OSTEOSERVE_THREADS" in os.environ:
        return {}
    return {"OSTEOSERVE_THREADS": str(max(1, usable_cpus() // 2))}


async def run(settings: Settings) -> int:
    """Check what can be checked, then supervise. Raises :class:`StartError`."""
    python = Path(os.environ.get("OSTEOSERVE_RUNNER_PYTHON", ".venv/runners/bin/python"))
    if shutil.which(python) is None:
        raise StartError(f"no {python}: `make run` makes it, or set OSTEOSERVE_RUNNER_PYTHON")
    fault = _fault_of(settings.host, settings.port)
    if fault is not None:
        raise StartError(fault)
    return await Supervisor(settings, python).run()


async def _announce(process: Process, client: aiohttp.ClientSession, begun: float) -> None:
    await process.wait_ready(client)
    _say(f"  {process.name:9} ready after {time.monotonic() - begun:.1f} s")


async def together(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Await all; the first error ends the others and is raised as it is, in no group."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def ended(process: Process) -> str:
    if process.child is None:
        raise StartError(f"{process.name} was never started")
    code = await process.child.wait()
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def free_ports(count: int) -> Iterator[int]:
    """Yield ports of loopback that nobody else is given while this process lives.

    A runner needs seconds until it listens, and longer where it keeps ending. That a server may
    listen where another's silent socket is bound, if both reuse addresses, only Linux has:
    elsewhere the ports were free together a moment ago.
    """
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1] for one in sockets]
        if sys.platform == "linux":
            for one in sockets:
                one.detach()
    yield from ports


def _fault_of(host: str, port: int) -> str | None:
    """Return why nothing can listen on ``port`` of ``host``, None where it can."""
    another = "`make run PORT=8001` takes another"
    if not host:
        return "OSTEOSERVE_HOST= is no address; :: stands for all of this machine's"
    if port == 0:
        return f"port 0 is none that people can be told; {another}"
    try:
        found = socket.getaddrinfo(
            listened_on(host) or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError:
        return f"OSTEOSERVE_HOST={host} is no address and no name that is known here"
    for family, kind, protocol, _, address in found:
        try:
            probe = socket.socket(family, kind, protocol)
        except OSError:
            # A family that this machine does not have; the listener leaves it out as well.
            continue
        with probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind(address)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return f"port {port} of {host} is not free; {another}"
                return f"nothing can listen on OSTEOSERVE_HOST={host} port {port}: {error.strerror}"
    return None


def _die_with_parent() -> None:
    """Ask Linux to end this child when the supervisor is killed and cannot."""
    if sys.platform == "linux":
        parent_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGTERM)


def _say(line: str) -> None:
    print(f"osteoserve: {line}", flush=True)
