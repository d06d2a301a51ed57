"""Real processes: started, measured, ended, and none left."""

from __future__ import annotations

import subprocess
import sys
import textwrap

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
