"""Debian's Prometheus beside a running osteoserve: it sees everything, and calls when it must.

The rules are the committed ones' generator at thirty times the speed: an hour of a window is two
minutes here. What is scraped, by what configuration and under which names is as it is shipped.
"""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from PIL import Image

from k8s.dashboards.board import CHOSEN
from k8s.dashboards.files import BOARDS
from k8s.rules import burn
from models import phantom
from models.phantom import Artefact
from service.observability.slo import SLOS
from service.types import RUNNERS
from tests.e2e.conftest import Running, end, start
from tests.operations.prometheus import Prometheus, prometheus
from tests.operations.test_dashboards import queries
from tests.operations.tools import tool

pytestmark = pytest.mark.e2e

PAUSE = 0.5
"""Enough requests for every rate, and a processor that other tests can use."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Prometheus]]:
    tool("prometheus")
    folder = tmp_path_factory.mktemp("watched")
    instance = start(folder, OSTEOSERVE_DRIFT_ENOUGH="20")
    try:
        instance.wait_until_said("ready: http")
        with (
            prometheus(folder, str(instance.var / "targets" / "*.json")) as watching,
            loaded(instance.url),
        ):
            yield instance, watching
    finally:
        end(instance)


def scans() -> list[bytes]:
    """Phantoms that differ, so that nobody answers for the one before."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(12):
        drawn = phantom.draw(rng, "normal", artefact=Artefact.NONE)
        buffer = io.BytesIO()
        Image.fromarray(drawn.image).save(buffer, "PNG")
        found.append(buffer.getvalue())
    return found


@contextmanager
def loaded(url: str) -> Iterator[None]:
    """Ask for a bit of everything every now and then, until left."""
    over = threading.Event()

    def ask() -> None:
        images = scans()
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            number = 0
            while not over.is_set():
                number += 1
                image = images[number % len(images)]
                answer = client.post("/api/v1/predictions", files={"file": ("scan", image)})
                if answer.status_code == 201:
                    client.get(answer.headers["location"])
                for path in ("/", "/history", "/faq", "/treatment", "/models"):
                    client.get(path)
                client.post("/", files={"file": ("scan", image)}, follow_redirects=True)
                over.wait(PAUSE)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()


def test_every_process_is_scraped(watched: tuple[Running, Prometheus]) -> None:
    _, watching = watched

    watching.until(lambda: watching.targets() == dict.fromkeys(("front", *RUNNERS), "up"))


def test_every_rule_is_evaluated_without_error(watched: tuple[Running, Prometheus]) -> None:
    _, watching = watched

    watching.until(lambda: all(rule["health"] != "unknown" for rule in watching.rules()))

    assert [rule for rule in watching.rules() if rule["health"] != "ok"] == []
    # Latency is only there where the threshold's bucket is; every objective says that it is.
    watching.until(lambda: recorded(watching, "latency") == {slo.name for slo in SLOS})
    asked = {"predict", "analyse", "prediction", "history-page", "front-page"}
    watching.until(lambda: asked <= recorded(watching, "availability"))


def recorded(watching: Prometheus, objective: str) -> set[str]:
    found = watching.ask(f'{burn.BURN}1h{{objective="{objective}"}}')
    return {one["metric"]["slo"] for one in found}


def test_prometheus_loads_the_committed_rules(tmp_path: Path) -> None:
    with prometheus(tmp_path, str(tmp_path / "*.json"), rules=None) as alone:
        loaded = alone.rules()

    assert len(loaded) == len(SLOS) * len(burn.OBJECTIVES) * 8 + len(
        [rule for rule in loaded if rule["type"] == "alerting"]
    )
    assert {rule["name"] for rule in loaded} >= {"OsteoserveBudgetBurn", "OsteoserveDrift"}


# What `make run` starts without peers has no gateway, whose series are held against the registry.
@pytest.mark.parametrize("name", [name for name in BOARDS if name != "gateway"])
def test_no_query_of_a_dashboard_fails_or_stays_empty(
    watched: tuple[Running, Prometheus], name: str
) -> None:
    _, watching = watched
    for query in queries(name):
        query = query.replace(CHOSEN, 'namespace=~".*"')  # noqa: PLW2901 - as Grafana puts it in
        assert "$" not in query
        watching.until(lambda query=query: watching.value(query) is not None)


def test_a_runner_that_hangs_is_called_for_until_it_answers(
    watched: tuple[Running, Prometheus],
) -> None:
    running, watching = watched
    watching.until(lambda: "OsteoserveRunnerDown" not in watching.firing())
    process = running.runner("vgg16")
    try:
        every(process, signal.SIGSTOP)
        watching.until(lambda: "OsteoserveRunnerDown" in watching.firing())
        (down,) = watching.ask('ALERTS{alertname="OsteoserveRunnerDown",alertstate="firing"}')
        assert down["metric"]["runner"] == "vgg16"
        assert "OsteoserveNoModels" not in watching.firing()
        watching.until(lambda: "OsteoserveTargetDown" in watching.firing())
        watching.until(lambda: "OsteoserveDegraded" in watching.firing())
    finally:
        every(process, signal.SIGCONT)

    calls = {"OsteoserveRunnerDown", "OsteoserveTargetDown", "OsteoserveDegraded"}
    watching.until(lambda: not calls & watching.firing())
    watching.until(lambda: watching.targets() == dict.fromkeys(("front", *RUNNERS), "up"))


def test_a_runner_that_is_killed_is_missed_and_its_return_is_seen(
    watched: tuple[Running, Prometheus],
) -> None:
    running, watching = watched
    before = running.said().count("cnn is back")
    running.runner("cnn").kill()
    watching.until(lambda: running.said().count("cnn is back") > before)

    # It may be back before a front has asked whether it is ready; that it was missed is counted.
    missing = 'increase(osteoserve_predictions_degraded_total{missing="cnn"}[5m])'
    watching.until(lambda: (watching.value(missing) or 0) > 0)
    watching.until(lambda: watching.value("min(osteoserve_runner_ready)") == 1)
    watching.until(lambda: watching.targets() == dict.fromkeys(("front", *RUNNERS), "up"))


def every(process: psutil.Process, number: signal.Signals) -> None:
    for one in (process, *process.children(recursive=True)):
        one.send_signal(number)
