"""What Locust runs: users that send at their turn, and a shape that says how many there are.

Started by ``python -m loadtests``. Requests of the warm-up are made and not counted; the rest are
counted by when they were due, and their latency runs from then.
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
from typing import Any, ClassVar, Final

import gevent
from locust import FastHttpUser, LoadTestShape, events, task
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from loadtests import answers, mix, target
from loadtests.answers import Answer, Verdict
from loadtests.images import Images
from loadtests.mix import RequestKind
from loadtests.plan import DRAIN_SECONDS, PACE_SECONDS, TIMEOUT_SECONDS, Plan
from loadtests.requests import Request, Unanswerable, request
from loadtests.run import STATS
from loadtests.shapes import Rule
from loadtests.stats import RunStats

KEY: Final = (
    {"Authorization": f"Bearer {os.environ[target.KEY]}"} if target.KEY in os.environ else {}
)
"""Of whoever is asked for a key: a front that people sign in to."""

_MARGIN: Final = 1.1
_AT_ONCE: Final = 100_000.0
"""Users a second that come or go: a stage has its rate from its first second."""


class Sender:
    """What the users of one process share: the plan, images, what is known, what was counted."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self.plan = plan
        self.images = Images(seed)
        self.known: dict[str, deque[Any]] = {
            name: deque(maxlen=500) for name in ("prediction", "batch")
        }
        self.stats = RunStats()
        self.in_flight = 0
        self.begun = time.perf_counter()
        rng = random.Random(seed)  # noqa: S311 - no secret
        self._warm_up = mix.endless(plan.kinds, rng)
        counted = sum(plan.planned(one) for one in plan.stages if one.rule is Rule.OBJECTIVES)
        least = math.ceil(mix.LEAST / plan.workers)
        self._counted = mix.measured(plan.kinds, int(counted / plan.workers), rng, least)
        self._deferred: deque[RequestKind] = deque()
        """Due when nothing was known yet that they could look at."""

    def prepare(self) -> None:
        self.images.make(round(self.plan.images / self.plan.workers * _MARGIN) + 20)
        self.stats.images = len(self.images)
        self.stats.image_seconds = self.images.seconds

    def next(self, *, counted: bool) -> tuple[RequestKind, Request]:
        """Return what is sent now: what the mix says, or what can be sent first."""
        if self._deferred:
            with suppress(Unanswerable):
                made = request(self._deferred[0], self.images, self.known)
                return self._deferred.popleft(), made
        kind = next(self._counted if counted else self._warm_up)
        try:
            return kind, request(kind, self.images, self.known)
        except Unanswerable:
            if counted:
                self._deferred.append(kind)
            (kind,) = mix.kinds(["batch" if kind.slo == "batch-progress" else "predict"])
            return kind, request(kind, self.images, self.known)

    def report(self) -> RunStats:
        """Return what was counted since the last report."""
        self.stats.images_late, self.images.late = self.images.late, 0
        counted, self.stats = self.stats, RunStats()
        return counted


_merged = RunStats()  # What workers told their master
_workers: dict[str, tuple[float, int]] = {}
"""When each was heard last, and how many requests it had in flight."""


@events.init_command_line_parser.add_listener
def _prepare(*_: Any, **__: Any) -> None:
    """Make the sender and its images: the last event before Locust has a runner.

    A worker that is there must not keep others waiting; a master of several sends nothing.
    """
    LoadUser.sender = Sender(Plan.given(), int.from_bytes(os.urandom(6)))
    if "--master" not in sys.argv:
        LoadUser.sender.prepare()


