"""Items that we perform: what each becomes by the ledger, once, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import select, update

from service.clock import now
from service.events import Listeners
from service.identity.actor import Actor
from service.identity.reading import Reading
from service.integration.ledger.schemas import Outgoing, Sent, WorkitemState
from service.integration.peers import Peers
from service.integration.settings import GatewaySettings
from service.integration.web.metrics import DicomWebMetrics
from service.integration.workers.performing import places
from service.integration.workitems.document import code, element, tag, text, values
from service.integration.workitems.performing import EXPIRES, Performance
from service.integration.workitems.schemas import Item, Place, RefusedError
from service.integration.workitems.service import Workitems
from service.integration.workitems.telling import told
from service.observability.metrics import new_registry
from service.retention.repository import forget_received
from service.storage.database import Database
from service.storage.tables.ledger import CaseRow, DeliveryRow, LedgerEventRow, WorkitemRow
from service.storage.transaction import Transactions
from tests.service.integration.gateways import peers_file
from tests.service.integration.kit import Opened, arrival, image, opened
from tests.service.integration.test_ledger import accept, composed, due
from tests.service.integration.workitems.kit import (
    OTHER,
    performed,
    reason,
    uid,
    within,
    workitem,
)

pytestmark = pytest.mark.anyio

ACTOR = Actor.anonymous()
HERE = "https://here.example/dicom-web"
PLACES: Mapping[str, Place] = {
    "pacs": ("ae", "PACS"), "cloud": ("url", "https://cloud.example/dicom-web"),
}  # fmt: skip


@dataclass
class Desk:
    """A worklist, the ledger, and who performs what is in it."""

    on: Opened
    worklist: Workitems
    performance: Performance

    @property
    def database(self) -> Database:
        return self.on.database

    async def create(self, item: Item) -> str:
        return (await self.worklist.create(ACTOR, None, item))[0]

    async def receive(self, *images: Dataset) -> None:
        for one in images:
            await self.on.ledger.receive(arrival(one))

    async def works(self) -> None:
        """Do all that is to be done about items now."""
        await self.due()
        while await self.performance.take_up() or await self.performance.follow():
            pass

    async def due(self) -> None:
        async with self.database.begin() as connection:
            moment = now() - timedelta(seconds=1)
            await connection.execute(update(WorkitemRow).values(due_at=moment))

    async def get(self, named: str) -> Item:
        return told(await self.worklist.get(ACTOR, named, "/route"), HERE)

    async def state(self, named: str) -> str:
        return text(await self.get(named), "ProcedureStepState")


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    on = opened(database)
    transactions = Transactions(database, Listeners())
    reading = Reading(transactions)
    metrics = DicomWebMetrics(new_registry())
    yield Desk(
        on,
        Workitems(transactions, reading, metrics),
        Performance(GatewaySettings(), transactions, PLACES),
    )
    await reading.aclose()


async def test_an_item_follows_its_case_to_the_end(desk: Desk) -> None:
    one = image()
    await desk.receive(one)
    named = await desk.create(workitem(one))
    await desk.works()
    item = await desk.get(named)
    assert text(item, "ProcedureStepState") == "IN PROGRESS"
    assert tag("TransactionUID") not in item
    begun = within(item, "UnifiedProcedureStepPerformedProcedureSequence")
    assert text(begun, "PerformedProcedureStepStartDateTime")
    assert not values(begun, "OutputInformationSequence")
    case = await composed(desk.on.ledger, desk.database)
    await desk.works()
    assert await desk.state(named) == "IN PROGRESS"
    await accept(desk.on.ledger, desk.database)
    await desk.works()
    item = await desk.get(named)
    assert text(item, "ProcedureStepState") == "COMPLETED"
    done = within(item, "UnifiedProcedureStepPerformedProcedureSequence")
    assert text(done, "PerformedProcedureStepEndDateTime")
    assert text(within(done, "PerformedWorkitemCodeSequence"), "CodeValue") == "110004"
    (output,) = values(done, "OutputInformationSequence")
    assert text(output, "StudyInstanceUID") == one.StudyInstanceUID
    sent = [text(it, "ReferencedSOPInstanceUID") for it in values(output, "ReferencedSOPSequence")]
    assert sent == [f"2.25.{case.id.int}.{number}" for number in (1, 2)]
    assert text(within(output, "DICOMRetrievalSequence"), "RetrieveAETitle") == "PACS"
    (web,) = values(output, "WADORSRetrievalSequence")
    assert text(web, "RetrieveURL") == (
        f"{HERE}/studies/{one.StudyInstanceUID}/series/2.25.{case.id.int}"
    )
    # It is a data set to others, too.
    assert Dataset.from_json(item).ProcedureStepState == "COMPLETED"
    async with desk.database.connect() as connection:
        about = select(LedgerEventRow.state, LedgerEventRow.case_id).where(
            LedgerEventRow.about_id == select(WorkitemRow.id).scalar_subquery()
        )
        events = (await connection.execute(about.order_by(LedgerEventRow.id))).all()
    assert [tuple(row) for row in events] == [
        ("scheduled", None), ("in_progress", case.id), ("completed", case.id),
    ]  # fmt: skip


async def test_what_is_done_already_is_told_at_once(desk: Desk) -> None:
    one = image()
    await desk.receive(one)
    await composed(desk.on.ledger, desk.database, "cloud")
    await accept(desk.on.ledger, desk.database, "cloud")
    named = await desk.create(workitem(one))
    await desk.works()
    done = within(await desk.get(named), "UnifiedProcedureStepPerformedProcedureSequence")
    output = within(done, "OutputInformationSequence")
    urls = [text(it, "RetrieveURL") for it in values(output, "WADORSRetrievalSequence")]
    assert [one.partition("/studies/")[0] for one in urls] == [PLACES["cloud"][1], HERE]
    assert tag("DICOMRetrievalSequence") not in output


async def test_an_item_waits_for_all_that_it_names(desk: Desk) -> None:
    first = image()
    second = image(StudyInstanceUID=first.StudyInstanceUID)
    named = await desk.create(workitem(first, second))
    await desk.works()
    assert await desk.state(named) == "SCHEDULED"
    await desk.receive(first)
    await desk.due()
    assert await desk.performance.take_up()
    # It is not looked at again and again.
    assert not await desk.performance.take_up()
    assert await desk.state(named) == "SCHEDULED"
    await desk.receive(second)
    await desk.works()
    assert await desk.state(named) == "IN PROGRESS"


async def test_a_study_alone_is_input_enough(desk: Desk) -> None:
    one = image()
    study = element("StudyInstanceUID", str(one.StudyInstanceUID))
    named = await desk.create({**workitem(one, InputInformationSequence=[]), **study})
    await desk.receive(one)
    await desk.works()
    assert await desk.state(named) == "IN PROGRESS"


@pytest.mark.parametrize(
    "changes",
    [
        {"ScheduledWorkitemCodeSequence": OTHER},
        {"ScheduledWorkitemCodeSequence": code("110004", "99CLINIC", "another's")},
        {"ScheduledWorkitemCodeSequence": []},
        {"InputReadinessState": "INCOMPLETE"},
    ],
    ids=["code", "scheme", "none", "incomplete"],
)
async def test_what_is_not_asked_of_us_stays(desk: Desk, changes: dict[str, Any]) -> None:
    one = image()
    await desk.receive(one)
    named = await desk.create(workitem(one, **changes))
    await desk.works()
    assert await desk.state(named) == "SCHEDULED"
    if "InputReadinessState" in changes:
        await desk.worklist.update(ACTOR, named, element("InputReadinessState", "READY"), None)
        await desk.works()
        assert await desk.state(named) == "IN PROGRESS"


async def test_another_patient_s_input_is_not_taken(desk: Desk) -> None:
    one = image(PatientID="4711")
    await desk.receive(one)
    other = await desk.create(workitem(one, PatientID="4712"))
    same = await desk.create(workitem(one, IssuerOfPatientID="CLINIC"))
    await desk.works()
    item = await desk.get(other)
    assert (text(item, "ProcedureStepState"), reason(item)) == ("CANCELED", "110514")
    assert await desk.state(same) == "IN PROGRESS"


async def test_input_of_two_studies_is_not_taken(desk: Desk) -> None:
    named = await desk.create(workitem(image(), image()))
    await desk.works()
    item = await desk.get(named)
    assert (text(item, "ProcedureStepState"), reason(item)) == ("CANCELED", "110522")


@pytest.mark.parametrize(
    ("why", "code"),
    [("no_pixel_data", "110521"), ("too_many_results", "110513"), ("rule:research", None)],
)
async def test_a_case_that_is_put_apart_ends_its_item_unless_a_rule_holds_it(
    desk: Desk, why: str, code: str | None
) -> None:
    one = image()
    await desk.receive(one)
    named = await desk.create(workitem(one))
    await desk.works()
    await due(desk.database)
    case = await desk.on.ledger.next_case()
    assert case is not None
    await desk.on.ledger.quarantine(case, why)
    await desk.works()
    item = await desk.get(named)
    if code is None:
        assert text(item, "ProcedureStepState") == "IN PROGRESS"
        await desk.on.ledger.discard(ACTOR, case.id, "not wanted")
        await desk.works()
        item, code = await desk.get(named), "110513"
    assert (text(item, "ProcedureStepState"), reason(item)) == ("CANCELED", code)
    progress = within(item, "ProcedureStepProgressInformationSequence")
    assert text(progress, "ReasonForCancellation").startswith("osteoserve: ")


async def test_what_nobody_was_sent_is_no_completed_item(desk: Desk) -> None:
    one = image()
    await desk.receive(one)
    named = await desk.create(workitem(one))
    await composed(desk.on.ledger, desk.database)
    await due(desk.database)
    delivery = await desk.on.ledger.next_delivery("pacs")
    assert delivery is not None
    await desk.on.ledger.sent(delivery, Sent(objects={}, reason="refused A900", passes=False), 3)
    await desk.works()
    # It is dead, and a person may have it sent again.
    assert await desk.state(named) == "IN PROGRESS"
    await desk.on.ledger.discard(ACTOR, delivery.id, "never")
    await desk.works()
    assert await desk.state(named) == "CANCELED"


async def test_a_result_that_is_held_is_that_of_the_revision_that_was_signed(desk: Desk) -> None:
    ledger, one = desk.on.ledger, image()
    await desk.receive(one)
    named = await desk.create(workitem(one))
    await desk.works()
    await due(desk.database)
    case = await ledger.next_case()
    assert case is not None
    await ledger.ready(case)
    (held,) = await ledger.held(case)
    assert await ledger.judged(case, [(held.sha256, case.id)])
    await ledger.composed(case, [])
    await ledger.deliver(case, [Outgoing(destination="pacs", held=True)])
    await desk.works()
    assert await desk.state(named) == "IN PROGRESS"
    await desk.receive(image(StudyInstanceUID=one.StudyInstanceUID))
    signed = await composed(ledger, desk.database)
    await desk.works()
    assert await desk.state(named) == "IN PROGRESS"
    await accept(ledger, desk.database)
    await desk.works()
    assert await desk.state(named) == "COMPLETED"
    async with desk.database.connect() as connection:
        assert await connection.scalar(select(WorkitemRow.case_id)) == signed.id


async def test_of_what_is_sent_as_messages_alone_we_have_the_objects(desk: Desk) -> None:
    one = image()
    await desk.receive(one)
    named = await desk.create(workitem(one))
    await composed(desk.on.ledger, desk.database, "engine")
    await due(desk.database)
    delivery = await desk.on.ledger.next_delivery("engine")
    assert delivery is not None
    await desk.on.ledger.sent(delivery, Sent(objects={}, reason=None), 3)
    await desk.works()

    async def outputs() -> list[Item]:
        done = within(await desk.get(named), "UnifiedProcedureStepPerformedProcedureSequence")
        return values(done, "OutputInformationSequence")

    (output,) = await outputs()
    assert text(within(output, "WADORSRetrievalSequence"), "RetrieveURL").startswith(HERE)
    async with desk.database.begin() as connection:
        await connection.exec_driver_sql("UPDATE ledger_result SET data = NULL")
    assert await outputs() == []


async def test_several_gateways_take_each_item_up_and_end_it_once(desk: Desk) -> None:
    images = [image() for _ in range(6)]
    await desk.receive(*images)
    named = [await desk.create(workitem(one)) for one in images]
    others = [
        Performance(GatewaySettings(), Transactions(desk.database, Listeners()), PLACES)
        for _ in range(4)
    ]

    async def works(one: Performance) -> None:
        while await one.take_up() or await one.follow():
            pass

    await desk.due()
    await asyncio.gather(*map(works, others))
    assert {await desk.state(one) for one in named} == {"IN PROGRESS"}
    for _ in images:
        await composed(desk.on.ledger, desk.database)
        await accept(desk.on.ledger, desk.database)
    await asyncio.gather(*map(works, others))
    assert {await desk.state(one) for one in named} == {"COMPLETED"}
    async with desk.database.connect() as connection:
        for state in ("in_progress", "completed"):
            about = select(LedgerEventRow.about_id).where(LedgerEventRow.state == state)
            found = list(await connection.scalars(about))
            assert len(found) == len(set(found)) == len(images)


async def test_a_program_and_a_gateway_that_claim_at_once_are_one(desk: Desk) -> None:
    images = [image() for _ in range(6)]
    await desk.receive(*images)
    named = [await desk.create(workitem(one)) for one in images]
    await desk.due()

    async def claims(one: str) -> bool:
        try:
            await desk.worklist.change(ACTOR, one, "in_progress", uid())
        except RefusedError:
            return False
        return True

    async def works() -> None:
        while await desk.performance.take_up():
            pass

    *theirs, _ = await asyncio.gather(*map(claims, named), works())
    async with desk.database.connect() as connection:
        rows = await connection.execute(select(WorkitemRow.uid, WorkitemRow.case_id))
        ours = {row.uid: row.case_id is not None for row in rows}
    assert [not ours[one] for one in named] == theirs


async def test_nobody_else_changes_what_we_perform(desk: Desk) -> None:
    one = image()
    await desk.receive(one)
    named = await desk.create(workitem(one))
    await desk.works()
    for wanted in get_args(WorkitemState)[1:]:
        with pytest.raises(RefusedError):
            await desk.worklist.change(ACTOR, named, wanted, uid())
    with pytest.raises(RefusedError):
        await desk.worklist.update(ACTOR, named, performed(), uid())
    with pytest.raises(RefusedError, match="Performer chooses not to cancel"):
        await desk.worklist.cancel(ACTOR, named, {})
    assert await desk.state(named) == "IN PROGRESS"


async def age(desk: Desk, by: timedelta) -> None:
    async with desk.database.begin() as connection:
        await connection.execute(update(WorkitemRow).values(changed_at=now() - by))


async def test_what_never_came_ends_and_what_ended_is_forgotten(desk: Desk) -> None:
    first = image()
    named = await desk.create(workitem(first, image(StudyInstanceUID=first.StudyInstanceUID)))
    await desk.receive(first)
    await age(desk, EXPIRES - timedelta(days=1))
    await desk.works()
    await desk.performance.tidy()
    assert await desk.state(named) == "SCHEDULED"
    await age(desk, EXPIRES + timedelta(days=1))
    # That it was looked at meanwhile makes it no younger.
    await desk.works()
    await desk.performance.tidy()
    item = await desk.get(named)
    assert (text(item, "ProcedureStepState"), reason(item)) == ("CANCELED", "110533")
    await desk.performance.tidy()
    assert await desk.state(named) == "CANCELED"
    await age(desk, timedelta(hours=GatewaySettings().gateway_retain_hours + 1))
    await desk.performance.tidy()
    async with desk.database.connect() as connection:
        assert await connection.scalar(select(WorkitemRow.id)) is None


async def test_whoever_is_erased_has_no_items(desk: Desk) -> None:
    for number, issuer in (("4711", ""), ("4711", "CLINIC"), ("4711", "OTHER"), ("4712", "")):
        item = workitem(PatientID=number)
        await desk.create({**item, **element("IssuerOfPatientID", issuer)} if issuer else item)
    async with desk.database.begin() as connection:
        await forget_received(connection, "default", "4711\\CLINIC")
    async with desk.database.connect() as connection:
        assert len(list(await connection.scalars(select(WorkitemRow.id)))) == 2


async def test_states_are_counted(desk: Desk) -> None:
    await desk.create(workitem())
    states = await desk.on.ledger.states()
    assert states["workitem", "scheduled"] == 1


async def test_items_do_not_touch_the_books(desk: Desk) -> None:
    one = image()
    await desk.receive(one)
    await desk.create(workitem(one))
    await desk.works()
    await composed(desk.on.ledger, desk.database)
    await accept(desk.on.ledger, desk.database)
    await desk.works()
    balance = await desk.on.ledger.balance()
    assert (balance.delivered, balance.unaccounted) == (1, 0)
    async with desk.database.connect() as connection:
        assert await connection.scalar(select(CaseRow.state)) == "done"
        assert await connection.scalar(select(DeliveryRow.state)) == "accepted"


def test_a_place_is_the_title_or_the_base_of_a_destination(tmp_path: Path) -> None:
    more = """
[[destination]]
name = "cloud"
kind = "dicomweb"
base = "https://cloud.example/dicom-web"

[[destination]]
name = "engine"
kind = "hl7"
host = "engine.example"
port = 2575
application = "RIS"
facility = "CLINIC"
"""
    found = Peers.read(peers_file(tmp_path, 104, more=more)).destination
    assert places(found) == PLACES
