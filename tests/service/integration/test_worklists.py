"""Images without an order are matched to a worklist's item, and never to another patient's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from sqlalchemy import select

from service.integration.archives import Worklist
from service.integration.dicom import worklist
from service.integration.dicom.query import QueryError
from service.integration.dicom.worklist import SOP_CLASS, AmbiguousError, Exam
from service.integration.metrics import ASKED
from service.integration.orders import Order
from service.storage.tables.audit import AuditEventRow
from tests import ports
from tests.service.integration import counterparts
from tests.service.integration.archives import Archive, answer, serving
from tests.service.integration.gateways import gateway
from tests.service.integration.hl7.engines import answering, engine
from tests.service.integration.kit import image
from tests.service.integration.test_messages import engine_at, peers, push
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

EXAM = {
    "accession": "", "study_uid": "1.2.3", "patient": "4711", "issuer": "H", "day": "20260110",
    "modality": "OT",
}  # fmt: skip


def item(accession: str = "A1", **changes: Any) -> Dataset:
    """Return an item of a worklist as a RIS keeps it."""
    step = answer(
        ScheduledStationAETitle="DXA1", ScheduledProcedureStepStartDate="20260110",
        ScheduledProcedureStepStartTime="1000", Modality="OT", ScheduledProcedureStepID="S1",
        ScheduledProcedureStepDescription="DXA", ScheduledPerformingPhysicianName="",
    )  # fmt: skip
    by = answer(LocalNamespaceEntityID="EHR", UniversalEntityID="1.9", UniversalEntityIDType="ISO")
    values: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 100",
        "AccessionNumber": accession, "PatientName": "Doe^Jane", "PatientID": "4711",
        "PatientBirthDate": "19500101", "PatientSex": "F", "StudyInstanceUID": "1.2.3",
        "RequestedProcedureID": "R1", "RequestedProcedureDescription": "DXA",
        "PlacerOrderNumberImagingServiceRequest": "P1",
        "FillerOrderNumberImagingServiceRequest": "F1",
        "OrderPlacerIdentifierSequence": [by], "ScheduledProcedureStepSequence": [step],
    }  # fmt: skip
    return answer(**{**values, **changes})


def ask(*items: Dataset, by_patient: bool = False, **exam: str) -> tuple[Order | None, Archive]:
    with serving(Archive(lambda _: items), [SOP_CLASS]) as ris:
        entry = Worklist(
            name="ris", called="VNA", calling="OSTEOSERVE", host="127.0.0.1", port=ris.port,
            by_patient=by_patient,
        )  # fmt: skip
        return worklist.ask(entry, Exam(**{**EXAM, **exam})), ris


def test_an_accession_number_finds_its_order() -> None:
    found, ris = ask(item(), item("A2"), accession="A1")
    assert found == Order(accession="A1", placer=("P1", "EHR", "1.9", "ISO"), filler=("F1",))
    assert [one.AccessionNumber for one in ris.asked] == ["A1"]


def test_a_study_finds_its_order_where_the_image_has_no_accession_number() -> None:
    found, ris = ask(item(), item("A2", StudyInstanceUID="1.9"))
    assert found is not None
    assert (found.accession, found.study_uid) == ("A1", "1.2.3")
    assert [one.StudyInstanceUID for one in ris.asked] == ["1.2.3"]


@pytest.mark.parametrize(
    "other",
    [
        {"PatientID": "4712"},
        {"IssuerOfPatientID": "X"},
        {"StudyInstanceUID": "1.2.4"},
        {"AccessionNumber": ""},
    ],
)
def test_what_is_of_another_patient_or_study_or_without_a_number_is_none(
    other: dict[str, str],
) -> None:
    assert ask(item(**other))[0] is None
    if "StudyInstanceUID" not in other:
        elsewhere = item(**other, StudyInstanceUID="1.2.4")
        assert ask(elsewhere, by_patient=True)[0] is None


def test_patient_day_and_modality_find_an_order_only_where_the_file_says_so() -> None:
    other = item(StudyInstanceUID="1.2.4")
    assert ask(other)[0] is None
    found, ris = ask(other, by_patient=True)
    assert found is not None
    assert (found.accession, found.study_uid) == ("A1", "1.2.3")
    assert [one.PatientID for one in ris.asked] == ["", "4711"]
    step = ris.asked[1].ScheduledProcedureStepSequence[0]
    assert (step.ScheduledProcedureStepStartDate, step.Modality) == ("20260110", "OT")
    assert ask(other, by_patient=True, day="20260111")[0] is None
    assert ask(other, by_patient=True, modality="CT")[0] is None


def test_two_orders_are_none() -> None:
    with pytest.raises(AmbiguousError):
        ask(item("A1"), item("A2"))
    # The same order twice, for two steps, is one.
    assert ask(item("A1"), item("A1"))[0] is not None


def test_a_worklist_that_is_away_or_refuses_says_so() -> None:
    with serving(Archive(lambda _: [0xA700]), [SOP_CLASS]) as ris:
        entry = Worklist(
            name="ris", called="VNA", calling="OSTEOSERVE", host="127.0.0.1", port=ris.port
        )
        with pytest.raises(QueryError, match="answered A700"):
            worklist.ask(entry, Exam(**EXAM))
    with pytest.raises(QueryError, match="unreachable"):
        worklist.ask(entry, Exam(**EXAM))


def ris_at(port: int, more: str = "") -> str:
    return (
        '\n[[worklist]]\nname = "ris"\ncalled = "RIS"\ncalling = "OSTEOSERVE"\n'
        f'host = "127.0.0.1"\nport = {port}\n{more}'
    )


@pytest.fixture(scope="module")
async def runners() -> AsyncIterator[Any]:
    async with running() as found:
        yield found


async def test_the_message_on_an_image_without_an_order_names_the_worklist_s(
    runners: Any, tmp_path: Path
) -> None:
    """DCMTK's wlmscpfs is the RIS."""
    study, named = generate_uid(), generate_uid()
    items = [
        item("A7", StudyInstanceUID=study),
        item("A8", StudyInstanceUID=named, PlacerOrderNumberImagingServiceRequest="P8"),
    ]
    port = ports.free_port()
    with counterparts.wlmscpfs(tmp_path, port, "RIS", *items):
        async with engine(answering("AA")) as hl7:
            file = peers(
                tmp_path, engine_at(hl7.port, 'order = "required"\n'), ris_at(port)
            )  # fmt: skip
            async with gateway(tmp_path / "var", runners, file) as one:
                await push(
                    one,
                    image(PatientID="4711", AccessionNumber=None, StudyInstanceUID=study),
                    image(PatientID="4711", AccessionNumber="A8"),
                    image(PatientID="4712", AccessionNumber="A7"),
                )
                await one.finished(200)
                answered = {name: one.sample(ASKED, result=name) for name in ("found", "none")}
                async with one.database.connect() as connection:
                    kinds = list(await connection.scalars(select(AuditEventRow.kind)))
    assert answered == {"found": 2, "none": 1}
    assert kinds.count("order_received") == 2
    said = [next(row for row in one.split(b"\r") if row.startswith(b"OBR|")) for one in hl7.taken]
    fields = sorted(tuple(row.split(b"|")[n] for n in (2, 3, 18)) for row in said)
    assert fields == [
        # Another patient's: the number that the image has, and nothing of the item.
        (b"", b"A7", b"A7"),
        # wlmscpfs does not tell who has given a number.
        (b"P1", b"F1", b"A7"),
        (b"P8", b"F1", b"A8"),
    ]


async def test_a_worklist_that_is_away_holds_a_result_for_a_while_and_no_longer(
    runners: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.integration.ledger.service.FIRST_PAUSE", 0.2)
    async with engine(answering("AA")) as hl7:
        file = peers(tmp_path, engine_at(hl7.port), ris_at(ports.free_port(), "attempts = 2\n"))
        async with gateway(tmp_path / "var", runners, file) as one:
            await push(one, image(PatientID="4711", AccessionNumber="A1"))
            await one.finished(200)
            assert one.sample(ASKED, result="not_answered") >= 2
            assert (await one.ledger.balance()).delivered == 1
    (message,) = hl7.taken
    assert b"|A1|" in message
