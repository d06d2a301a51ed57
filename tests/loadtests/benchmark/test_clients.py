"""Clients against a real server on loopback: one at a time, one that sheds, one that is deaf."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest

from loadtests.benchmark.clients import Window, send

SERVICE_SECONDS = 0.05


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = {"probability": len(body) / 10, "outcome": "normal"}
        if self.path == "/slow":
            with self.server.one_at_a_time:
                time.sleep(SERVICE_SECONDS)
        status = 503 if self.path == "/shed" else 200
        said |= {"/degraded": {"degraded": True}, "/refused": {"probability": None}}.get(
            self.path, {}
        )
        content = b"<html>" if self.path == "/page" else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.one_at_a_time = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sent(url: str, images: int, clients: int = 1) -> Window:
    bodies = ((100 + number, bytes(number + 1)) for number in range(images))
    return send(url, bodies, Window(clients, 30.0), dict)


def now() -> dict[str, float]:
    return {"now": time.monotonic()}


def test_each_answer_belongs_to_its_image() -> None:
    with serving() as server:
        found = sent(f"{server.url}/slow", 4, clients=3)
    said = {answer.number: answer.probability for answer in found.answers}
    assert said == {100 + place: (place + 1) / 10 for place in range(4)}
    assert not found.faults


def test_throughput_is_what_the_server_does_whoever_waits() -> None:
    endless = ((number, b"x") for number in count())
    with serving() as server:
        found = send(f"{server.url}/slow", endless, Window(4, 2.0), now, warm_up=0.4)
    # At most one every 50 ms, and little less on a machine that has other things to do.
    assert 0.4 / SERVICE_SECONDS < found.images_per_second <= 1.02 / SERVICE_SECONDS
    assert (found.quantile_ms(0.5) or 0) >= 3.5 * SERVICE_SECONDS * 1000
    begin, end = found.marks
    assert end["now"] - begin["now"] == pytest.approx(2.0, abs=0.5)


@pytest.mark.parametrize(
    ("path", "fault"),
    [("shed", "503"), ("degraded", "degraded"), ("refused", "normal"), ("page", "no JSON")],
)
def test_what_is_no_whole_answer_is_a_fault(path: str, fault: str) -> None:
    with serving() as server:
        found = sent(f"{server.url}/{path}", 2)
    assert found.faults == {fault: 2}
    assert (found.answers, found.images_per_second, found.quantile_ms(0.5)) == ([], 0.0, None)


def test_nobody_there_is_a_fault_and_no_exception() -> None:
    with serving() as server:
        pass
    assert sent(f"{server.url}/slow", 1).faults == {"ClientConnectorError": 1}
