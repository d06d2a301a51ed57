"""Many images at once: answered one by one, kept, read on after a break, behind single requests."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from lxml import html
from starlette.responses import JSONResponse, Response

from service.kinds import KINDS
from service.prediction import now
from service.storage import Batches, Database, History
from service.storage.batches import SILENCE
from tests.service import images
from tests.service.fronts import API, Front, front
from tests.service.runners import Held, Honest, running
from tests.service.shapes import assert_error_page, assert_problem
from tests.service.test_history import kept, made
from tests.service.test_pages import assert_well_made

pytestmark = pytest.mark.anyio

BATCHES = "/api/v1/batches"


def zipped(*contents: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"SECRET^NAME/{number}.png", content)
    return buffer.getvalue()


def parts(*contents: bytes) -> list[tuple[str, tuple[str, bytes, str]]]:
    kind = "application/octet-stream"
    return [("file", ("SECRET^NAME.png", content, kind)) for content in contents]


def read(text: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the lines of an answer, and the batch in its last one."""
    *lines, closing = [json.loads(line) for line in text.splitlines()]
    assert "SECRET" not in text
    return lines, closing["batch"]


@asynccontextmanager
async def holding(var: Path, **settings: Any) -> AsyncIterator[tuple[Front, Held]]:
    held = Held("cnn")
    async with running(held) as runners, front(var, runners, **settings) as opened:
        try:
            yield opened, held
        finally:
            held.go.set()


@pytest.mark.parametrize("way", ["parts", "zip as part", "zip as body"])
async def test_each_image_gets_its_answer(shared: Front, png: bytes, way: str) -> None:
    contents = (png, images.unusable(), b"no image", zipped(png), b"")
    client = shared.client
    if way == "parts":
        response = await client.post(BATCHES, files=parts(*contents))
    elif way == "zip as part":
        response = await client.post(BATCHES, files=parts(zipped(*contents)))
    else:
        headers = {"Content-Type": "application/zip"}
        response = await client.post(BATCHES, content=zipped(*contents), headers=headers)
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/x-ndjson"
    lines, batch = read(response.text)
    # In the order of finishing, which is nobody's business.
    assert [line["line"] for line in lines] == [1, 2, 3, 4, 5]
    lines.sort(key=lambda line: line["index"])
    assert [line["index"] for line in lines] == [0, 1, 2, 3, 4]
    outcomes = [line["prediction"] and line["prediction"]["outcome"] for line in lines]
    assert outcomes == ["osteoporosis", "refused", None, None, None]
    codes = [line["problem"] and line["problem"]["code"] for line in lines]
    # An archive within is not opened.
    assert codes == [None, None, "unsupported_format", "unsupported_format", "empty_file"]
    for line in lines:
        if line["problem"]:
            assert line["problem"]["status"] == KINDS[line["problem"]["code"]].status
        else:
            stored = await client.get(f"{API}/{line['prediction']['id']}")
            assert stored.json() == line["prediction"]
    assert (batch["state"], batch["total"], batch["finished"]) == ("finished", 5, 5)
    assert batch["remaining"] == []
    assert (await client.get(response.headers["location"])).json() == batch


async def test_lines_are_read_on_from_where_one_was(shared: Front, png: bytes) -> None:
    sent = await shared.client.post(BATCHES, files=parts(png, b"x", png))
    lines, batch = read(sent.text)
    for after in range(5):
        answer = await shared.client.get(f"{BATCHES}/{batch['id']}/results?after={after}")
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert read(answer.text) == (lines[after:], batch)


async def test_lines_come_while_the_batch_goes_on(var: Path, png: bytes) -> None:
    async with holding(var) as (opened, held):
        sending = opened.client.stream("POST", BATCHES, files=parts(b"x", png))
        async with sending as response:
            arriving = response.aiter_lines()
            first = json.loads(await anext(arriving))
            assert (first["index"], first["problem"]["code"]) == (0, "unsupported_format")
            batch = (await opened.client.get(response.headers["location"])).json()
            assert (batch["state"], batch["finished"], batch["remaining"]) == ("running", 1, [1])
            held.go.set()
            rest = [json.loads(line) async for line in arriving]
        assert rest[0]["prediction"]["outcome"] == "osteoporosis"
        assert rest[1]["batch"]["state"] == "finished"


