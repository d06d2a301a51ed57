"""Many images at once: answered one by one, kept, read on after a break, behind single requests."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from lxml import html
from sqlalchemy import select
from starlette.responses import JSONResponse, Response

from service.batches.api import told
from service.batches.schemas import Line
from service.errors import ServiceError
from service.http.problem_types import KINDS
from service.http.problems import translate
from service.storage.tables.audit import AuditEventRow
from tests.service.kit import images
from tests.service.kit.batches import BATCHES, ended, holding, parts, read, zipped
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import Held, Honest, running
from tests.service.kit.shapes import assert_well_made

pytestmark = pytest.mark.anyio

ZIP = {"Content-Type": "application/zip"}


@pytest.mark.parametrize("way", ["parts", "zip as part", "zip as body"])
async def test_each_image_gets_its_answer(shared: Front, png: bytes, way: str) -> None:
    contents = (png, images.unusable(), b"no image", zipped(png), b"")
    client = shared.client
    if way == "parts":
        response = await client.post(BATCHES, files=parts(*contents))
    elif way == "zip as part":
        response = await client.post(BATCHES, files=parts(zipped(*contents)))
    else:
        response = await client.post(BATCHES, content=zipped(*contents), headers=ZIP)
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
            stored = (await client.get(f"{API}/{line['prediction']['id']}")).json()
            # What contradicts the T-score is told of one result alone.
            assert stored.pop("conflicts") == []
            assert stored == line["prediction"]
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


async def test_lines_of_what_is_refused_at_a_glance_are_written_together(shared: Front) -> None:
    """A transaction and an entry of the trail for each cost more than all else of such a file."""
    many = 200
    sent = await shared.client.post(BATCHES, content=zipped(*[b"x"] * many), headers=ZIP)
    lines, batch = read(sent.text)
    assert [line["line"] for line in lines] == list(range(1, many + 1))
    assert {line["index"] for line in lines} == set(range(many))
    assert (batch["state"], batch["finished"], batch["remaining"]) == ("finished", many, [])
    async with shared.app.state.health.database.connect() as connection:
        entries = await connection.execute(
            select(AuditEventRow.detail)
            .where(AuditEventRow.object_id == batch["id"])
            .where(AuditEventRow.kind == "batch_line_added")
        )
        ranges = sorted((one["line"], one["to"]) for one in map(json.loads, entries.scalars()))
    assert len(ranges) < many // 2
    told = [line for first, last in ranges for line in range(first, last + 1)]
    assert told == list(range(1, many + 1))


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
        in_flight = opened.app.state.metrics.http.in_flight
        await opened.settled(lambda: in_flight._value.get() >= 1)
        # All five have been outlined and measured, and wait for the one that is held.
        bone: Any = opened.runners["vertebrae"].runner
        await opened.settled(lambda: sum(map(len, bone.calls)) == 5)
        held.go.set()
        assert (await single).status_code == 201
        assert (await ended(opened, address))["finished"] == 4
    # The runner's second image is the single one: no other looks like the first of the batch.
    alike = [np.array_equal(call[0], held.calls[0][0]) for call in held.calls]
    assert alike == [True, False, True, True, True]


class Stumbling(Honest):
    """Out of order for the first request, there for the next."""

    async def answer(self, answers: list[Any]) -> Response:
        if len(self.calls) == 1 and not self.frames[1:]:
            return JSONResponse({"error": "out of order"}, 500)
        return await super().answer(answers)


async def test_a_failure_that_is_not_the_images_is_tried_again(var: Path, png: bytes) -> None:
    stumbling = [Stumbling("cnn"), Stumbling("vgg16"), Stumbling("resnet"), Stumbling("vertebrae")]
    async with running(*stumbling) as runners, front(var, runners, probe_seconds=0.01) as opened:
        lines, _ = read((await opened.client.post(BATCHES, files=parts(png))).text)
    assert lines[0]["prediction"]["outcome"] == "osteoporosis"
    assert [len(one.calls) for one in stumbling] == [2, 2, 2, 2]


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
        for name in ("cnn", "vgg16", "resnet", "vertebrae"):
            await runners[name].stop()
        lines, batch = read((await opened.client.post(BATCHES, files=parts(png))).text)
        assert [line["problem"]["code"] for line in lines] == ["runners_unavailable"]
        assert batch["state"] == "finished"


async def test_a_deleted_result_is_told_in_its_line(shared: Front, png: bytes) -> None:
    lines, batch = read((await shared.client.post(BATCHES, files=parts(png))).text)
    await shared.client.delete(f"{API}/{lines[0]['prediction']['id']}")
    answer = await shared.client.get(f"{BATCHES}/{batch['id']}/results")
    (line,), _ = read(answer.text)
    assert line["prediction"] is None
    assert line["problem"]["code"] == "prediction_not_found"


@pytest.mark.parametrize(
    ("kept", "code"),
    [
        ({"code": "corrupt_file", "detail": "It is cut short."}, "corrupt_file"),
        ({"code": "newer", "detail": "Not known here."}, "row_unreadable"),
        ({}, "prediction_not_found"),
    ],
)
def test_a_kept_error_is_told_as_a_request_of_its_own_would(
    kept: dict[str, str], code: str
) -> None:
    line = Line(line=1, index=0, prediction=None, problem=kept)
    found = told(line, UUID(int=1)).problem
    assert found is not None
    assert (found["code"], found["title"]) == (code, KINDS[code].title)
    assert found["detail"] == (kept["detail"] if code == kept.get("code") else found["detail"])


def test_a_whole_document_that_0_1_has_kept_is_told_as_it_is() -> None:
    error = ServiceError("empty_file", "It holds nothing.")
    kept = translate(error).document("/api/v1/batches/1")
    line = Line(line=1, index=0, prediction=None, problem=kept)
    assert told(line, UUID(int=1)).problem == kept


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
        assert [row.xpath("string(./th)") for row in rows] == ["1", "2 SECRET^NAME.png"]
        assert "Not an image we read" in rows[0].text_content()
        link = rows[1].xpath(".//a/@href")[0]
        assert (await opened.client.get(link)).status_code == 200
