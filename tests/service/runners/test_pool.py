from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from starlette.responses import JSONResponse, Response

from models.vertebrae.nominal import nominal
from protocol.answers import BasePrediction
from service.flow.deadline import Deadline
from service.runners import pool
from service.runners.circuit_breaker import FAILURES
from service.runners.client import (
    CircuitOpenError,
    RunnerBusyError,
    RunnerError,
    RunnerFailedError,
    RunnerMalformedError,
    RunnerMismatchError,
    RunnerRefusedError,
    RunnerTimeoutError,
)
from service.runners.metrics import RunnerMetrics
from service.runners.pool import RunnerPool
from service.runners.settings import RunnerPolicy
from tests.service.kit.runners import (
    Broken,
    Busy,
    Down,
    Held,
    Honest,
    Malformed,
    Runner,
    Running,
    Slow,
    running,
    version,
)

pytestmark = pytest.mark.anyio

IMAGE = np.arange(224 * 224, dtype=np.uint32).reshape(224, 224).astype(np.uint8)


@asynccontextmanager
async def client(
    *replaced: Runner,
) -> AsyncIterator[tuple[RunnerPool, CollectorRegistry, dict[str, Running]]]:
    async with running(*replaced) as servers:
        registry = CollectorRegistry()
        metrics = RunnerMetrics(registry)
        urls = {f"{name}_url": one.url for name, one in servers.items()}
        async with RunnerPool(RunnerPolicy(**urls), metrics).open() as runners:
            yield runners, registry, dict(servers)


async def test_an_image_goes_out_as_it_is_and_the_word_comes_back() -> None:
    cnn = Honest("cnn")
    async with client(cnn) as (runners, registry, _):
        answer = await runners.predict("cnn", IMAGE, Deadline.after(2))
    assert np.array_equal(cnn.calls, [[IMAGE]])
    assert (answer.probability, answer.version, answer.auroc) == (0.79, version("cnn"), 0.81)
    labels = {"runner": "cnn", "result": "ok"}
    assert registry.get_sample_value("osteoserve_runner_calls_total", labels) == 1


async def test_votes_are_combined_and_the_missing_named() -> None:
    async with client() as (runners, _, _):
        votes = {
            name: await runners.predict(name, IMAGE, Deadline.after(2)) for name in ("cnn", "vgg16")
        }
        answer = await runners.combine(votes, Deadline.after(2))
    assert answer.used == ("cnn", "vgg16")
    assert answer.missing == ("resnet", "bone")
    assert answer.contributions == {"cnn": 0.61, "vgg16": 0.94}


async def test_frames_are_outlined_in_calls_of_their_own() -> None:
    vertebrae = Honest("vertebrae")
    async with client(vertebrae) as (runners, registry, _):
        outlined, vote = await asyncio.gather(
            runners.outline(IMAGE, Deadline.after(5)),
            runners.predict("bone", IMAGE, Deadline.after(5)),
        )
        assert runners.versions == {"vertebrae": version("vertebrae"), "bone": version("bone")}
    assert (vertebrae.frames[0][0].tobytes(), vertebrae.calls[0][0].tobytes()) == (
        (IMAGE.tobytes(),) * 2
    )
    assert outlined.to_outlined().spine == nominal()
    assert vote.measurements is not None
    assert [one.name for one in vote.measurements] == ["bone_to_noise", "levels_spread"]
    labels = {"runner": "vertebrae", "result": "ok"}
    assert registry.get_sample_value("osteoserve_runner_calls_total", labels) == 2


def level(**changes: object) -> dict[str, object]:
    return {**Honest("vertebrae").outlined()["levels"][0], **changes}


