"""Results by HL7 and FHIR from a whole gateway: made once, each destination by itself."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import select, update

from service.clock import now
from service.identity.actor import Actor
from service.integration.destinations import DicomDestination
from service.integration.dicom import sender
from service.integration.hl7.client import control_id
from service.integration.ledger.schemas import NotDecidedError, Outgoing, Result, Sent
from service.storage.database import Database
from service.storage.tables.ledger import ArrivalRow, CaseRow, DeliveryRow
from tests.service.integration.fhir.servers import accepting, refusing, server
from tests.service.integration.gateways import Gateway, gateway
from tests.service.integration.hl7.engines import answering, engine
from tests.service.integration.kit import arrival, file, image, opened
from tests.service.integration.test_ledger import made
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

PEER = """
[[peer]]
name = "dxa-1"
calling = "DXA1"
called = "OSTEOSERVE"
addresses = ["127.0.0.1/32"]
"""


def engine_at(port: int, more: str = "") -> str:
    named = '\n[[destination]]\nname = "engine"\nkind = "hl7"\nhost = "127.0.0.1"\n'
    return f"{named}port = {port}\n{more}"


def record_at(base: str, more: str = "") -> str:
    return f'\n[[destination]]\nname = "record"\nkind = "fhir"\nbase = "{base}"\n{more}'


def peers(folder: Path, *destinations: str) -> Path:
    path = folder / "peers.toml"
    path.write_text(PEER + "".join(destinations))
    return path


async def push(opened: Gateway, *objects: Dataset) -> None:
    """Send ``objects`` as a scanner would."""
    us = DicomDestination(
        name="us", called="OSTEOSERVE", calling="DXA1", host="127.0.0.1", port=opened.port
    )
    results = [
        Result(
            sop_uid=str(one.SOPInstanceUID),
            sop_class_uid=str(one.SOPClassUID),
            series_uid=str(one.SeriesInstanceUID),
            data=file(one),
        )
        for one in objects
    ]
    sent = await asyncio.to_thread(sender.send, us, results, {})
    assert sent.reason is None


@pytest.fixture(scope="module")
async def runners() -> AsyncIterator[Any]:
    async with running() as found:
        yield found


async def test_a_study_is_told_to_an_engine_and_a_record(runners: Any, tmp_path: Path) -> None:
    async with engine(answering("AA")) as hl7, server(accepting()) as fhir:
        file = peers(tmp_path, engine_at(hl7.port, "pdf = true\n"), record_at(fhir.base))
        async with gateway(tmp_path / "var", runners, file) as one:
            await push(one, image(PatientID="4711", AccessionNumber="A1"))
            await one.finished()
            balance = await one.ledger.balance()
    (message,), ((_, body),) = hl7.taken, fhir.taken
    assert b"\rPID|1||4711^^^^MR|" in message
    assert b"PROBABILITY^Calibrated probability of osteoporosis^99OSTEOSERVE|1|0.83" in message
    assert b"^Application^PDF^Base64^JVBERi" in message
    entries = json.loads(body)["entry"]
    probabilities = [
        one["resource"]["valueQuantity"]["value"]
        for one in entries
        if "valueQuantity" in one["resource"]
    ]
    assert probabilities == [pytest.approx(0.83)]
    assert (balance.delivered, balance.unaccounted) == (1, 0)


async def test_case_23_a_refusal_of_one_keeps_no_other_waiting_and_is_in_no_log(
    runners: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    said = "no patient 4711-XYZ here"
    async with engine(answering("AA")) as hl7, server(refusing(422, said)) as fhir:
        file = peers(tmp_path, engine_at(hl7.port), record_at(fhir.base))
        async with gateway(tmp_path / "var", runners, file) as one:
            await push(one, image(PatientID="4711-XYZ", PatientName="Doe^Jane"))

            async def settled() -> bool:
                return [line.state for line in await one.ledger.waiting()] == ["dead"]

            await one.until(settled)
            (line,) = await one.ledger.waiting()
            assert (line.about, line.reason) == ("record", "refused 422")
            assert line.detail == "processing: no patient … here"
            assert (len(hl7.taken), len(fhir.taken)) == (1, 1)
            assert (await one.ledger.balance()).dead == 1
    assert "4711-XYZ" not in caplog.text
    assert "Doe" not in caplog.text


async def test_case_37_an_engine_that_was_away_gets_the_same_message_once(
    runners: Any, tmp_path: Path
) -> None:
    async def cut(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with (
        engine(cut, answering("AE"), answering("AA")) as hl7,
        gateway(tmp_path / "var", runners, peers(tmp_path, engine_at(hl7.port))) as one,
    ):
        await push(one, image(PatientID="1"))

        async def again() -> bool:
            # As if the pause were over.
            async with one.database.begin() as connection:
                await connection.execute(update(DeliveryRow).values(due_at=now()))
            return (await one.ledger.balance()).in_progress == 0

        await one.until(again)
        assert (await one.ledger.balance()).delivered == 1
    assert len(hl7.taken) == 3
    assert len(set(hl7.taken)) == 1


async def test_what_nobody_could_file_waits_for_a_person(runners: Any, tmp_path: Path) -> None:
    async with engine(answering("AA")) as hl7, server(accepting()) as fhir:
        file = peers(tmp_path, engine_at(hl7.port, 'order = "required"\n'), record_at(fhir.base))
        async with gateway(tmp_path / "var", runners, file) as one:
            await push(one, image(PatientID="", AccessionNumber=""))
            await push(one, image(PatientID="7", AccessionNumber=""))

            async def settled() -> bool:
                lines = await one.ledger.waiting()
                return [line.state for line in lines] == ["dead"] * 3

            await one.until(settled)
            reasons = sorted(f"{one.about} {one.reason}" for one in await one.ledger.waiting())
    assert reasons == ["engine no_order", "engine no_patient_id", "record no_patient_id"]
    assert (hl7.taken, len(fhir.taken)) == ([], 1)


async def _two_deliveries(database: Database, in_order: bool) -> list[str]:
    """Return which of two messages is given out while the first waits."""
    ledger = opened(database).ledger
    for number in "12":
        await ledger.receive(arrival(image(PatientID=number)))
        async with database.begin() as connection:
            await connection.execute(update(CaseRow).values(due_at=now()))
        case = await ledger.next_case()
        assert case is not None
        await ledger.ready(case)
        assert await ledger.judged(case, [])
        await ledger.composed(case, made(case, 1))
        outgoing = Outgoing(destination="engine", message=number.encode())
        await ledger.deliver(case, [outgoing])
    first = await ledger.next_delivery("engine", in_order)
    assert first is not None
    assert await ledger.sent(first, Sent(objects={}, reason="no_answer"), 5) == "waiting"
    found = await ledger.next_delivery("engine", in_order)
    return [one.message.decode() for one in (first, found) if one and one.message]


async def test_what_has_been_replaced_at_an_engine_is_not_sent_after_all(
    database: Database,
) -> None:
    ledger = opened(database).ledger
    study = image(PatientID="1")
    numbers = []
    for late in (study, image(StudyInstanceUID=study.StudyInstanceUID, PatientID="1")):
        await ledger.receive(arrival(late))
        async with database.begin() as connection:
            await connection.execute(update(CaseRow).values(due_at=now()))
        case = await ledger.next_case()
        assert case is not None
        await ledger.ready(case)
        assert await ledger.judged(case, [])
        await ledger.composed(case, made(case, 1))
        await ledger.deliver(case, [Outgoing(destination="engine", message=b"MSH|")])
        delivery = await ledger.next_delivery("engine")
        assert delivery is not None
        numbers.append(delivery.id)
        if len(numbers) == 1:
            refused = Sent(objects={}, reason="refused AE", passes=False)
            assert await ledger.sent(delivery, refused, 5) == "dead"
        else:
            assert await ledger.sent(delivery, Sent(objects={}, reason=None), 5) == "accepted"
    with pytest.raises(NotDecidedError):
        await ledger.restart(Actor.anonymous(), numbers[0])
    await ledger.discard(Actor.anonymous(), numbers[0], "replaced")
    assert await ledger.waiting() == ()


@pytest.mark.parametrize(("in_order", "given"), [(False, ["1", "2"]), (True, ["1"])])
async def test_case_38_whether_the_next_overtakes_is_the_destinations(
    database: Database, in_order: bool, given: list[str]
) -> None:
    assert await _two_deliveries(database, in_order) == given


async def test_case_48_a_message_goes_with_the_studys_other_bytes(database: Database) -> None:
    ledger = opened(database, gateway_retain_hours=0.0001).ledger
    await ledger.receive(arrival())
    async with database.begin() as connection:
        await connection.execute(update(CaseRow).values(due_at=now()))
    case = await ledger.next_case()
    assert case is not None
    await ledger.ready(case)
    assert await ledger.judged(case, [])
    await ledger.composed(case, made(case, 1))
    await ledger.deliver(case, [Outgoing(destination="engine", message=b"MSH|")])
    await asyncio.sleep(0.5)
    assert await ledger.purge() == 0
    delivery = await ledger.next_delivery("engine")
    assert delivery is not None
    assert delivery.message == b"MSH|"
    sent = Sent(objects={"answer": "AA"}, reason=None, detail="welcome")
    assert await ledger.sent(delivery, sent, 5) == "accepted"
    await asyncio.sleep(0.5)
    assert await ledger.purge() == 1
    async with database.connect() as connection:
        statement = select(DeliveryRow.message, DeliveryRow.detail, ArrivalRow.data).where(
            ArrivalRow.case_id == DeliveryRow.case_id
        )
        (row,) = (await connection.execute(statement)).all()
    assert tuple(row) == (None, None, None)


async def test_a_control_id_is_the_deliverys(runners: Any, tmp_path: Path) -> None:
    async with engine(answering("AA")) as hl7:
        file = peers(tmp_path, engine_at(hl7.port))
        async with gateway(tmp_path / "var", runners, file) as one:
            await push(one, image(PatientID="1"))
            await push(one, image(PatientID="1"))
            await one.finished()
    assert len({control_id(message) for message in hl7.taken}) == len(hl7.taken) == 2
