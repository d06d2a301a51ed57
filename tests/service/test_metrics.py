from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.metrics import Metrics
from service.types import BASES
from tests.service import images
from tests.service.fronts import API, Front, front
from tests.service.runners import running

pytestmark = pytest.mark.anyio


async def series(opened: Front) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    response = await opened.client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_requests_are_counted_by_template(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners) as opened:
        for _ in range(2):
            location = (await opened.post(png)).headers["location"]
            await opened.client.get(location)
        await opened.post(b"")
        await opened.post(images.unusable())
        await opened.client.get("/static/base.css")
        await opened.client.request("PROPFIND", "/")
        for number in range(20):
            await opened.client.get(f"/nowhere/{number}")
            await opened.client.get(f"/static/{number}")
        found = await series(opened)
    name = "osteoserve_http_requests_total"
    counted = {
        tuple(dict(labels).values()): value for (key, labels), value in found.items() if key == name
    }
    # Label values in the order of their names: method, route, status.
    assert counted == {
        ("POST", API, "201"): 3,
        ("POST", API, "422"): 1,
        ("GET", API + "/{id}", "200"): 2,
        ("GET", "/static", "200"): 1,
        ("GET", "/static", "404"): 20,
        ("other", "/", "405"): 1,
    }
    key = "osteoserve_predictions_total"
    assert found[key, (("degraded", "false"), ("outcome", "osteoporosis"))] == 2
    assert found[key, (("degraded", "false"), ("outcome", "refused"))] == 1
    for runner in (*BASES, "stack"):
        labels = (("result", "ok"), ("runner", runner))
        assert found["osteoserve_runner_calls_total", labels] == 2
        assert found["osteoserve_runner_call_duration_seconds_count", (("runner", runner),)] == 2
    assert found["osteoserve_http_requests_in_flight", ()] == 1


def test_apps_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.request("GET", "/", 200, 0.1)
    assert b'route="/"' in one.exposition()
    assert b'route="/"' not in other.exposition()
