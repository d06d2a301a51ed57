"""A manager's item by UPS-RS, an image, a PACS: front and gateways as they run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from service.integration.workitems.document import text, values
from service.integration.workitems.schemas import Item
from tests.service.integration.gateways import Gateway, gateway, peers_file
from tests.service.integration.kit import file, image
from tests.service.integration.test_sender import destination
from tests.service.integration.web.hospitals import Hospital, hospital
from tests.service.integration.workitems.kit import (
    JSON,
    WORKITEMS,
    reason,
    uid,
    within,
    workitem,
)
from tests.service.kit import databases
from tests.service.kit.accounts import bearer, key
from tests.service.kit.fronts import front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hospital]:
    async with hospital(tmp_path_factory.mktemp("hospital")) as one:
        yield one


async def create(one: Hospital, item: Item) -> str:
    named = uid()
    headers = {**bearer(one.key), **JSON}
    at = f"{WORKITEMS}?{named}"
    answer = await one.front.client.post(at, json=[item], headers=headers)
    assert answer.status_code == 201, answer.text
    return named


async def get(one: Hospital, named: str, key: str | None = None) -> Item:
    answer = await one.get(f"{WORKITEMS}/{named}", key)
    assert answer.status_code == 200, answer.text
    (item,) = answer.json()
    return dict(item)


async def until(one: Hospital, at: Gateway, named: str, *words: str) -> Item:
    """Wait until an item is in one of some states; return it."""
    found: list[Item] = []

    async def is_so() -> bool:
        found[:] = [await get(one, named)]
        return text(found[0], "ProcedureStepState") in words

    await at.until(is_so)
    return found[0]


def outputs(item: Item) -> dict[str, Any]:
    """Return by UID where each object of an item's output is retrieved from."""
    data = Dataset.from_json(item)
    (done,) = data.UnifiedProcedureStepPerformedProcedureSequence
    return {
        str(it.ReferencedSOPInstanceUID): one
        for one in done.OutputInformationSequence
        for it in one.ReferencedSOPSequence
    }


async def test_an_item_that_comes_before_its_image_is_done_once_it_is_in_the_pacs(
    opened: Hospital,
) -> None:
    one = image()
    named = await create(opened, workitem(one))
    assert text(await get(opened, named), "ProcedureStepState") == "SCHEDULED"
    before = len(opened.sent)
    assert (await opened.store(file(one))).status_code == 200
    item = await until(opened, opened.gateway, named, "COMPLETED", "CANCELED")
    assert text(item, "ProcedureStepState") == "COMPLETED"
    found = outputs(item)
    # What the item names is what the PACS was sent, no more and no less.
    assert found.keys() == {sop_uid for sop_uid, _ in opened.sent[before:]}
    assert len(found) == 2
    reader = await key(opened.front, "viewer")
    for sop_uid, output in found.items():
        assert [it.RetrieveAETitle for it in output.DICOMRetrievalSequence] == ["PACS"]
        (here,) = output.WADORSRetrievalSequence
        base = str(opened.front.client.base_url).rstrip("/")
        assert here.RetrieveURL.startswith(f"{base}/dicom-web/studies/{one.StudyInstanceUID}")
        answer = await opened.get(f"{here.RetrieveURL}/instances/{sop_uid}", reader)
        assert answer.status_code == 200


async def test_an_item_for_what_was_judged_before_is_done_at_once(opened: Hospital) -> None:
    one = image()
    await opened.judged(one)
    named = await create(opened, workitem(one))
    item = await until(opened, opened.gateway, named, "COMPLETED")
    assert len(outputs(item)) == 2


async def test_an_image_that_cannot_be_read_cancels_its_item(opened: Hospital) -> None:
    one = image()
    one.PixelData = bytes(len(one.PixelData))
    named = await create(opened, workitem(one))
    assert (await opened.store(file(one))).status_code == 200
    item = await until(opened, opened.gateway, named, "COMPLETED", "CANCELED")
    assert (text(item, "ProcedureStepState"), reason(item)) == ("CANCELED", "110521")
    progress = within(item, "ProcedureStepProgressInformationSequence")
    assert text(progress, "ReasonForCancellation") == "osteoserve: constant_image"


async def test_an_item_is_taken_up_by_the_next_gateway_and_by_one_of_two(
    tmp_path: Path, postgres: str
) -> None:
    with (
        destination(lambda *_: 0) as (pacs, sent),
        databases.created(postgres, migrated=True) as url,
    ):
        peers, var = peers_file(tmp_path, pacs.port), tmp_path / "var"
        on: dict[str, Any] = {"database_url": url}
        at_front: dict[str, Any] = {**on, "dicomweb": True, "auth": "local"}
        async with running() as runners, front(var, runners, **at_front) as desk:
            made = await key(desk, "integrator")
            images = [image() for _ in range(3)]
            async with gateway(var, runners, peers, **on) as first:
                one = Hospital(desk, first, sent, made)
                named = [await create(one, workitem(it)) for it in images]
                assert (await one.store(file(images[0]))).status_code == 200
                await until(one, first, named[0], "COMPLETED")
            # Nobody works on it, and nothing is lost.
            assert (await one.store(file(images[1]))).status_code == 200
            assert text(await get(one, named[1]), "ProcedureStepState") == "SCHEDULED"
            async with (
                gateway(var, runners, peers, **on) as second,
                gateway(var, runners, peers, **on) as third,
            ):
                assert (await one.store(file(images[2]))).status_code == 200
                items = await asyncio.gather(
                    until(one, second, named[1], "COMPLETED"),
                    until(one, third, named[2], "COMPLETED"),
                )
                every = [it for item in items for it in outputs(item)]
            assert len(every) == len(set(every)) == 4
            # Each was sent once, whoever has performed it.
            assert sorted(it for it, _ in sent if it in every) == sorted(every)
            done = await get(one, named[0])
            assert values(done, "UnifiedProcedureStepPerformedProcedureSequence")
