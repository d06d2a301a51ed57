"""Fronts replaced one after another under load, as a cluster's rollout does it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import FRONT, ROOT, START_SECONDS, Running
from tests.ports import free_port

pytestmark = pytest.mark.e2e

DRAIN_SECONDS = 2.0


@dataclass
class Replica:
    """One of several fronts on the same runners and database."""

    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [str(FRONT), "-m", "service", "serve", "--port", str(self.port)],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.ready("/health/startup"):
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def ready(self, path: str = "/health/ready") -> bool:
        try:
            return httpx.get(self.url + path, trust_env=False, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


class Balancer:
    """What a Service does: new connections go to whoever was ready when last looked."""

    def __init__(self, replicas: list[Replica]) -> None:
        self._replicas = replicas
        self._ready = list(replicas)
        self._turns = cycle(range(10**9))

    def next(self) -> Replica:
        ready = self._ready
        return ready[next(self._turns) % len(ready)]

    def look(self, over: threading.Event) -> None:
        while not over.is_set():
            self._ready = [one for one in self._replicas if one.ready()] or self._ready
            time.sleep(0.2)


@contextmanager
def background(*calls: object) -> Iterator[None]:
    threads = [threading.Thread(target=call) for call in calls]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()


def test_no_request_is_lost_while_fronts_are_replaced(
    running: Running, png: bytes, tmp_path: Path
) -> None:
    port = running.url.rsplit(":", 1)[1]
    targets = json.loads((running.var / "targets" / f"{port}.json").read_text())
    runners = {group["labels"]["component"]: group["targets"][0] for group in targets}
    environment = {
        "OSTEOSERVE_VAR": str(tmp_path),
        "OSTEOSERVE_AUTH": "none",
        "OSTEOSERVE_DRAIN_SECONDS": str(DRAIN_SECONDS),
        **{
            f"OSTEOSERVE_{name.upper()}_URL": f"http://{target}"
            for name, target in runners.items()
            if name != "front"
        },
    }
    replicas = [Replica(environment), Replica(environment)]
    answers: list[int | str] = []
    over = threading.Event()
    balancer = Balancer(replicas)

    def ask(own: bytes) -> None:
        number = 0
        while not over.is_set():
            number += 1
            replica = balancer.next()
            # Unlike any other file, so that no memory of an earlier one answers.
            data = png + own + number.to_bytes(4, "big")
            try:
                # A connection each, as kept ones would hold on to a front that is leaving.
                answer = httpx.post(
                    f"{replica.url}/api/v1/predictions", content=data, timeout=60, trust_env=False
                )
                answers.append(answer.status_code)
            except httpx.TransportError as error:
                answers.append(type(error).__name__)

    try:
        for replica in replicas:
            replica.start()
        with background(
            lambda: balancer.look(over), lambda: ask(b"a"), lambda: ask(b"b"), lambda: ask(b"c")
        ):
            try:
                for replica in replicas:
                    time.sleep(1.0)
                    before = len(answers)
                    # It ends as it was told to, once the last answer is out.
                    assert replica.stop() in (0, -signal.SIGTERM)
                    replica.start()
                    assert len(answers) > before, "there was no load"
                time.sleep(1.0)
            finally:
                over.set()
    finally:
        for replica in replicas:
            if replica.process is not None and replica.process.poll() is None:
                replica.process.kill()
                replica.process.wait(60)
    assert set(answers) == {201}
