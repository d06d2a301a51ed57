"""Spans reach the collector that is named, and nothing else opens for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.types import RUNNERS
from tests.cluster import knock
from tests.cluster.clients import idle, sent
from tests.cluster.knock import reached, settled
from tests.cluster.kubectl import Namespace, eventually
from tests.cluster.release import COMPONENTS, Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster

PORT = 4318
TRACED = {
    **{
        f"{key}.settings.OSTEOSERVE_TRACING_ENDPOINT": f"http://collector:{PORT}"
        for key in ("front", *(f"runners.{name}" for name in RUNNERS))
    },
    "networkPolicy.tracing": [{"podSelector": {"matchLabels": {"app": "collector"}}}],
}

# A name in a span is text among its bytes; each is told once.
COLLECT = f"""
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
seen = set()
class Collector(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()
        for name in re.findall(rb"osteoserve-([a-z0-9]+)", body):
            if name not in seen:
                seen.add(name)
                print(name.decode(), flush=True)
    def log_message(self, *arguments):
        pass
ThreadingHTTPServer(("", {PORT}), Collector).serve_forever()
"""


@pytest.fixture
def collector(release: Release, space: Namespace) -> Iterator[knock.Place]:
    """One that takes spans from whoever reaches it; return its address."""
    space.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "collector"},
         "spec": {"selector": {"app": "collector"}, "ports": [{"port": PORT}]}},
    )  # fmt: skip
    try:
        with idle(release, "collector", {}, code=COLLECT):
            yield space.get("service", "collector")["spec"]["clusterIP"], PORT
    finally:
        space.run("delete", "service", "collector")


def test_spans_of_all_five_reach_the_collector_and_nothing_else_opens(
    release: Release, space: Namespace, collector: knock.Place, scenario: Scenario
) -> None:
    def names() -> set[str]:
        return set(space.run("logs", "collector").split())

    def reaches(component: str, wanted: set[str]) -> set[str]:
        places = {**knock.places(release, space), "collector": collector}
        (*_, pod) = release.pods(component)
        # Everybody reaches themselves, and a Service may lead there. Of three fronts the last asks,
        # and the first is what it must not reach.
        own = {component, f"{component}'s pod"} if component in RUNNERS else {component}
        return settled(space, pod, places, wanted) - own

    release.upgrade(TRACED)
    try:
        release.wait_until_whole()
        answers = sent(release, "traced", 6)
        took = eventually("all five have sent spans", lambda: names() == set(COMPONENTS), 60)
        runner = reaches("cnn", {"collector", "DNS"})
        front = reaches("front", {"collector", "DNS", "database", *RUNNERS})
    finally:
        release.upgrade()
        release.wait_until_whole()
    scenario.facts |= {
        **answers.facts(), "spans of": sorted(names()), "seconds until all had sent some": took,
        "a runner reaches": sorted(runner), "a front reaches": sorted(front),
    }  # fmt: skip
    assert answers.failed == []
    assert runner == {"collector", "DNS"}
    runners = {*RUNNERS, *(f"{name}'s pod" for name in RUNNERS)}
    assert front == {"collector", "DNS", "database", *runners}

    # Without tracing the same collector, which is still there, is out of reach again.
    for component in ("cnn", "front"):
        (*_, pod) = release.pods(component)
        assert reached(space, pod, {"collector": collector}) == set()