class LoadUser(FastHttpUser):
    """Sends once in :data:`PACE_SECONDS`, at a moment of its own."""

    sender: ClassVar[Sender]

    connection_timeout = TIMEOUT_SECONDS
    network_timeout = TIMEOUT_SECONDS
    insecure = False  # Locust's default; SSL_CERT_FILE names one's own authority.

    def on_start(self) -> None:
        self._due = time.perf_counter()
        self._turn = False
        if not self._closed():
            self._due += random.random() * PACE_SECONDS  # noqa: S311 - no secret

    def wait_time(self) -> float:
        """Return the time to the next turn.

        Who waits here is taken away when there are to be fewer users; who has sent may finish.
        """
        now = time.perf_counter()
        if self._turn:
            self._due = now if self._closed() else self._due + PACE_SECONDS
        self._turn = True
        return max(0.0, self._due - now)

    def _closed(self) -> bool:
        stage = self.sender.plan.stage(time.perf_counter() - self.sender.begun)
        return stage is not None and self.sender.plan.stages[stage].users is not None

    @task
    def send(self) -> None:
        sender = self.sender
        stage = sender.plan.stage(self._due - sender.begun)
        # Locust sends before it waits; here the first turn is waited for.
        if not self._turn or stage is None:
            return
        counted = sender.plan.stages[stage].rule is not Rule.WARM_UP
        kind, made = sender.next(counted=counted)
        send_delay = max(0.0, time.perf_counter() - self._due)
        sender.in_flight += 1
        try:
            verdict, seconds = self._answered(kind, made)
        finally:
            sender.in_flight -= 1
        if verdict.kind == "served":
            for name, value in made.learnt(verdict).items():
                sender.known[name].append(value)
        if not counted:
            return
        seconds += send_delay
        fast = seconds <= mix.OBJECTIVES[kind.slo].latency_seconds
        sender.stats.at(stage, kind.slo).add(verdict, seconds, fast, send_delay)

    def _answered(self, kind: RequestKind, made: Request) -> tuple[Verdict, float]:
        """Return what the answer was worth and how long it took.

        As objectives count it: to the answer's beginning where it is a stream, else to its end.
        """
        slo, begun = mix.OBJECTIVES[kind.slo], time.perf_counter()
        # A whole answer may not take longer than a turn: a socket's timeout begins anew each time.
        limit = gevent.Timeout(TIMEOUT_SECONDS)
        limit.start()
        try:
            with self.client.request(
                slo.method,
                made.path,
                name=slo.route,
                data=made.body,  # type: ignore[arg-type]  # bytes are sent as they are
                headers={"Connection": "close", "Accept-Language": "en", **KEY, **made.headers},
                allow_redirects=False,
                stream=made.stream,
                catch_response=True,
            ) as response:
                left = TIMEOUT_SECONDS - (time.perf_counter() - begun)
                verdict = _verdict(kind, response, made, left)
                if verdict.kind in ("failed", "wrong"):
                    response.failure(f"{verdict.kind}: {verdict.fault}")
                else:
                    response.success()
                return verdict, response.request_meta["response_time"] / 1000
        except gevent.Timeout:
            return Verdict("failed", "timeout"), TIMEOUT_SECONDS
        finally:
            limit.close()


def _verdict(kind: RequestKind, response: Any, made: Request, left: float) -> Verdict:
    if not response.status_code:
        # What Locust's client wraps into one that says nothing.
        error = getattr(response.error, "original", None) or response.error
        return Verdict("failed", type(error).__name__)
    headers = {key.lower(): value for key, value in response.headers.items()}
    body = _lines(response, left - 1) if made.stream else (response.content or b"")
    return answers.judge(kind.slo, Answer(response.status_code, headers, bytes(body)))


def _lines(response: Any, seconds: float) -> bytes:
    """Read a stream until it ends, or until the caller has to go: a batch goes on without it."""
    read = bytearray()
    with gevent.Timeout(max(seconds, 0.1), False):
        for chunk in response.iter_content(65536, decode_content=False):
            read += chunk
    return bytes(read)


class Load(LoadTestShape):
    def tick(self) -> tuple[int, float] | None:
        plan = LoadUser.sender.plan
        seconds: float = self.get_run_time()  # type: ignore[no-untyped-call]
        if seconds > plan.seconds + DRAIN_SECONDS:
            return None
        if seconds > plan.seconds + 1 and _all_back(self.runner):
            return None
        return plan.users(seconds), _AT_ONCE


def _all_back(runner: Runner | None) -> bool:
    """Say whether no request is on its way any more, as far as is known for certain."""
    plan = LoadUser.sender.plan
    if not isinstance(runner, MasterRunner):
        return not LoadUser.sender.in_flight
    over = LoadUser.sender.begun + plan.seconds + 1
    return len(_workers) == plan.workers and all(
        heard > over and not in_flight for heard, in_flight in _workers.values()
    )


@events.test_start.add_listener
def _begin(**_: Any) -> None:
    LoadUser.sender.begun = time.perf_counter()


@events.report_to_master.add_listener
def _tell(data: dict[str, Any], **_: Any) -> None:
    data["osteoserve"] = LoadUser.sender.report().document()
    data["osteoserve_in_flight"] = LoadUser.sender.in_flight


@events.worker_report.add_listener
def _hear(client_id: str, data: dict[str, Any], **_: Any) -> None:
    if "osteoserve" in data:
        _merged.merge(RunStats.of(data["osteoserve"]))
        _workers[client_id] = time.perf_counter(), data["osteoserve_in_flight"]


@events.quitting.add_listener
def _end(environment: Environment, **_: Any) -> None:
    if isinstance(environment.runner, WorkerRunner) or STATS not in os.environ:
        return
    total = LoadUser.sender.report()
    total.merge(_merged)
    Path(os.environ[STATS]).write_text(json.dumps(total.document()), "utf-8")
    # What is right and wrong is judged where the statistics are read.
    environment.process_exit_code = 0
