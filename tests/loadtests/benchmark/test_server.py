"""Real processes: started, measured, ended, and none left."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from loadtests.benchmark.server import INSIDE, isolate, isolated, serving
from loadtests.benchmark.systems import SYSTEMS, System
from loadtests.processes import ROOT, NotReadyError

SERVER = """
import http.server, subprocess, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *a): pass
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
spent = time.process_time()
while time.process_time() - spent < 0.3: pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def system(code: str) -> System:
    return System(
        "toy", "toy", "dev", ("-c", code.replace("{", "{{").replace("}", "}}"), "{port}"), "/"
    )


def test_a_system_is_started_measured_and_ended_with_all_that_it_started() -> None:
    with serving(system(SERVER)) as server:
        processes = server.processes()
        spent = server.cpu_seconds()
        memory = server.memory_bytes()

    assert len(processes) == 2
    assert 0.3 <= sum(spent.values()) < 20
    assert memory > 2_000_000
    assert server.start_seconds > 0.2
    assert server.url.endswith("/predict")
    assert not any(process.is_running() for process in processes)


def test_what_else_runs_below_is_not_the_system_s() -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with serving(system(SERVER)) as server:
            assert other.pid not in [process.pid for process in server.processes()]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_stop_signal_leaves_nothing_behind(tmp_path: Path) -> None:
    code = textwrap.dedent(f"""
        import signal, sys, time
        from pathlib import Path
        from loadtests.benchmark.server import adopt_orphans, serving
        from tests.loadtests.benchmark.test_server import SERVER, system
        adopt_orphans()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with serving(system(SERVER)) as server:
            found = [str(process.pid) for process in server.processes()]
            Path({str(tmp_path / "pids")!r}).write_text(" ".join(found))
            time.sleep(60)
    """)
    harness = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / "pids").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    harness.send_signal(signal.SIGTERM)
    harness.wait(60)

    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 2
    assert not [pid for pid in pids if psutil.pid_exists(int(pid))]


def test_one_that_ends_says_why() -> None:
    ends = system("import sys; print('no such thing'); sys.exit(3)")
    with (
        pytest.raises(NotReadyError, match=r"it did not get ready(.|\n)*no such thing"),
        serving(ends),
    ):
        pass


def test_what_listens_on_every_interface_is_not_started_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(INSIDE, raising=False)
    with (
        pytest.raises(NotReadyError, match="listens on every interface"),
        serving(SYSTEMS["ray-runtime"]),
    ):
        pass


def test_who_is_inside_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INSIDE, "1")
    isolate(["--rounds", "1"])
    assert isolated()
