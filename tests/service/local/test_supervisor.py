from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from service.local import supervisor
from service.local.supervisor import Backoff, Process, keep_up
from service.settings import Settings

RUNNER = """
import http.server, os, pathlib, sys, threading
starts = pathlib.Path(sys.argv[2])
starts.write_text(starts.read_text() + "x" if starts.exists() else "x")

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass

server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready)
if not starts.with_name("healed").exists():
    threading.Timer(0.3, os._exit, [3]).start()
server.serve_forever()
"""
"""Says that it is ready and dies a moment later, until it is healed."""


@pytest.mark.parametrize(("cpus", "half"), [(1, "1"), (2, "1"), (16, "8")])
def test_quick_runners_compute_on_half_of_the_cpus(
    monkeypatch: pytest.MonkeyPatch, cpus: int, half: str
) -> None:
    monkeypatch.delenv("OSTEOSERVE_THREADS", raising=False)
    monkeypatch.setattr(supervisor, "usable_cpus", lambda: cpus)
    found = {name: supervisor.threads(name) for name in supervisor.RUNNERS}
    assert found == {
        "cnn": {"OSTEOSERVE_THREADS": half},
        "vgg16": {},
        "resnet": {"OSTEOSERVE_THREADS": half},
        "vertebrae": {"OSTEOSERVE_THREADS": half},
        "stack": {},
    }


def test_threads_that_are_set_already_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTEOSERVE_THREADS", "3")
    assert [supervisor.threads(name) for name in supervisor.RUNNERS] == [{}] * len(
        supervisor.RUNNERS
    )


@pytest.mark.parametrize(
    ("ends", "pause"), [(1, 0), (5, 0), (6, 10), (7, 20), (8, 40), (12, 600), (10_000, 600)]
)
def test_the_pause_after_many_ends(ends: int, pause: float) -> None:
    assert Backoff().pause(ends) == pause


@asynccontextmanager
async def dying(folder: Path) -> AsyncIterator[tuple[Process, Path]]:
    port = next(supervisor.free_ports(1))
    starts = folder / "starts"
    process = Process(
        name="cnn",
        command=[sys.executable, "-c", RUNNER, str(port), str(starts)],
        ready_url=f"http://127.0.0.1:{port}/readyz",
        log=folder / "log",
        environment={},
    )
    await process.start()
    try:
        yield process, starts
    finally:
        await process.stop()


@pytest.mark.anyio
async def test_a_runner_that_keeps_dying_is_left_down_longer_and_comes_back_when_it_is_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backoff = Backoff(restarts=2, first_seconds=0.5, longest_seconds=1.0)
    async with dying(tmp_path) as (process, starts), aiohttp.ClientSession() as client:
        keeping = asyncio.create_task(keep_up(process, client, backoff))
        said = ""
        deadline = time.monotonic() + 60
        while said.count("keeps ending") < 3:
            assert time.monotonic() < deadline
            assert not keeping.done()
            await asyncio.sleep(0.05)
            said += capsys.readouterr().out
        assert "left down for 0 s" in said or "left down for 1 s" in said
        assert 3 <= len(starts.read_text()) <= 8
        starts.with_name("healed").touch()
        backs = said.count("is back")
        while said.count("is back") == backs:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
            said += capsys.readouterr().out
        # Well again, it stays.
        count = len(starts.read_text())
        await asyncio.sleep(1.0)
        assert process.child is not None
        assert process.child.returncode is None
        assert len(starts.read_text()) == count
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port cannot be held")
def test_a_runner_s_port_is_nobody_else_s_before_it_listens_and_while_it_is_down() -> None:
    ports = list(supervisor.free_ports(5))
    assert len(set(ports)) == 5
    for port in ports:
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        with socket.create_server(("127.0.0.1", port)) as runner:
            assert runner.getsockname()[1] == port


def test_an_address_that_can_be_listened_on() -> None:
    port = next(supervisor.free_ports(1))
    assert supervisor._fault_of("127.0.0.1", port) is None
    assert supervisor._fault_of("localhost", port) is None


