"""A scanner's own report in the ledger and a whole gateway: before, beside and after its images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydicom.dataset import Dataset
from sqlalchemy import func, select

from models.image.errors import TooExpensiveError
from service.decoding import BusyError
from service.events import Event
from service.exams import repository as exams
from service.exams.dicom import Scope
from service.exams.events import ExamMeasured
from service.exams.schemas import Exam
from service.identity.actor import Within
from service.integration.ledger.schemas import Balance
from service.integration.metrics import READ, GatewayMetrics
from service.integration.peers import Peers
from service.integration.workers.measuring import Measuring
from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from service.storage.tables.ledger import ArrivalRow, CaseRow, JudgementRow
from tests.service.integration.fhir.servers import accepting, server
from tests.service.integration.gateways import Gateway, gateway, peers_file
from tests.service.integration.hl7.engines import answering, engine
from tests.service.integration.kit import Opened, arrival, image, opened
from tests.service.integration.test_ledger import due
from tests.service.integration.test_messages import engine_at, peers, push, record_at
from tests.service.kit import reports
from tests.service.kit.records import keep, made
from tests.service.kit.reports import region, report, spine
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio


class Decoding:
    """Calls in this process; or fails, as whole decoders do."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def run(self, function: Any, *arguments: Any, **_: Any) -> Any:
        if self.error is not None:
            raise self.error
        return function(*arguments)


def measuring(
    one: Opened, folder: Path, *, error: Exception | None = None, scope: Scope = "exam"
) -> tuple[Measuring, CollectorRegistry]:
    registry = CollectorRegistry()
    decoder: Any = Decoding(error)
    known = Peers.read(peers_file(folder, 104))
    return Measuring(one.ledger, known, decoder, scope, GatewayMetrics(registry)), registry


def of(study: str, data: Dataset, **changes: Any) -> Any:
    """Return the arrival of a report on a study, of the patient of the kit's images."""
    data.StudyInstanceUID = study
    body = reports.file(data)
    patient = f"{image().PatientID}\\"
    return arrival(data, body=body, is_image=False, **{"patient": patient, **changes})


async def judge(one: Opened, database: Database, study: Any) -> Exam | None:
    """Take a study's case as far as it is judged; return the exam of its prediction."""
    await due(database)
    case = await one.ledger.next_case()
    assert case is not None
    prediction = made(0)
    await keep(database, prediction)
    assert await one.ledger.judged(case, [("00", prediction.id)])
    return await exam_of(database, prediction.id)


async def exam_of(database: Database, id: Any) -> Exam | None:
    async with database.connect() as connection:
        return await exams.get(connection, Within(site="default"), id)


async def test_a_report_before_its_images(database: Database, tmp_path: Path) -> None:
    one, data = opened(database), image()
    reads, registry = measuring(one, tmp_path)
    assert await one.ledger.receive(of(data.StudyInstanceUID, spine())) == ("accepted", None)
    assert await one.ledger.balance() == Balance(accepted=1, in_progress=1)
    assert await reads.step()
    assert not await reads.step()
    assert registry.get_sample_value(READ, {"result": "taken"}) == 1
    await one.ledger.receive(arrival(data))
    exam = await judge(one, database, data)
    assert exam is not None
    assert (exam.bmd_g_cm2, exam.t_score) == (0.873, -1.8)
    assert (await one.ledger.balance()).read == 1
    assert (await one.ledger.balance()).unaccounted == 0


async def test_a_report_after_its_images_makes_no_revision(
    database: Database, tmp_path: Path
) -> None:
    one, data = opened(database), image()
    events = list[Event]()
    one.listeners.afterwards(Event, events.append)
    await one.ledger.receive(arrival(data))
    exam = await judge(one, database, data)
    assert exam is not None
    assert exam.measured == ()
    reads, _ = measuring(one, tmp_path)
    report_on_it = of(data.StudyInstanceUID, spine())
    for _ in range(2):
        await one.ledger.receive(report_on_it)
        await reads.step()
    exam = await exam_of(database, exam.prediction_id)
    assert exam is not None
    assert exam.t_score == -1.8
    told = [event for event in events if isinstance(event, ExamMeasured)]
    assert [event.actor.name for event in told] == ["dxa-1"]
    async with database.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(CaseRow)) == 1