LEVELS = Honest("vertebrae").outlined()["levels"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"levels": LEVELS[::-1]}, id="from the bottom"),
        pytest.param({"levels": LEVELS[:2]}, id="too few to be a spine"),
        pytest.param({"levels": [*LEVELS, LEVELS[3]]}, id="one twice"),
        pytest.param({"levels": [level(outline=[[1, 2]]), *LEVELS[1:]]}, id="a point"),
        pytest.param({"levels": [level(centre=[1e9, 2]), *LEVELS[1:]]}, id="outside the frame"),
        pytest.param({"levels": [level(area=0), *LEVELS[1:]]}, id="no area"),
        pytest.param({"levels": [level(level="L9"), *LEVELS[1:]]}, id="a level that there is not"),
        pytest.param({"graphics": "AAAA"}, id="graphics of another size"),
        pytest.param({"graphics": None}, id="no graphics"),
        pytest.param({"recipe": "spine-224/2"}, id="of canonical images"),
    ],
)
async def test_what_is_no_spine_is_malformed(changes: dict[str, object]) -> None:
    body = json.dumps([{**Honest("vertebrae").outlined(), **changes}]).encode()
    async with client(Malformed("vertebrae", body=body)) as (runners, _, _):
        with pytest.raises(RunnerMalformedError):
            await runners.outline(IMAGE, Deadline.after(5))


async def failure(asked: Awaitable[object]) -> BaseException:
    with pytest.raises(RunnerError) as caught:
        await asked
    return caught.value


GOOD = Honest("cnn").vote()


def malformed(name: str, **changes: object) -> object:
    vote = {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}
    return pytest.param(Malformed("cnn", body=json.dumps([vote]).encode()), id=name)


@pytest.mark.parametrize(
    "runner",
    [
        pytest.param(Malformed("cnn"), id="not JSON"),
        pytest.param(Malformed("cnn", body=b"[]"), id="no answer in it"),
        pytest.param(Malformed("cnn", body=json.dumps([GOOD, GOOD]).encode()), id="two answers"),
        pytest.param(Malformed("cnn", body=json.dumps(GOOD).encode()), id="no array"),
        pytest.param(Malformed("cnn", body=b'[{"probability": NaN}]'), id="NaN in it"),
        malformed("probability above one", probability=1.2),
        malformed("probability as text", probability="0.5"),
        malformed("no threshold", threshold=...),
        malformed("band in the wrong order", band=[0.5, 0.3]),
        malformed("version is no hash", version="latest"),
    ],
)
async def test_what_breaks_the_contract_is_malformed(runner: Malformed) -> None:
    async with client(runner) as (runners, _, _):
        with pytest.raises(RunnerMalformedError):
            await runners.predict("cnn", IMAGE, Deadline.after(2))


@pytest.mark.parametrize(
    ("runner", "error"),
    [
        pytest.param(Broken("cnn"), RunnerFailedError, id="500"),
        pytest.param(Busy("cnn"), RunnerBusyError, id="503"),
        pytest.param(Down("cnn"), RunnerRefusedError, id="down"),
        pytest.param(Honest("cnn", recipe="dxa-224/0"), RunnerMismatchError, id="other recipe"),
        pytest.param(Slow("cnn"), RunnerTimeoutError, id="slow"),
    ],
)
async def test_failures_have_names_and_are_counted(
    runner: Runner, error: type[RunnerError]
) -> None:
    async with client(runner) as (runners, registry, _):
        start = time.monotonic()
        with pytest.raises(error):
            await runners.predict("cnn", IMAGE, Deadline.after(2))
        # Far from the 30 seconds of the slow one, and nothing that a busy machine could miss.
        assert time.monotonic() - start < 15
        labels = {"runner": "cnn", "result": error.result}
        # A call is broken off a moment after the last who waited for it has gone.
        async with asyncio.timeout(10):
            while not registry.get_sample_value("osteoserve_runner_calls_total", labels):  # noqa: ASYNC110 - metrics have no event
                await asyncio.sleep(0.01)
    assert registry.get_sample_value("osteoserve_runner_calls_total", labels) == 1


async def test_no_time_left_means_no_waiting() -> None:
    async with client() as (runners, _, _):
        with pytest.raises(RunnerTimeoutError):
            await runners.predict("cnn", IMAGE, Deadline.after(-1))


async def test_a_restarted_runner_answers_at_once_despite_kept_connections() -> None:
    async with client() as (runners, _, servers):
        for _ in range(3):
            await asyncio.gather(
                *(runners.predict("cnn", IMAGE, Deadline.after(2)) for _ in range(4))
            )
            await servers["cnn"].stop()
            await servers["cnn"].start()
        answers = await asyncio.gather(
            *(runners.predict("cnn", IMAGE, Deadline.after(2)) for _ in range(8))
        )
    assert len(answers) == 8


