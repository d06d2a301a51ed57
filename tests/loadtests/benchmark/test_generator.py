"""The sender against real servers on loopback: one at a time, one that sheds, one that is deaf."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from loadtests.benchmark.generator import NO_ANSWER, Plan, Sent, send
from loadtests.benchmark.percentiles import percentile

SERVICE_SECONDS = 0.05


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        with self.server.counting():
            self._reply()

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said: dict[str, Any] = {"probability": len(body) / 10, "outcome": "normal"}
        if self.path == "/slow":
            with self.server.one_at_a_time:
                time.sleep(SERVICE_SECONDS)
        if self.path == "/shed":
            self._answer(503, {}, {"Retry-After": "2"})
        elif self.path == "/degraded":
            self._answer(200, said | {"degraded": True})
        else:
            self._answer(200, said)

    def _answer(
        self, status: int, said: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        content = json.dumps(said).encode()
        self.send_response(status)
        for name, value in ((headers or {}) | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """``most`` is how many requests it had at the same time."""

    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.one_at_a_time = threading.Lock()
        self.most = self._now = 0
        self._count = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @contextmanager
    def counting(self) -> Iterator[None]:
        with self._count:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            yield
        finally:
            with self._count:
                self._now -= 1

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a sender that did not wait for its answer."""


@contextmanager
def serving() -> Iterator[Server]:
    """Serve in a thread."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


def sent(url: str, count: int, **plan: object) -> Sent:
    bodies = [bytes(number + 1) for number in range(count)]
    return send(Plan(url, range(100, 100 + count), **plan), bodies)  # type: ignore[arg-type]


def test_each_answer_belongs_to_its_image(server: Server) -> None:
    found = sent(f"{server.url}/slow", 4, due=[0.0, 0.0, 0.0, 0.0])

    said = {sample.number: sample.probability for sample in found.samples}
    assert said == {100 + place: (place + 1) / 10 for place in range(4)}
    assert {sample.outcome for sample in found.samples} == {"normal"}
    assert not found.stopped


def test_waiting_behind_others_counts(server: Server) -> None:
    """At twice what a server can do the last wait longest, though each takes as long as ever."""
    count = 12
    found = sent(f"{server.url}/slow", count, due=[n * SERVICE_SECONDS / 2 for n in range(count)])

    latencies = [sample.latency for sample in sorted(found.samples)]
    assert len(latencies) == count
    assert latencies[-1] > 5 * SERVICE_SECONDS
    assert percentile(latencies, 0.5) > 2 * SERVICE_SECONDS


def test_a_hopeless_step_stops(server: Server) -> None:
    found = sent(
        f"{server.url}/slow", 60, due=[0.0] * 60, overdue=4 * SERVICE_SECONDS, overdue_allowed=1
    )

    assert found.stopped
    assert len(found.samples) < 60


def test_clients_that_wait_have_one_request_each(server: Server) -> None:
    found = sent(f"{server.url}/slow", 8, clients=2)

    assert len(found.samples) == 8
    assert server.most == 2


def test_a_refusal_is_told_with_its_header(server: Server) -> None:
    (sample,) = sent(f"{server.url}/shed", 1, due=[0.0]).samples

    assert (sample.status, sample.retry_after, sample.probability) == (503, True, None)


def test_an_answer_of_some_models_is_not_whole(server: Server) -> None:
    (sample,) = sent(f"{server.url}/degraded", 1, due=[0.0]).samples

    assert (sample.status, sample.whole) == (200, False)


def test_nobody_there_is_a_fault_and_no_exception() -> None:
    with serving() as server:
        pass
    (sample,) = sent(f"{server.url}/slow", 1, due=[0.0]).samples

    assert sample.status == NO_ANSWER
    assert sample.fault
