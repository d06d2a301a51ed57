from __future__ import annotations

import asyncio
import time
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import numpy as np
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import ASGIApp, Message

from models.drift.statistics import STATISTICS
from service.metrics import Metrics
from service.observability.slo import SLOS
from service.types import RUNNERS
from tests.service.kit import images
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import Broken, Held, running

pytestmark = pytest.mark.anyio


Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def series(opened: Front) -> Series:
    response = await opened.client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def counted(found: Series, name: str) -> dict[str, float]:
    """Return what a counter with one label has counted, without those still at 0."""
    return {labels[0][1]: value for (key, labels), value in found.items() if key == name and value}


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
    requests = {
        tuple(dict(labels).values()): value
        for (key, labels), value in found.items()
        if key == name and value
    }
    # Label values in the order of their names: method, route, status.
    assert requests == {
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
    # The vertebrae runner was asked for outlines as well.
    for runner in RUNNERS:
        calls = 4 if runner == "vertebrae" else 2
        labels = (("result", "ok"), ("runner", runner))
        assert found["osteoserve_runner_calls_total", labels] == calls
        key = "osteoserve_runner_call_duration_seconds_count"
        assert found[key, (("runner", runner),)] == calls
    assert found["osteoserve_http_requests_in_flight", ()] == 1


async def test_what_became_of_files(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners) as opened:
        await opened.post(png)
        refused = (await opened.post(images.unusable())).json()
        await opened.post(b"neither picture nor scan")
        found = await series(opened)

    assert counted(found, "osteoserve_predictions_refused_total") == dict.fromkeys(
        refused["quality"]["reasons"], 1
    )
    assert counted(found, "osteoserve_files_unreadable_total") == {"unsupported_format": 1}
    assert counted(found, "osteoserve_predictions_degraded_total") == {}
    assert found["osteoserve_prediction_score_ratio_count", ()] == 1
    for name in STATISTICS:
        assert found[f"osteoserve_image_{name}_ratio_count", ()] == 1


async def test_a_degraded_answer_names_the_model_that_was_missing(var: Path, png: bytes) -> None:
    async with running(Broken("vgg16")) as runners, front(var, runners) as opened:
        await opened.post(png)
        found = await series(opened)

    assert counted(found, "osteoserve_predictions_degraded_total") == {"vgg16": 1}
    # Its score is another model's than the reference knows.
    assert found["osteoserve_prediction_score_ratio_count", ()] == 0


async def test_what_can_be_known_beforehand_is_there_from_the_start(shared: Front) -> None:
    """A series that begins at 1 has not increased, so its first event would be lost."""
    found = {key for key, _ in await series(shared)}

    for name in ("predictions_refused", "predictions_degraded", "files_unreadable", "predictions"):
        assert f"osteoserve_{name}_total" in found


async def test_every_objective_is_told(shared: Front) -> None:
    found = await series(shared)

    for slo in SLOS:
        labels = (("method", slo.method), ("route", slo.route), ("slo", slo.name))
        told = {
            "availability_target_ratio": slo.availability,
            "latency_threshold_seconds": slo.latency_seconds,
            "latency_target_ratio": slo.latency_share,
        }
        for name, value in told.items():
            assert found[f"osteoserve_slo_{name}", labels] == value
        bucket = (("le", str(slo.latency_seconds)), *labels[:2])
        assert ("osteoserve_http_request_duration_seconds_bucket", bucket) in found


async def test_a_batch_is_not_slow_for_having_many_images(var: Path, png: bytes) -> None:
    """Its answer has begun when the images have been received; that is what an objective asks."""
    held = Held("cnn")
    async with running(held) as runners, front(var, runners) as opened:
        body = {"file": ("a.png", png)}
        async with opened.client.stream("POST", "/api/v1/batches", files=body) as response:
            begun = time.perf_counter()
            await held.asked.wait()
            await asyncio.sleep(0.5)
            held.go.set()
            await response.aread()
            took = time.perf_counter() - begun
        found = await series(opened)

    labels = (("method", "POST"), ("route", "/api/v1/batches"))
    assert found["osteoserve_http_request_duration_seconds_count", labels] == 1
    assert found["osteoserve_http_request_duration_seconds_sum", labels] < took


async def answered(app: ASGIApp, method: str, path: str) -> int:
    """Return the status that ``app`` answers with, asked without a client's own work."""
    asking = iter([{"type": "http.request", "body": b"", "more_body": False}])
    statuses: list[int] = []

    async def receive() -> Message:
        return next(asking, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
        "method": method, "path": unquote(path), "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "server": ("localhost", None), "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"localhost"), (b"accept", b"application/json")],
    }  # fmt: skip
    await app(scope, receive, send)
    (status,) = statuses
    return status


async def test_ten_thousand_random_paths_add_no_series(var: Path, png: bytes) -> None:
    """Those that no route knows go to the app itself: ten thousand over a socket take minutes."""
    rng = np.random.default_rng(8)
    known = ("/results/{}", API + "/{}", API + "/{}/maps/{}", "/patients/{}", "/static/{}")
    methods = ("GET", "POST", "DELETE", "BREW")

    def path(form: str) -> str:
        words = [rng.bytes(8).hex(), f"{uuid4()}", "..%2F..%2Fetc", "%C3%A4" * 40]
        return form.format(*rng.choice(words, 2))

    async with running() as runners, front(var, runners) as opened:
        await opened.post(png)

        async def matched(count: int) -> None:
            for number in range(count):
                method = methods[number % len(methods)]
                await opened.client.request(method, path(known[number % len(known)]))

        async def unmatched(count: int) -> None:
            for number in range(count):
                method = methods[number % len(methods)]
                assert await answered(opened.app, method, path("/{}/{}")) in (403, 404)
                await asyncio.sleep(0)  # nothing in it waits, and the others are to have their turn

        await matched(60)
        await opened.client.get("/metrics")
        before = set(await series(opened))
        await asyncio.gather(matched(500), unmatched(9500))
        after = set(await series(opened))

    assert after == before


def test_apps_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.http.request("GET", "/", 200, 0.1)
    assert b'route="/",status="200"' in generate_latest(one.registry)
    assert b'route="/",status="200"' not in generate_latest(other.registry)
