"""What Locust runs: callers that ask at their turn, and a shape that says how many there are.

Started by ``python -m loadtests``, which gives it a plan and, but for workers, a place for the
counts. Requests before the end of the warm-up are made and not counted; the rest are counted by
when they were due, and their latency runs from then, not from when they could be sent.
"""

from __future__ import annotations

import json
import math
import os
import random
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import gevent
from locust import FastHttpUser, LoadTestShape, events, task
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from loadtests import answers, mix
from loadtests.answers import Answer, Verdict
from loadtests.images import Images
from loadtests.mix import Ask
from loadtests.plan import DRAIN_SECONDS, PACE_SECONDS, TIMEOUT_SECONDS, Plan
from loadtests.requests import Request, Unanswerable, request
from loadtests.run import COUNTS
from loadtests.shapes import Rule
from loadtests.tally import Tally

_PLAN: Final = Plan.given()
_MARGIN: Final = 1.1
_AT_ONCE: Final = 100_000.0
"""Callers a second that come or go: a stage has its rate from its first second."""


class _Process:
    """What the callers of one process share."""

    def __init__(self, seed: int) -> None:
        self.images = Images(seed)
        self.rng = random.Random(seed)  # noqa: S311 - no secret
        self.warm_up = mix.endless(_PLAN.asks, self.rng)
        counted = sum(
            _PLAN.planned(stage) for stage in _PLAN.stages if stage.rule is Rule.OBJECTIVES
        )
        least = math.ceil(mix.LEAST / _PLAN.workers)
        self.asks = mix.measured(_PLAN.asks, int(counted / _PLAN.workers), self.rng, least)
        self.owed: deque[Ask] = deque()
        """Asked for when nothing was known yet that they could look at."""
        self.known: dict[str, deque[Any]] = {
            name: deque(maxlen=500) for name in ("prediction", "batch")
        }
        self.tally = Tally()
        self.in_flight = 0
        self.begun = time.perf_counter()

    def prepare(self) -> None:
        self.images.make(round(_PLAN.images / _PLAN.workers * _MARGIN) + 20)
        self.tally.images = len(self.images)
        self.tally.image_seconds = self.images.seconds

    def next(self, *, counted: bool) -> tuple[Ask, Request]:
        """Return what is asked now: what the mix says, or what can be asked first."""
        if self.owed:
            with suppress(Unanswerable):
                made = request(self.owed[0], self.images, self.known)
                return self.owed.popleft(), made
        row: Ask = next(self.asks if counted else self.warm_up)
        try:
            return row, request(row, self.images, self.known)
        except Unanswerable:
            if counted:
                self.owed.append(row)
            (row,) = mix.asks(["batch" if row.slo == "batch-progress" else "predict"])
            return row, request(row, self.images, self.known)

    def report(self) -> Tally:
        """Return what was counted since the last report."""
        self.tally.images_late, self.images.late = self.images.late, 0
        told, self.tally = self.tally, Tally()
        return told


_process = _Process(int.from_bytes(os.urandom(6)))
_together = Tally()
"""What workers told their master."""
_workers: dict[str, tuple[float, int]] = {}
"""When each was heard last, and how many requests it had on their way."""

# Before there is a runner: a worker that has said that it is there must not keep others waiting.
# The master of several asks nothing itself.
if "--master" not in sys.argv:
    _process.prepare()


