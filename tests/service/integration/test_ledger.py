"""The ledger on both databases: states, leases, quarantine, and the equation of all of them."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select, update

from service.clock import now
from service.events import Event
from service.identity.actor import Actor
from service.integration.dicom import sender
from service.integration.events import LedgerDecided
from service.integration.ledger.schemas import (
    Balance,
    Case,
    LeaseLostError,
    NotDecidedError,
    Outgoing,
    Result,
    Sent,
)
from service.integration.ledger.service import LONGEST_PAUSE, Ledger, pause
from service.integration.metrics import GatewayMetrics
from service.integration.peers import Peers
from service.integration.settings import GatewaySettings
from service.integration.workers import senders
from service.integration.workers.committing import Committing
from service.integration.workers.worker import Worker
from service.storage.database import Database
from service.storage.tables.ledger import (
    ArrivalRow,
    CaseResultRow,
    CaseRow,
    DeliveryRow,
    LedgerEventRow,
)
from tests.service.integration.gateways import peers_file
from tests.service.integration.kit import arrival, image, opened

pytestmark = pytest.mark.anyio

PERSON = Actor(id=uuid4(), roles=frozenset({"administrator"}))


async def due(database: Database) -> None:
    """Let whatever waits for a later time be due now."""
    async with database.begin() as connection:
        for table in (CaseRow, DeliveryRow):
            await connection.execute(update(table).values(due_at=now() - timedelta(seconds=1)))


async def expire(database: Database) -> None:
    async with database.begin() as connection:
        for table in (CaseRow, DeliveryRow):
            await connection.execute(update(table).values(leased_until=now() - timedelta(hours=1)))


def made(case: Case, *suffixes: int) -> list[Result]:
    return [
        Result(
            sop_uid=f"2.25.{case.id.int}.{suffix}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.88.34",
            series_uid=f"2.25.{case.id.int}",
            data=b"bytes",
        )
        for suffix in suffixes
    ]


async def composed(ledger: Ledger, database: Database, *destinations: str) -> Case:
    """Take the next case as far as its deliveries."""
    await due(database)
    case = await ledger.next_case()
    assert case is not None
    await ledger.ready(case)
    held = await ledger.held(case)
    assert await ledger.judged(case, [(one.sha256, uuid4()) for one in held])
    await ledger.composed(case, made(case, 1, 2))
    names = destinations or ("pacs",)
    await ledger.deliver(case, [Outgoing(destination=one) for one in names])
    return case


async def accept(ledger: Ledger, database: Database, destination: str = "pacs") -> None:
    await due(database)
    delivery = await ledger.next_delivery(destination)
    assert delivery is not None
    results = await ledger.results(delivery.case_id)
    sent = Sent(objects={one.sop_uid: "0000" for one in results}, reason=None)
    assert await ledger.sent(delivery, sent, 3) == "accepted"


async def case_states(database: Database) -> list[str]:
    async with database.connect() as connection:
        statement = select(CaseRow.state).order_by(CaseRow.created_at, CaseRow.revision)
        return list(await connection.scalars(statement))


async def test_an_object_goes_its_whole_way_and_every_step_is_an_event(database: Database) -> None:
    ledger = opened(database).ledger
    what, case_id = await ledger.receive(arrival())
    assert (what, case_id is not None) == ("accepted", True)
    assert case_id is not None
    await ledger.released([case_id])
    await composed(ledger, database)
    assert await ledger.balance() == Balance(accepted=1, in_progress=1)
    await accept(ledger, database)
    assert await ledger.balance() == Balance(accepted=1, delivered=1)
    async with database.connect() as connection:
        statement = select(LedgerEventRow.state).order_by(LedgerEventRow.id)
        states = list(await connection.scalars(statement))
    assert states == [
        "receiving", "held", "settling", "ready", "judged", "composed", "delivering", "waiting",
        "sending", "accepted", "done",
    ]  # fmt: skip


async def test_case_14_same_bytes_are_swallowed_and_others_are_quarantined(
    database: Database,
) -> None:
    ledger, one = opened(database).ledger, arrival()
    assert (await ledger.receive(one))[0] == "accepted"
    assert (await ledger.receive(one))[0] == "duplicate"
    other = arrival(body=b"other", sop_uid=one.sop_uid, study_uid=one.study_uid)
    assert (await ledger.receive(other))[0] == "quarantined"
    assert (await ledger.receive(other))[0] == "duplicate"
    elsewhere = arrival(body=b"third", sop_uid=one.sop_uid)
    assert (await ledger.receive(elsewhere))[0] == "quarantined", "in another study as well"
    assert await ledger.balance() == Balance(accepted=3, in_progress=1, quarantined=2)
    # The first goes its way.
    case = await composed(ledger, database)
    assert [sha for sha, _ in (await reread(database, case.id))] == [one.sha256]
    # At another site it is another object.
    assert (await ledger.receive(arrival(body=b"x", sop_uid=one.sop_uid, site="east")))[0] == (
        "accepted"
    )


async def reread(database: Database, case_id: Any) -> list[Any]:
    async with database.connect() as connection:
        return list(await connection.scalar(select(CaseRow.judged).where(CaseRow.id == case_id)))


@pytest.mark.parametrize("patient", ["OTHER\\", "P\\another issuer", "\\"])
async def test_case_18_another_patient_in_one_study_is_quarantined(
    database: Database, patient: str
) -> None:
    ledger = opened(database).ledger
    one = arrival(patient="P\\")
    await ledger.receive(one)
    two = arrival(patient=patient, study_uid=one.study_uid)
    assert (await ledger.receive(two))[0] == "quarantined"
    three = arrival(patient="P\\", study_uid=one.study_uid)
    assert (await ledger.receive(three))[0] == "accepted"
    await composed(ledger, database)
    async with database.connect() as connection:
        kept = await connection.scalars(select(ArrivalRow.sha256).where(ArrivalRow.state == "held"))
        assert set(kept) == {one.sha256, three.sha256}
    assert (await ledger.balance()).unaccounted == 0


async def test_what_is_no_image_and_what_is_ours_is_ignored_without_its_bytes(
    database: Database,
) -> None:
    ledger = opened(database).ledger
    assert (await ledger.receive(arrival(is_image=False)))[0] == "ignored"
    assert (await ledger.receive(arrival(is_own=True)))[0] == "ignored"
    await ledger.receive(arrival())
    case = await composed(ledger, database)
    back = made(case, 1)[0]
    assert (await ledger.receive(arrival(sop_uid=back.sop_uid)))[0] == "ignored"
    assert (await ledger.receive(arrival(series_uid=back.series_uid)))[0] == "ignored"
    assert await ledger.balance() == Balance(accepted=5, ignored=4, in_progress=1)
    async with database.connect() as connection:
        rows = await connection.execute(
            select(ArrivalRow.data, ArrivalRow.patient).where(ArrivalRow.state == "ignored")
        )
        assert set(map(tuple, rows)) == {(None, None)}


async def test_an_object_that_comes_while_its_study_is_judged_is_not_left_out(
    database: Database,
) -> None:
    ledger, one = opened(database).ledger, arrival()
    await ledger.receive(one)
    await due(database)
    case = await ledger.next_case()
    assert case is not None
    await ledger.ready(case)
    await ledger.receive(arrival(study_uid=one.study_uid))
    assert not await ledger.judged(case, [(one.sha256, uuid4())])
    assert await case_states(database) == ["receiving"]
    again = await composed(ledger, database)
    assert (again.id, len(await reread(database, again.id))) == (case.id, 2)


async def test_a_late_object_makes_a_revision_that_supersedes_the_first(
    database: Database,
) -> None:
    ledger, one = opened(database).ledger, arrival()
    await ledger.receive(one)
    first = await composed(ledger, database)
    await accept(ledger, database)
    await ledger.receive(arrival(study_uid=one.study_uid))
    second = await composed(ledger, database)
    assert (second.revision, len(await reread(database, second.id))) == (1, 2)
    found = await ledger.predecessor(second)
    assert found is not None
    assert found[2] == made(first, 1)[0].sop_uid
    assert await case_states(database) == ["superseded", "delivering"]
    await accept(ledger, database)
    assert await case_states(database) == ["superseded", "done"]
    assert await ledger.balance() == Balance(accepted=2, superseded=1, delivered=1)


async def test_a_revision_waits_for_the_one_before_it_at_each_destination(
    database: Database,
) -> None:
    ledger, one = opened(database).ledger, arrival()
    await ledger.receive(one)
    first = await composed(ledger, database, "pacs", "archive")
    await ledger.receive(arrival(study_uid=one.study_uid))
    await composed(ledger, database, "pacs", "archive")
    await due(database)
    to = await ledger.next_delivery("pacs")
    assert to is not None
    assert to.case_id == first.id
    assert await ledger.next_delivery("pacs") is None, "the first is still being sent"
    await accept(ledger, database, "archive")
    await accept(ledger, database, "archive")
    await ledger.sent(to, Sent(objects={}, reason=None), 3)
    await accept(ledger, database, "pacs")
    assert await case_states(database) == ["superseded", "done"]


async def test_a_lease_that_expired_belongs_to_the_next_alone(database: Database) -> None:
    ledger = opened(database).ledger
    await ledger.receive(arrival())
    await due(database)
    first = await ledger.next_case()
    assert first is not None
    assert await ledger.next_case() is None
    await expire(database)
    second = await ledger.next_case()
    assert second is not None
    assert second.fence > first.fence
    for late in (
        ledger.ready(first),
        ledger.judged(first, []),
        ledger.composed(first, made(first, 1)),
        ledger.postpone(first),
        ledger.quarantine(first, "x"),
        ledger.deliver(first, [Outgoing(destination="pacs")]),
    ):
        with pytest.raises(LeaseLostError):
            await late
    await ledger.ready(second)
    assert await case_states(database) == ["ready"]
    async with database.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(CaseResultRow)) == 0


async def test_many_workers_never_get_the_same(database: Database) -> None:
    ledger = opened(database).ledger
    for _ in range(12):
        await ledger.receive(arrival())
    await due(database)
    claimed = await asyncio.gather(*(ledger.next_case() for _ in range(20)))
    got = [case.id for case in claimed if case is not None]
    assert len(got) == len(set(got)) == 12


async def test_objects_of_one_study_sent_at_once_join_one_case(database: Database) -> None:
    ledger, one = opened(database).ledger, image()
    many = [arrival(study_uid=one.StudyInstanceUID) for _ in range(8)]
    twice = [*many, *many]
    ends = await asyncio.gather(*(ledger.receive(each) for each in twice))
    assert sorted(what for what, _ in ends) == ["accepted"] * 8 + ["duplicate"] * 8
    assert await case_states(database) == ["receiving"]


async def test_a_delivery_waits_longer_each_time_and_dies_at_its_budget(
    database: Database,
) -> None:
    ledger = opened(database).ledger
    await ledger.receive(arrival())
    case = await composed(ledger, database)
    for left in (2, 1, 0):
        await due(database)
        delivery = await ledger.next_delivery("pacs")
        assert delivery is not None
        first = made(case, 1)[0].sop_uid
        assert dict(delivery.objects) == ({} if left == 2 else {first: "A700"})
        said = await ledger.sent(delivery, Sent(objects={first: "A700"}, reason="refused"), 3)
        assert said == ("waiting" if left else "dead")
        assert await ledger.next_delivery("pacs") is None
    assert await ledger.balance() == Balance(accepted=1, dead=1)
    assert await ledger.purge() == 0


async def test_what_will_never_be_taken_is_dead_at_once(database: Database) -> None:
    ledger = opened(database).ledger
    await ledger.receive(arrival())
    await composed(ledger, database)
    await due(database)
    delivery = await ledger.next_delivery("pacs")
    assert delivery is not None
    sent = Sent(objects={}, reason="no_context", passes=False)
    assert await ledger.sent(delivery, sent, 100) == "dead"


async def test_a_person_restarts_or_discards_and_the_trail_hears_of_it(database: Database) -> None:
    kit = opened(database)
    ledger, told = kit.ledger, list[Event]()
    kit.listeners.afterwards(Event, told.append)
    one = arrival()
    await ledger.receive(one)
    await ledger.receive(arrival(patient="X\\", study_uid=one.study_uid))
    await composed(ledger, database)
    await due(database)
    delivery = await ledger.next_delivery("pacs")
    assert delivery is not None
    await ledger.sent(delivery, Sent(objects={}, reason="no_context", passes=False), 3)
    waiting = {line.kind: line for line in await ledger.waiting()}
    assert (waiting["delivery"].state, waiting["delivery"].reason) == ("dead", "no_context")
    assert (waiting["object"].state, waiting["object"].reason) == ("quarantined", "other_patient")
    await ledger.restart(PERSON, delivery.id)
    with pytest.raises(NotDecidedError):
        await ledger.restart(PERSON, delivery.id)
    again = await ledger.next_delivery("pacs")
    assert again is not None
    assert again.attempts == 1
    await ledger.sent(again, Sent(objects={}, reason="no_context", passes=False), 3)
    await ledger.discard(PERSON, delivery.id, "the PACS was replaced")
    await ledger.discard(PERSON, waiting["object"].id, "wrong patient")
    assert await ledger.waiting() == ()
    assert await ledger.balance() == Balance(accepted=2, discarded=2)
    acts = [(event.what, event.act) for event in told if isinstance(event, LedgerDecided)]
    assert acts == [("delivery", "restart"), ("delivery", "discard"), ("object", "discard")]
    assert {event.actor for event in told} == {PERSON}
    with pytest.raises(NotDecidedError):
        await ledger.discard(PERSON, uuid4(), "nothing there")


async def test_a_case_in_quarantine_goes_on_when_a_person_says_so(database: Database) -> None:
    ledger = opened(database, gateway_judgements=1).ledger
    one = arrival()
    await ledger.receive(one)
    await composed(ledger, database)
    await accept(ledger, database)
    await ledger.receive(arrival(study_uid=one.study_uid))
    await ledger.receive(arrival(study_uid=one.study_uid))
    assert await case_states(database) == ["done", "quarantined"]
    (line,) = await ledger.waiting()
    assert (line.kind, line.reason) == ("case", "too_many_results")
    assert await ledger.balance() == Balance(accepted=3, delivered=1, quarantined=2)
    await ledger.restart(PERSON, line.id)
    await composed(ledger, database)
    assert await ledger.balance() == Balance(accepted=3, superseded=1, in_progress=2)


async def test_bytes_go_when_their_time_has_come_and_never_before(database: Database) -> None:
    ledger = opened(database, gateway_retain_hours=1e-9).ledger
    one, two = arrival(), arrival()
    await ledger.receive(one)
    await composed(ledger, database)
    await accept(ledger, database)
    await ledger.receive(arrival(body=b"other", sop_uid=two.sop_uid, study_uid=two.study_uid))
    await ledger.receive(two)
    await asyncio.sleep(0.01)
    assert await ledger.purge() == 1
    assert await ledger.purge() == 0
    async with database.connect() as connection:
        rows = await connection.execute(
            select(ArrivalRow.sop_uid, ArrivalRow.data, ArrivalRow.patient)
        )
        kept = {row.sop_uid: (row.data is None, row.patient is None) for row in rows}
        results = list(await connection.scalars(select(CaseResultRow.data)))
    assert kept[one.sop_uid] == (True, True)
    assert kept[two.sop_uid] == (False, False)
    assert results == [None, None]
    assert (await ledger.balance()).unaccounted == 0


async def test_a_ledger_that_contradicts_itself_is_seen(database: Database) -> None:
    ledger = opened(database).ledger
    await ledger.receive(arrival())
    async with database.begin() as connection:
        await connection.execute(update(CaseRow).values(state="done"))
    assert (await ledger.balance()).unaccounted == 1


async def test_a_delivery_that_fails_as_nobody_foresaw_dies_at_its_budget(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ledger = opened(database).ledger
    await ledger.receive(arrival())
    await composed(ledger, database)
    peers = Peers.read(peers_file(tmp_path, 104, attempts=2))
    metrics = GatewayMetrics(CollectorRegistry())
    judge: Any = None
    measuring: Any = None
    pulling: Any = None
    performing: Any = None
    feeds: Any = None
    committing = Committing(GatewaySettings(), opened(database).commitments, peers, metrics)
    (pacs,) = peers.destination
    sending = {"pacs": senders.sender(pacs)}
    worker = Worker(
        ledger, peers, sending, judge, committing, measuring, pulling, performing, feeds, metrics
    )

    def fails(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(sender, "send", fails)
    for _ in range(2):
        await due(database)
        assert await worker.deliver(peers.destination[0])
    (line,) = await ledger.waiting()
    assert (line.state, line.reason) == ("dead", "failed")


def test_pauses_double_up_to_a_quarter_of_an_hour_and_differ() -> None:
    assert all(4 <= pause(1) <= 5 for _ in range(100))
    assert all(later > earlier / 2 for earlier, later in itertools.pairwise(map(pause, range(9))))
    assert all(0.8 * LONGEST_PAUSE <= pause(many) <= LONGEST_PAUSE for many in (9, 10**6))
    assert len({pause(5) for _ in range(10)}) == 10
