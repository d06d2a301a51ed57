from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from models import recipe
from service.metrics import Metrics
from service.runners import (
    Deadline,
    RunnerBusyError,
    RunnerError,
    RunnerFailedError,
    RunnerMalformedError,
    RunnerMismatchError,
    RunnerRefusedError,
    Runners,
    RunnerTimeoutError,
)
from service.settings import Settings
from tests.service.runners import (
    Broken,
    Busy,
    Down,
    Honest,
    Malformed,
    Runner,
    Running,
    Slow,
    running,
    version,
)

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG the toys do not look"


@asynccontextmanager
async def client(*replaced: Runner) -> AsyncIterator[tuple[Runners, Metrics, dict[str, Running]]]:
    async with running(*replaced) as servers:
        metrics = Metrics()
        urls = {f"{name}_url": one.url for name, one in servers.items()}
        async with Runners(Settings(**urls), metrics) as runners:
            yield runners, metrics, dict(servers)


async def test_an_image_goes_out_as_it_is_and_the_word_comes_back() -> None:
    cnn = Honest("cnn")
    async with client(cnn) as (runners, metrics, _):
        answer = await runners.predict("cnn", PNG, recipe.NAME, Deadline.after(2))
    assert cnn.calls == [[PNG]]
    assert (answer.probability, answer.version, answer.auroc) == (0.79, version("cnn"), 0.81)
    labels = {"runner": "cnn", "result": "ok"}
    assert metrics.registry.get_sample_value("osteoserve_runner_calls_total", labels) == 1


async def test_votes_are_combined_and_the_missing_named() -> None:
    async with client() as (runners, _, _):
        votes = {
            name: await runners.predict(name, PNG, recipe.NAME, Deadline.after(2))
            for name in ("cnn", "vgg16")
        }
        answer = await runners.combine(votes, recipe.NAME, Deadline.after(2))
    assert answer.used == ("cnn", "vgg16")
    assert answer.missing == ("resnet",)
    assert answer.contributions == {"cnn": 0.61, "vgg16": 0.94}


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
            await runners.predict("cnn", PNG, recipe.NAME, Deadline.after(2))


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
    async with client(runner) as (runners, metrics, _):
        start = time.monotonic()
        with pytest.raises(error):
            await runners.predict("cnn", PNG, recipe.NAME, Deadline.after(2))
        # Far from the 30 seconds of the slow one, and nothing that a busy machine could miss.
        assert time.monotonic() - start < 15
    labels = {"runner": "cnn", "result": error.result}
    assert metrics.registry.get_sample_value("osteoserve_runner_calls_total", labels) == 1


async def test_no_time_left_means_no_waiting() -> None:
    async with client() as (runners, _, _):
        with pytest.raises(RunnerTimeoutError):
            await runners.predict("cnn", PNG, recipe.NAME, Deadline.after(-1))


async def test_a_restarted_runner_answers_at_once_despite_kept_connections() -> None:
    async with client() as (runners, _, servers):
        for _ in range(3):
            await asyncio.gather(
                *(runners.predict("cnn", PNG, recipe.NAME, Deadline.after(2)) for _ in range(4))
            )
            await servers["cnn"].stop()
            await servers["cnn"].start()
        answers = await asyncio.gather(
            *(runners.predict("cnn", PNG, recipe.NAME, Deadline.after(2)) for _ in range(8))
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
    async with server, Runners(Settings(cnn_url=url), Metrics()) as runners:
        answer = await runners.predict("cnn", PNG, recipe.NAME, Deadline.after(2))
    assert answer.probability == GOOD["probability"]
    assert answered == 2


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
