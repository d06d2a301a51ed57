"""Waiting for a service that is only starting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from loadtests.processes import NotReadyError
from loadtests.target import component, wait


@contextmanager
def answering(*statuses: int) -> Iterator[tuple[str, list[int]]]:
    """Yield an address that answers with ``statuses``, the last for ever, and what it answered."""
    given: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given.append(statuses[min(len(given), len(statuses) - 1)])
            self.send_response(given[-1])
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", given
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_one_that_is_only_starting_is_waited_for() -> None:
    with answering(503, 200) as (url, given):
        wait(url, 30)
    assert given == [503, 200]


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with answering(200) as (url, given):
        wait(url, 0.1)
    assert given == [200]


def test_one_that_never_gets_ready_is_told_with_what_it_said() -> None:
    with (
        answering(503) as (url, _),
        pytest.raises(NotReadyError, match=r"did not answer within 0\.2 s: HTTP 503"),
    ):
        wait(url, 0.2)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["python", "-m", "bentos", "vgg16", "--port", "1"], "vgg16"),
        (["python", "-m", "bentos", "vertebrae", "--port", "1"], "vertebrae"),
        (["python", "-m", "service", "serve", "--port", "1"], "front"),
        (["python", "-m", "service", "run", "--port", "1"], None),
    ],
)
def test_processes_are_told_apart_by_their_command(arguments: list[str], part: str | None) -> None:
    assert component(arguments) == part