async def test_a_report_of_another_patient_is_quarantined(
    database: Database, tmp_path: Path
) -> None:
    one, data = opened(database), image()
    await one.ledger.receive(arrival(data))
    other = of(data.StudyInstanceUID, spine(), patient="OTHER\\")
    assert await one.ledger.receive(other) == ("quarantined", None)
    second = image()
    await one.ledger.receive(of(second.StudyInstanceUID, spine()))
    late = arrival(second, patient="OTHER\\")
    assert await one.ledger.receive(late) == ("quarantined", None)


@pytest.mark.parametrize(
    ("data", "error", "scope", "ends"),
    [
        (report(region("Skull", "1")), None, "exam", ("ignored", "report_empty")),
        (spine(), None, "none", ("ignored", "not_an_image")),
        (
            report(*(region("L1-L4", "1") for _ in range(5000))), None, "exam",
            ("quarantined", "report_crowded"),
        ),
        (spine(), TooExpensiveError("too much"), "exam", ("quarantined", "too_expensive")),
    ],
    ids=["empty", "not wanted", "crowded", "expensive"],
)  # fmt: skip
async def test_reports_of_which_nothing_is_taken(
    database: Database, tmp_path: Path, data: Dataset, error: Exception | None, scope: Scope,
    ends: tuple[str, str],
) -> None:  # fmt: skip
    one = opened(database)
    reads, _ = measuring(one, tmp_path, error=error, scope=scope)
    await one.ledger.receive(of("1.2.3", data))
    assert await reads.step()
    async with database.connect() as connection:
        row = (await connection.execute(select(*ArrivalRow.__table__.columns))).one()
    assert (row.state, row.reason) == ends
    assert (row.data is None, row.patient is None) == (ends[0] == "ignored",) * 2
    assert (await one.ledger.balance()).unaccounted == 0
    assert not await reads.step()


async def test_a_report_waits_for_a_decoder(database: Database, tmp_path: Path) -> None:
    one = opened(database)
    await one.ledger.receive(of("1.2.3", spine()))
    reads, _ = measuring(one, tmp_path, error=BusyError())
    assert not await reads.step()
    assert (await one.ledger.balance()).in_progress == 1


async def test_numbers_are_removed_with_the_bytes(database: Database, tmp_path: Path) -> None:
    one = opened(database, gateway_retain_hours=0.0000001)
    await one.ledger.receive(of("1.2.3", spine()))
    assert await one.ledger.purge() == 0
    reads, _ = measuring(one, tmp_path)
    await reads.step()
    assert await one.ledger.purge() == 1
    async with database.connect() as connection:
        row = (await connection.execute(select(ArrivalRow.numbers, ArrivalRow.data))).one()
    assert tuple(row) == (None, None)


async def test_a_scanner_sends_its_report_and_its_image(tmp_path: Path) -> None:
    """Both are acknowledged, and seconds later the exam has the numbers, and the trail says so."""
    async with (
        running() as runners, engine(answering("AA")) as hospital, server(accepting()) as fhir
    ):  # fmt: skip
        file = peers(tmp_path, engine_at(hospital.port), record_at(fhir.base))
        async with gateway(tmp_path / "var", runners, file) as one:
            data = image(PatientID="PAT-7")
            await push(one, spine(StudyInstanceUID=data.StudyInstanceUID), data)

            async def judged() -> bool:
                return bool(await exams_of(one))

            await one.until(judged)
            await one.finished()
            (exam,) = await exams_of(one)
            assert (exam.bmd_g_cm2, exam.t_score) == (0.873, -1.8)
            assert exam.measured[0].source == "Enhanced SR"
            async with one.database.connect() as connection:
                kinds = list(await connection.scalars(select(AuditEventRow.kind)))
            assert "exam_measured" in kinds
    (message,), ((_, body),) = hospital.taken, fhir.taken
    assert b"^LS_T_SCORE^Lumbar spine (L1, L2, L3, L4), T-score by the scanner^" in message
    values = [
        one["resource"]["valueQuantity"]["value"]
        for one in json.loads(body)["entry"]
        if one["resource"].get("device") and "Enhanced SR" in str(one["resource"].get("method"))
    ]
    assert values == [*[0.87] * 4, 0.873, -1.8, -0.4]


async def exams_of(one: Gateway) -> list[Exam]:
    async with one.database.connect() as connection:
        ids = await connection.scalars(select(JudgementRow.prediction_id))
        found = [await exams.get(connection, Within(site="default"), id) for id in ids]
    return [exam for exam in found if exam is not None]