async def test_a_connection_that_closes_without_a_byte_is_tried_once_more() -> None:
    """As a kept one does when its runner restarts between two requests."""
    answered = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        answered += 1
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
        if answered > 1:
            body = json.dumps([GOOD]).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with (
        server,
        RunnerPool(RunnerPolicy(cnn_url=url), RunnerMetrics(CollectorRegistry())).open() as runners,
    ):
        answer = await runners.predict("cnn", IMAGE, Deadline.after(2))
    assert answer.probability == GOOD["probability"]
    assert answered == 2


async def test_images_that_wait_go_together_and_each_gets_its_own_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # However slow the machine is, no batch is kept small for it.
    monkeypatch.setattr(pool, "TARGET_SECONDS", 60.0)
    cnn = Held("cnn")
    async with client(cnn) as (runners, registry, _):
        tasks = [
            asyncio.create_task(runners.predict("cnn", IMAGE, Deadline.after(20))) for _ in range(2)
        ]
        await cnn.asked.wait()
        tasks += [
            asyncio.create_task(runners.predict("cnn", IMAGE, Deadline.after(20)))
            for _ in range(11)
        ]
        await asyncio.sleep(0.05)
        cnn.go.set()
        answers = await asyncio.gather(*tasks)
    assert len(answers) == 13
    # Two at once go along in one call; behind them eight, which is the most, and three.
    assert sorted(map(len, cnn.calls)) == [2, 3, 8]
    count = registry.get_sample_value("osteoserve_runner_call_images_sum", {"runner": "cnn"})
    assert count == 13


async def test_an_image_whose_time_is_up_in_the_runner_is_late_and_its_neighbour_is_not() -> None:
    class Choosy(Honest):
        async def answer(self, body: Any) -> Response:
            return await super().answer([{"dropped": "expired"}, *body[1:]])

    async with client(Choosy("cnn")) as (runners, _, _):
        late, answered = await asyncio.gather(
            *(runners.predict("cnn", IMAGE, Deadline.after(20)) for _ in range(2)),
            return_exceptions=True,
        )
    assert isinstance(late, RunnerTimeoutError)
    assert isinstance(answered, BasePrediction)


async def test_a_runner_that_sheds_load_is_asked_again_when_it_says_so() -> None:
    class Shedding(Honest):
        async def answer(self, body: Any) -> Response:
            if len(self.calls) == 1:
                return JSONResponse({"error": "full"}, 503, {"Retry-After": "1"})
            return await super().answer(body)

    cnn = Shedding("cnn")
    async with client(cnn) as (runners, _, _):
        answer = await runners.predict("cnn", IMAGE, Deadline.after(20))
    assert answer.probability == 0.79
    assert len(cnn.calls) == 2


async def test_a_runner_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    broken = Broken("cnn")
    async with client(broken) as (runners, registry, _):
        errors = [
            await failure(runners.predict("cnn", IMAGE, Deadline.after(20)))
            for _ in range(FAILURES + 2)
        ]
        assert [type(error) for error in errors] == [
            *[RunnerFailedError] * FAILURES,
            CircuitOpenError,
            CircuitOpenError,
        ]
        value = registry.get_sample_value("osteoserve_circuit_open", {"runner": "cnn"})
        assert value == 1
        runners.record_probe("cnn", ready=True)
        with pytest.raises(RunnerFailedError):
            await runners.predict("cnn", IMAGE, Deadline.after(20))


async def test_nobody_waits_for_a_runner_that_was_found_not_ready() -> None:
    held = Held("cnn")
    async with client(held) as (runners, _, _):
        waiting = [
            asyncio.create_task(runners.predict("cnn", IMAGE, Deadline.after(600)))
            for _ in range(30)
        ]
        await held.asked.wait()
        runners.record_probe("cnn", ready=False)
        async with asyncio.timeout(10):
            found = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(one) for one in found} == {CircuitOpenError}


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with client() as (runners, _, _):
        assert await runners.ready("cnn", 2)


async def test_readiness() -> None:
    async with client(Honest("cnn", ready=False), Down("stack")) as (runners, _, _):
        assert not await runners.ready("cnn", 2)
        assert not await runners.ready("stack", 2)
        assert await runners.ready("vgg16", 2)
