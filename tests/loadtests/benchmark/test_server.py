"""Real processes: started, measured, ended, and none left."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx
import psutil
import pytest

from loadtests.benchmark.contender import ROOT, Command, Contender
from loadtests.benchmark.server import Server, ServerError

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


def contender(code: str) -> Contender:
    return Contender(
        name="toy",
        title="toy",
        group="peer",
        engine="runtime",
        topology="one",
        venv="dev",
        commands=(Command("front", ("-c", code, "{front}"), ready="/"),),
        path="/predict",
        packages=(),
    )


def test_a_server_is_started_measured_and_ended_with_all_that_it_started() -> None:
    with Server(contender(SERVER)) as server:
        processes = server.tree.processes()
        spent = server.tree.cpu_seconds()
        memory = server.tree.memory_bytes()

    assert len(processes) == 2
    assert set(spent) == {"front"}
    assert 0.3 <= spent["front"] < 20
    assert memory > 2_000_000
    assert server.start_seconds > 0.2
    assert server.url.endswith("/predict")
    assert not any(process.is_running() for process in processes)


def test_one_that_computes_while_nobody_asks_is_held_still_and_goes_on() -> None:
    code = SERVER.replace("import time; time.sleep(600)", "while True: pass")
    with Server(contender(code)) as server:
        _spends(server)
        with server.stopped():
            assert _spent_within(server, 0.5) < 0.05
        _spends(server)
        assert httpx.get(server.url, trust_env=False).is_success


def _spends(server: Server) -> None:
    """Wait until it has computed for a tenth of a second: on a busy machine that takes a while."""
    spent, deadline = 0.0, time.monotonic() + 60
    while spent < 0.1:
        assert time.monotonic() < deadline
        spent += _spent_within(server, 0.1)


def _spent_within(server: Server, seconds: float) -> float:
    before = sum(server.tree.cpu_seconds().values())
    time.sleep(seconds)
    return sum(server.tree.cpu_seconds().values()) - before


def test_a_stop_signal_sent_twice_leaves_nothing_behind(tmp_path: Path) -> None:
    code = textwrap.dedent(f"""
        import signal, sys, time
        from pathlib import Path
        from loadtests.benchmark.server import Server
        from loadtests.benchmark.tree import adopt_orphans
        from tests.loadtests.benchmark.test_server import SERVER, contender
        adopt_orphans()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with Server(contender(SERVER)) as server:
            found = [str(process.pid) for process in server.tree.processes()]
            Path({str(tmp_path / "pids")!r}).write_text(" ".join(found))
            time.sleep(60)
    """)
    harness = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / "pids").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    harness.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    harness.send_signal(signal.SIGTERM)
    harness.wait(60)

    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 2
    assert not [pid for pid in pids if psutil.pid_exists(int(pid))]


def test_one_that_ends_says_why() -> None:
    with (
        pytest.raises(ServerError, match=r"front ended \(3\)(.|\n)*no such thing"),
        Server(contender("import sys; print('no such thing'); sys.exit(3)")),
    ):
        pass


def test_orphans_are_not_lost_from_sight() -> None:
    """In a process of its own: who adopts orphans does so for good."""
    code = textwrap.dedent("""
        import subprocess, sys, time
        from loadtests.benchmark.tree import Tree, adopt_orphans
        adopt_orphans()
        tree = Tree((), lambda process: "all")
        # The middle one ends at once and leaves its child.
        child = "import time; time.sleep(60)"
        middle = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{child}'])"
        subprocess.run([sys.executable, "-c", middle], check=True)
        (orphan,) = tree.processes()
        print(orphan.pid)
        orphan.kill()
        orphan.wait()
    """)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert not psutil.pid_exists(int(done.stdout))