def test_what_cannot_be_listened_on_is_named_by_what_is_at_fault() -> None:
    with supervisor.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "not free" in (supervisor._fault_of("127.0.0.1", port) or "")
    assert "OSTEOSERVE_HOST=192.0.2.1" in (supervisor._fault_of("192.0.2.1", port) or "")
    assert "OSTEOSERVE_HOST=no.such.invalid" in (
        supervisor._fault_of("no.such.invalid", port) or ""
    )
    assert "port 0" in (supervisor._fault_of("127.0.0.1", 0) or "")


@pytest.mark.parametrize("host", ["::1", "::", "127.0.0.1", "0.0.0.0"])  # noqa: S104 - a free port for a moment
def test_a_taken_port_and_an_address_of_any_kind(host: str) -> None:
    family = supervisor.socket.AF_INET6 if ":" in host else supervisor.socket.AF_INET
    try:
        with supervisor.socket.socket(family) as taken:
            taken.bind((host, 0))
            port = taken.getsockname()[1]
            taken.listen()
            assert "not free" in (supervisor._fault_of(host, port) or "")
    except OSError:
        pytest.skip("no IPv6 here")
    assert supervisor._fault_of(host, port) is None


@pytest.mark.parametrize(
    "host", ["[::1]", "http://127.0.0.1", "2001:db8::1", "192.0.2.7", "", "a b"]
)
def test_an_address_at_fault_is_never_a_port_that_is_not_free(host: str) -> None:
    said = supervisor._fault_of(host, 8123) or ""
    assert f"OSTEOSERVE_HOST={host}" in said
    assert "not free" not in said


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("::1", "http://[::1]:8123"),
        ("2001:db8::1", "http://[2001:db8::1]:8123"),
        ("dxa.lan", "http://dxa.lan:8123"),
        # All addresses are none that a browser could go to.
        ("0.0.0.0", "http://127.0.0.1:8123"),  # noqa: S104 - nothing listens
        ("::", "http://127.0.0.1:8123"),
    ],
)
def test_the_address_that_is_told(host: str, url: str) -> None:
    assert Settings(host=host, port=8123).local_url == url


def test_an_address_of_ipv6_stands_in_brackets(tmp_path: Path) -> None:
    found = supervisor.Supervisor(Settings(host="::1", port=8123, var=tmp_path), Path("python"))
    assert found._front.ready_url == "http://[::1]:8123/health/startup"
    assert found._target_groups[0]["targets"] == ["[::1]:8123"]
    try:
        with supervisor.socket.socket(supervisor.socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            port = probe.getsockname()[1]
    except OSError:
        pytest.skip("no IPv6 here")
    assert supervisor._fault_of("::1", port) is None


def test_everywhere_is_one_address_of_this_machine_and_taken_where_either_family_is(
    tmp_path: Path,
) -> None:
    found = supervisor.Supervisor(Settings(host="::", port=8123, var=tmp_path), Path("python"))
    assert found._front.ready_url == "http://127.0.0.1:8123/health/startup"
    with supervisor.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "not free" in (supervisor._fault_of("::", port) or "")
    assert supervisor._fault_of("::", port) is None


def test_a_gateway_is_started_where_there_are_peers(tmp_path: Path) -> None:
    python = Path(sys.executable)
    alone = supervisor.Supervisor(Settings(var=tmp_path), python)
    assert alone._gateways == []
    settings = Settings(var=tmp_path, gateway_peers=tmp_path / "peers.toml", gateway_http_port=8199)
    (gateway,) = supervisor.Supervisor(settings, python)._gateways
    assert gateway.command[1:] == ["-m", "service", "gateway"]
    assert gateway.ready_url == "http://127.0.0.1:8199/health/startup"
    # It asks the same runners as the front.
    assert gateway.environment["OSTEOSERVE_STACK_URL"].startswith("http://127.0.0.1:")