async def test_a_batch_goes_on_when_its_client_goes_away(var: Path, png: bytes) -> None:
    async with holding(var) as (opened, held):
        async with opened.client.stream("POST", BATCHES, files=parts(b"x", png)) as response:
            await anext(response.aiter_lines())
            address = response.headers["location"]
        held.go.set()
        batch = await ended(opened, address)
        assert (batch["state"], batch["finished"]) == ("finished", 2)
        lines, _ = read((await opened.client.get(address + "/results?after=1")).text)
        assert lines[0]["prediction"]["outcome"] == "osteoporosis"


async def ended(opened: Front, address: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            batch: dict[str, Any] = (await opened.client.get(address)).json()
            if batch["state"] != "running":
                return batch
            await asyncio.sleep(0.02)


async def test_a_cancelled_batch_begins_no_further_image(var: Path, png: bytes) -> None:
    async with holding(var, bulk_concurrency=1) as (opened, held):
        sent = await opened.client.post("/bulk", files=parts(*variants(3)))
        page = sent.headers["location"]
        address = page.replace("/bulk", BATCHES)
        await held.asked.wait()
        cancelled = await opened.client.post(address + "/cancel")
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
        held.go.set()
        await opened.settled(lambda: len(held.calls) == 1)
        async with asyncio.timeout(30):
            while (await opened.client.get(address)).json()["finished"] < 1:  # noqa: ASYNC110 - kept in the database, so no event
                await asyncio.sleep(0.02)
        # The one in hand was finished and has its line; the others were never asked for.
        batch = (await opened.client.get(address)).json()
        assert (batch["finished"], batch["remaining"]) == (1, [1, 2])
        assert len(held.calls) == 1
        assert (await opened.client.post(address + "/cancel")).json() == batch
        shown = html.fromstring((await opened.client.get(page)).text)
        assert "Not analysed: 2–3." in shown.text_content()


async def test_a_front_that_ends_leaves_the_batch_interrupted(var: Path, png: bytes) -> None:
    async with running(Held("cnn")) as runners:
        async with front(var, runners) as opened:
            sent = await opened.client.post("/bulk", files=parts(b"x", png, png))
            page = sent.headers["location"]
            held: Any = runners["cnn"].runner
            await held.asked.wait()
        async with front(var, runners) as opened:
            batch = (await opened.client.get(page.replace("/bulk", BATCHES))).json()
            assert (batch["state"], batch["remaining"]) == ("interrupted", [1, 2])
            lines, _ = read((await opened.client.get(f"{BATCHES}/{batch['id']}/results")).text)
            assert [line["index"] for line in lines] == [0]
            shown = html.fromstring((await opened.client.get(page)).text)
            assert "Send these images again: 2–3." in shown.text_content()
        held.go.set()


def variants(count: int) -> list[bytes]:
    """Files of the same picture that are not the same file."""
    return [images.png() + bytes(number) for number in range(count)]


async def test_single_requests_go_first(var: Path, png: bytes) -> None:
    one_at_a_time = {"runner_calls": 1, "runner_images": 1, "bulk_patience_seconds": 600}
    async with holding(var, **one_at_a_time) as (opened, held):
        sent = await opened.client.post("/bulk", files=parts(*variants(4)))
        address = sent.headers["location"].replace("/bulk", BATCHES)
        # One image of the batch is with the runner, the others wait for it.
        await held.asked.wait()
        another = images.png(images.picture()[:, ::-1].copy())
        single = asyncio.create_task(opened.post(another))
        await opened.settled(lambda: opened.app.state.health.metrics.in_flight._value.get() >= 1)
        await asyncio.sleep(0.3)
        held.go.set()
        assert (await single).status_code == 201
        assert (await ended(opened, address))["finished"] == 4
    # The runner's second image is the single one: no other looks like the first of the batch.
    alike = [np.array_equal(call[0], held.calls[0][0]) for call in held.calls]
    assert alike == [True, False, True, True, True]


async def answer(self, answers: list[Any]) -> Response:
    if len(self.calls) == 1:
        return JSONResponse({"error": "busy"}, 503)
    return await super().answer(answers)


class Stumbling(Honest):
    """Out of order for the first request, there for the next."""

    async def answer(self, answers: list[Any]) -> Response:
        if len(self.calls) == 1:
            return JSONResponse({"error": "out of order"}, 500)
        return await super().answer(answers)


async def test_a_failure_that_is_not_the_images_is_tried_again(var: Path, png: bytes) -> None:
    stumbling = [Stumbling("cnn"), Stumbling("vgg16"), Stumbling("resnet")]
    async with running(*stumbling) as runners, front(var, runners, probe_seconds=0.01) as opened:
        lines, _ = read((await opened.client.post(BATCHES, files=parts(png))).text)
    assert lines[0]["prediction"]["outcome"] == "osteoporosis"
    assert [len(one.calls) for one in stumbling] == [2, 2, 2]


async def test_as_many_at_a_time_as_set(var: Path, png: bytes) -> None:
    async with holding(var, bulk_concurrency=2, runner_calls=4) as (opened, held):
        sent = await opened.client.post("/bulk", files=parts(*variants(4)))
        address = sent.headers["location"].replace("/bulk", BATCHES)
        await opened.settled(lambda: sum(map(len, held.calls)) == 2)
        await asyncio.sleep(0.1)
        assert (await opened.client.get(address)).json()["finished"] == 0
        assert sum(map(len, held.calls)) == 2
        held.go.set()
        assert (await ended(opened, address))["finished"] == 4


async def test_without_models_each_image_says_so(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners, probe_seconds=0.01) as opened:
        for name in ("cnn", "vgg16", "resnet"):
            await runners[name].stop()
        lines, batch = read((await opened.client.post(BATCHES, files=parts(png))).text)
        assert [line["problem"]["code"] for line in lines] == ["runners_unavailable"]
        assert batch["state"] == "finished"


@pytest.mark.parametrize(
    ("content", "content_type", "code"),
    [
        pytest.param(b"x", "image/png", "unsupported_media_type", id="one image"),
        pytest.param(b"x", "application/zip", "invalid_archive", id="no zip"),
        pytest.param(b"", "application/zip", "invalid_archive", id="nothing"),
        pytest.param(zipped(), "application/zip", "invalid_archive", id="empty zip"),
        pytest.param(zipped(*[b"x"] * 5), "application/zip", "batch_too_large", id="many"),
        pytest.param(zipped(bytes(90_000)), "application/zip", "batch_too_large", id="ratio"),
        pytest.param(bytes(400_001), "application/zip", "payload_too_large", id="large"),
        pytest.param(b"x", "multipart/form-data", "malformed_upload", id="no form"),
        pytest.param(
            b"--b\r\n\r\n", "multipart/form-data; boundary=b", "malformed_upload", id="cut short"
        ),
    ],
)
async def test_what_is_no_batch(small: Front, content: bytes, content_type: str, code: str) -> None:
    for address, check in ((BATCHES, assert_problem), ("/bulk", assert_error_page)):
        headers = {"Content-Type": content_type}
        check(await small.client.post(address, content=content, headers=headers), code)


async def test_forms_that_are_no_batch(small: Front) -> None:
    client = small.client
    assert_problem(await client.post(BATCHES, files={"other": ("x", b"x")}), "missing_file")
    many = await client.post(BATCHES, files=parts(*[b"x"] * 5))
    assert_problem(many, "batch_too_large")
    assert_problem(await client.post(BATCHES, files=parts(bytes(500_000))), "payload_too_large")
    # One that is too large among others is its own problem.
    lines, _ = read((await client.post(BATCHES, files=parts(bytes(200_001), b"x"))).text)
    assert {line["index"]: line["problem"]["code"] for line in lines} == {
        0: "payload_too_large",
        1: "unsupported_format",
    }


@pytest.fixture(scope="module")
async def small(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A front that takes small batches."""
    limits = {"bulk_items": 4, "bulk_bytes": 400_000, "max_upload_bytes": 200_000}
    var = tmp_path_factory.mktemp("var")
    async with running() as runners, front(var, runners, **limits) as opened:
        yield opened


async def test_more_batches_than_places(var: Path, png: bytes) -> None:
    async with holding(var, bulk_batches=1) as (opened, held):
        first = await opened.client.post("/bulk", files=parts(png))
        refused = await opened.client.post(BATCHES, files=parts(png))
        assert_problem(refused, "bulk_busy")
        held.go.set()
        await ended(opened, first.headers["location"].replace("/bulk", BATCHES))
        assert (await opened.client.post(BATCHES, files=parts(b"x"))).status_code == 201


@pytest.mark.parametrize("id", [str(uuid4()), "SECRET"])
async def test_no_such_batch(shared: Front, id: str) -> None:
    client = shared.client
    assert (await client.get(f"{BATCHES}/{id}")).json()["code"] == "batch_not_found"
    assert (await client.get(f"{BATCHES}/{id}/results")).status_code == 404
    assert (await client.post(f"{BATCHES}/{id}/cancel")).status_code == 404
    assert (await client.get(f"/bulk/{id}")).status_code == 404


async def test_a_deleted_result_is_told_in_its_line(shared: Front, png: bytes) -> None:
    lines, batch = read((await shared.client.post(BATCHES, files=parts(png))).text)
    await shared.client.delete(f"{API}/{lines[0]['prediction']['id']}")
    answer = await shared.client.get(f"{BATCHES}/{batch['id']}/results")
    (line,), _ = read(answer.text)
    assert line["prediction"] is None
    assert line["problem"]["code"] == "prediction_not_found"


async def test_the_page_sends_and_shows_without_scripts(var: Path, png: bytes) -> None:
    async with holding(var) as (opened, held):
        form = html.fromstring((await opened.client.get("/bulk")).text)
        assert_well_made(form)
        sent = await opened.client.post(
            form.get_element_by_id("bulk").action, files=parts(b"x", png)
        )
        assert sent.status_code == 303
        await held.asked.wait()
        page = html.fromstring((await opened.client.get(sent.headers["location"])).text)
        assert_well_made(page)
        assert page.xpath("//noscript/meta[@http-equiv='refresh']")
        assert "1 of 2 images finished" in page.text_content()
        held.go.set()
        await ended(opened, sent.headers["location"].replace("/bulk", BATCHES))
        page = html.fromstring((await opened.client.get(sent.headers["location"])).text)
        assert_well_made(page)
        assert not page.xpath("//meta[@http-equiv='refresh']")
        rows = page.xpath("//table/tbody/tr")
        assert [row.xpath("string(./th)") for row in rows] == ["1", "2"]
        assert "Not an image we read" in rows[0].text_content()
        link = rows[1].xpath(".//a/@href")[0]
        assert (await opened.client.get(link)).status_code == 200


async def test_lines_are_numbered_as_they_are_written(database: Database) -> None:
    batches = Batches(database)
    batch = await batches.create(20)
    predictions = [made(number) for number in range(3)]
    await kept(database, *predictions)
    given = {item: predictions[item].id if item < 3 else None for item in range(20)}
    problem = {"code": "corrupt_file"}
    await asyncio.gather(
        *(batches.add(batch.id, item, id, None if id else problem) for item, id in given.items())
    )
    lines = (*await batches.lines(batch.id, 0, 15), *await batches.lines(batch.id, 15, 15))
    assert [line.line for line in lines] == list(range(1, 21))
    assert sorted(line.index for line in lines) == list(range(20))
    for line in lines:
        expected = predictions[line.index] if line.index < 3 else None
        assert (line.prediction, line.problem) == (expected, None if expected else problem)
    assert await batches.end(batch.id, "finished")
    assert not await batches.end(batch.id, "cancelled")
    assert not await batches.add(batch.id, 1)
    found = await batches.get(batch.id)
    assert found is not None
    assert (found.state, found.finished, found.remaining) == ("finished", 20, ())
    await History(database).delete(predictions[0].id)
    empty = [one for one in await batches.lines(batch.id, 0, 20) if one.index == 0]
    assert (empty[0].prediction, empty[0].problem) == (None, None)


async def test_silence_means_interrupted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Batches(database)
    batch = await batches.create(2)
    found = await batches.get(batch.id)
    assert found is not None
    assert found.state == "running"
    later = now() + SILENCE + timedelta(seconds=1)
    monkeypatch.setattr("service.storage.batches.now", lambda: later)
    found = await batches.get(batch.id)
    assert found is not None
    assert (found.state, found.remaining) == ("interrupted", (0, 1))
    # One that was merely slow says so, and goes on.
    assert await batches.touch(batch.id)
    found = await batches.get(batch.id)
    assert found is not None
    assert found.state == "running"