class Caller(FastHttpUser):
    """Asks once in :data:`PACE_SECONDS`, at a moment of its own."""

    connection_timeout = TIMEOUT_SECONDS
    network_timeout = TIMEOUT_SECONDS
    # Locust's default takes any certificate; SSL_CERT_FILE names one's own authority.
    insecure = False

    def on_start(self) -> None:
        self._due = time.perf_counter()
        self._turn = False
        if not self._closed():
            self._due += random.random() * PACE_SECONDS  # noqa: S311

    def wait_time(self) -> float:
        """Return the time to the next turn.

        All waiting is done here: when there are to be fewer callers, who waits is taken away at
        once, and who asks is let finish.
        """
        now = time.perf_counter()
        if self._turn:
            self._due = now if self._closed() else self._due + PACE_SECONDS
        self._turn = True
        return max(0.0, self._due - now)

    def _closed(self) -> bool:
        stage = _PLAN.stage(time.perf_counter() - _process.begun)
        return stage is not None and _PLAN.stages[stage].callers is not None

    @task
    def ask(self) -> None:
        stage = _PLAN.stage(self._due - _process.begun)
        # Locust asks before it waits; here the first turn is waited for.
        if not self._turn or stage is None:
            return
        counted = _PLAN.stages[stage].rule is not Rule.WARM_UP
        row, made = _process.next(counted=counted)
        late = max(0.0, time.perf_counter() - self._due)
        _process.in_flight += 1
        try:
            verdict, seconds = self._sent(row, made)
        finally:
            _process.in_flight -= 1
        if verdict.kind == "served":
            for kind, value in made.learnt(verdict).items():
                _process.known[kind].append(value)
        if not counted:
            return
        seconds += late
        slo = mix.OBJECTIVES[row.slo]
        fast = seconds <= slo.latency_seconds
        _process.tally.count(stage, row.slo).add(verdict, seconds, fast, late)

    def _sent(self, row: Ask, made: Request) -> tuple[Verdict, float]:
        """Return what the answer was worth and how long it took.

        As objectives count it: to the answer's beginning where it is a stream, else to its end.
        """
        slo = mix.OBJECTIVES[row.slo]
        # A whole answer may not take longer than a turn: a socket's timeout begins anew each time.
        limit = gevent.Timeout(TIMEOUT_SECONDS)
        limit.start()
        begun = time.perf_counter()
        try:
            with self.client.request(
                slo.method,
                made.path,
                name=slo.route,
                data=made.body,  # type: ignore[arg-type]  # bytes are sent as they are
                headers={"Connection": "close", "Accept-Language": "en", **made.headers},
                allow_redirects=False,
                stream=made.stream,
                catch_response=True,
            ) as response:
                left = TIMEOUT_SECONDS - (time.perf_counter() - begun)
                verdict = _verdict(row, response, made, left)
                if verdict.kind in ("failed", "wrong"):
                    response.failure(f"{verdict.kind}: {verdict.fault}")
                else:
                    response.success()
                return verdict, response.request_meta["response_time"] / 1000
        except gevent.Timeout:
            return Verdict("failed", "timeout"), TIMEOUT_SECONDS
        finally:
            limit.close()


def _verdict(row: Ask, response: Any, made: Request, left: float) -> Verdict:
    if not response.status_code:
        # What Locust's client wraps into one that says nothing.
        error = getattr(response.error, "original", None) or response.error
        return Verdict("failed", type(error).__name__)
    headers = {key.lower(): value for key, value in response.headers.items()}
    body = _lines(response, left - 1) if made.stream else (response.content or b"")
    return answers.judge(row.slo, Answer(response.status_code, headers, bytes(body)))


def _lines(response: Any, seconds: float) -> bytes:
    """Read a stream until it ends, or until the caller has to go: a batch goes on without it."""
    read = bytearray()
    with gevent.Timeout(max(seconds, 0.1), False):
        for chunk in response.iter_content(65536, decode_content=False):
            read += chunk
    return bytes(read)


class Load(LoadTestShape):
    def tick(self) -> tuple[int, float] | None:
        seconds: float = self.get_run_time()  # type: ignore[no-untyped-call]
        if seconds > _PLAN.seconds + DRAIN_SECONDS:
            return None
        if seconds > _PLAN.seconds + 1 and _all_back(self.runner):
            return None
        return _PLAN.callers(seconds), _AT_ONCE


def _all_back(runner: Runner | None) -> bool:
    """Say whether no request is on its way any more, as far as is known for certain."""
    if not isinstance(runner, MasterRunner):
        return not _process.in_flight
    over = _process.begun + _PLAN.seconds + 1
    return len(_workers) == _PLAN.workers and all(
        heard > over and not in_flight for heard, in_flight in _workers.values()
    )


@events.test_start.add_listener
def _begin(**_: Any) -> None:
    _process.begun = time.perf_counter()


@events.report_to_master.add_listener
def _tell(data: dict[str, Any], **_: Any) -> None:
    data["osteoserve"] = _process.report().document()
    data["osteoserve_in_flight"] = _process.in_flight


@events.worker_report.add_listener
def _hear(client_id: str, data: dict[str, Any], **_: Any) -> None:
    if "osteoserve" in data:
        _together.merge(Tally.of(data["osteoserve"]))
        _workers[client_id] = time.perf_counter(), data["osteoserve_in_flight"]


@events.quitting.add_listener
def _end(environment: Environment, **_: Any) -> None:
    if isinstance(environment.runner, WorkerRunner) or COUNTS not in os.environ:
        return
    total = _process.report()
    total.merge(_together)
    Path(os.environ[COUNTS]).write_text(json.dumps(total.document()), "utf-8")
    # What is right and wrong is judged where the counts are read.
    environment.process_exit_code = 0
