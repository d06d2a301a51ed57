"""What a clinician signs or overrides is told again: final, corrected, or for the first time."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pydicom
import pytest
from sqlalchemy import select, update

from service.events import Listeners
from service.identity.actor import Actor
from service.integration.compose import report
from service.integration.compose.uids import Origin
from service.integration.ledger.signatures import signed
from service.predictions.schemas import EXAMPLE
from service.reviews.events import ReviewAdded
from service.reviews.schemas import Review, draft
from service.reviews.service import Reviews
from service.storage.tables.ledger import ArrivalRow, CaseResultRow, CaseRow, JudgementRow
from service.storage.transaction import Transactions
from service.types import Outcome
from tests.service.integration import counterparts
from tests.service.integration.compose.kit import ENTERED, made, part, prediction
from tests.service.integration.fhir.servers import Server, accepting, server
from tests.service.integration.gateways import Gateway, gateway
from tests.service.integration.hl7.engines import Engine, answering, engine
from tests.service.integration.kit import file, image
from tests.service.integration.test_messages import engine_at, peers, push, record_at
from tests.service.integration.test_round_trip import SR, said
from tests.service.kit.records import verbs
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

SIGN = {"action": "sign", "reviewer": "A. Reader"}
OVERRIDE = {
    "action": "override",
    "outcome": "normal",
    "reviewer": "B. Reader",
    "reason": "Osteophytes at L3 and L4; the hip decides.",
}


@pytest.fixture(scope="module")
async def runners() -> AsyncIterator[Any]:
    async with running() as found:
        yield found


async def predictions(opened: Gateway) -> list[UUID]:
    async with opened.database.connect() as connection:
        statement = select(JudgementRow.prediction_id).distinct()
        return list(await connection.scalars(statement))


async def review(opened: Gateway, said: dict[str, str], outcome: Outcome = "osteoporosis") -> None:
    """Sign or override every result, as the front does."""
    listeners = Listeners()
    listeners.within(ReviewAdded, signed)
    reviews = Reviews(Transactions(opened.database, listeners))
    for one in await predictions(opened):
        await reviews.sign(Actor.anonymous(), one, draft(said), outcome)


def status(message: bytes) -> tuple[str, set[str]]:
    """Return OBR-25, and OBX-11 of all results."""
    lines = [one.split("|") for one in message.decode().split("\r")]
    (order,) = [one for one in lines if one[0] == "OBR"]
    return order[25], {one[11] for one in lines if one[0] == "OBX"} - {"O"}


def resources(server: Server, number: int, kind: str) -> list[dict[str, Any]]:
    entries = json.loads(server.taken[number][1])["entry"]
    return [one["resource"] for one in entries if one["resource"]["resourceType"] == kind]


async def test_case_40_preliminary_then_final_then_corrected(runners: Any, tmp_path: Path) -> None:
    async with engine(answering("AA")) as hl7, server(accepting()) as fhir:
        file = peers(tmp_path, engine_at(hl7.port), record_at(fhir.base))
        async with gateway(tmp_path / "var", runners, file) as one:
            await push(one, image(PatientID="4711"))
            await one.finished()
            for act in (SIGN, OVERRIDE):
                await review(one, act)
                await sent(one, hl7, fhir, len(hl7.taken) + 1)
            balance = await one.ledger.balance()
    assert [status(one) for one in hl7.taken] == [("P", {"P"}), ("F", {"F"}), ("C", {"C"})]
    assert b"SIGNS^" in hl7.taken[1]
    assert b"OUTCOME^Outcome^99OSTEOSERVE|1|NO_SIGNS^" in hl7.taken[2]
    assert b"MODELS_OUTCOME^Outcome by the models, which a clinician overrode" in hl7.taken[2]
    assert b"Osteophytes at L3 and L4" in hl7.taken[2]
    assert len({one.split(b"|")[9] for one in hl7.taken}) == 3
    reports = [resources(fhir, number, "DiagnosticReport")[0] for number in range(3)]
    assert [one["status"] for one in reports] == ["preliminary", "final", "corrected"]
    assert len({one["identifier"][0]["value"] for one in reports}) == 1
    assert reports[2]["resultsInterpreter"] == [{"display": "B. Reader"}]
    assert "Preliminary" not in reports[1]["conclusion"]
    assert (balance.unaccounted, balance.superseded, balance.in_progress) == (0, 1, 0)


async def sent(one: Gateway, hl7: Engine, fhir: Server, count: int) -> None:
    async def there() -> bool:
        states = await one.ledger.states()
        idle = not any(states.get(("delivery", state)) for state in ("waiting", "sending"))
        return len(hl7.taken) == len(fhir.taken) == count and idle

    await one.until(there)


async def test_what_is_entered_later_is_told_once_somebody_signs(
    runners: Any, tmp_path: Path
) -> None:
    async with engine(answering("AA")) as hl7, server(accepting()) as fhir:
        file = peers(tmp_path, engine_at(hl7.port), record_at(fhir.base))
        async with gateway(tmp_path / "var", runners, file) as one:
            await push(one, image(PatientID="4711"))
            await one.finished()
            (id,) = await predictions(one)
            heel = await verbs(one.database).modalities.enter_ultrasound(
                Actor.anonymous(), id, ENTERED.ultrasound
            )
            assert heel is not None
            await review(one, SIGN)
            await sent(one, hl7, fhir, 2)
            async with one.database.connect() as connection:
                told = select(CaseResultRow.data).where(CaseResultRow.sop_class_uid == SR)
                kept = [
                    pydicom.dcmread(io.BytesIO(data)) for data in await connection.scalars(told)
                ]
    first, second = sorted(kept, key=lambda found: int(found.InstanceNumber))
    assert said(first, "Speed of sound at the heel") == []
    assert said(second, "Speed of sound at the heel") == [1531.2]
    assert second.PreliminaryFlag == "FINAL"
    assert said(second, "Intended use")[-1] == "Research use only, preliminary"
    assert [b"US_SOS" in message for message in hl7.taken] == [False, True]
    assert [b"US_SOS" in body for _, body in fhir.taken] == [False, True]


async def test_nothing_is_sent_before_somebody_signs_where_that_is_wished(
    runners: Any, tmp_path: Path
) -> None:
    async with engine(answering("AA")) as hl7, server(accepting()) as fhir:
        file = peers(tmp_path, engine_at(hl7.port, "unsigned = false\n"), record_at(fhir.base))
        async with gateway(tmp_path / "var", runners, file, gateway_retain_hours=0.0001) as one:
            await push(one, image(PatientID="4711"))

            async def held() -> bool:
                lines = await one.ledger.waiting()
                return [line.state for line in lines] == ["held"]

            await one.until(held)
            assert (hl7.taken, len(fhir.taken)) == ([], 1)
            assert (await one.ledger.balance()).in_progress == 1
            # It may be signed weeks later.
            await asyncio.sleep(0.5)
            assert await one.ledger.purge() == 0
            await review(one, SIGN)

            async def told() -> bool:
                return len(hl7.taken) == 1 and len(fhir.taken) == 2

            await one.until(told)
            await one.finished()
            balance = await one.ledger.balance()
            await asyncio.sleep(0.5)
            assert await one.ledger.purge() == 1
            async with one.database.connect() as connection:
                left = select(CaseResultRow.sop_uid).where(CaseResultRow.data.is_not(None))
                assert list(await connection.scalars(left)) == []
    assert status(hl7.taken[0]) == ("F", {"F"})
    assert (balance.superseded, balance.unaccounted) == (1, 0)


async def test_what_is_signed_after_its_bytes_are_gone_waits_for_a_person(
    runners: Any, tmp_path: Path
) -> None:
    async with engine(answering("AA")) as hl7:
        file = peers(tmp_path, engine_at(hl7.port))
        async with gateway(tmp_path / "var", runners, file) as one:
            await push(one, image(PatientID="4711"))
            await one.finished()
            async with one.database.begin() as connection:
                await connection.execute(update(ArrivalRow).values(data=None, patient=None))
            await review(one, SIGN)

            async def aside() -> bool:
                return [line.reason for line in await one.ledger.waiting()] == ["nothing_held"]

            await one.until(aside)
            assert (await one.ledger.balance()).delivered == 1


async def test_a_result_that_nobody_pushed_makes_no_case(runners: Any, tmp_path: Path) -> None:
    async with gateway(tmp_path / "var", runners, peers(tmp_path, engine_at(1))) as one:
        event = ReviewAdded(
            actor=Actor.anonymous(),
            prediction_id=UUID(EXAMPLE["id"]),
            review=Review.model_validate(review_of()),
        )
        async with one.database.begin() as connection:
            await signed(connection, event)
        async with one.database.connect() as connection:
            assert list(await connection.scalars(select(CaseRow.id))) == []


def review_of(**changes: Any) -> dict[str, Any]:
    values = {
        "number": 1, "created_at": "2026-02-03T10:12:44Z", "action": "sign",
        "outcome": "osteoporosis", "reviewer": "A. Reader\\B=C^D", "reason": None,
    }  # fmt: skip
    return {**values, **changes}


@pytest.mark.parametrize(
    ("reviews", "flags", "outcome"),
    [
        (
            [None, review_of()],
            ("PRELIMINARY", "UNVERIFIED"),
            "Signs of osteoporosis; not a diagnosis",
        ),
        ([review_of()], ("FINAL", "VERIFIED"), "Signs of osteoporosis; not a diagnosis"),
        (
            [review_of(number=2, action="override", outcome="indeterminate", reason="x" * 900)],
            ("FINAL", "VERIFIED"),
            "Indeterminate: no answer",
        ),
    ],
    ids=["partly", "signed", "overridden"],
)
def test_a_report_is_final_once_all_of_it_is_reviewed(
    tmp_path: Path, reviews: list[Any], flags: tuple[str, str], outcome: str
) -> None:
    study = image()
    same = {"StudyInstanceUID": study.StudyInstanceUID, "PatientID": study.PatientID,
            "SeriesInstanceUID": study.SeriesInstanceUID}  # fmt: skip
    parts = [part(prediction(review=one), **same) for one in reviews]
    origin = Origin(
        study_uid=str(study.StudyInstanceUID), hashes=("a",) * len(parts),
        versions=("b",) * len(parts), revision=1,
    )  # fmt: skip
    found = report.compose(parts, origin, None, "default")
    assert (found.PreliminaryFlag, found.VerificationFlag) == flags
    assert said(found, "Outcome")[-1] == outcome
    use = said(found, "Intended use")[-1]
    assert use == "Research use only, reviewed by a clinician"
    path = tmp_path / "report.dcm"
    path.write_bytes(file(found))
    assert counterparts.dciodvfy(path) == []


def test_a_study_is_as_certain_as_its_least_certain_image() -> None:
    preliminary, final, corrected = (
        part(prediction(review=one)) for one in (None, review_of(), review_of(number=2))
    )
    assert made(final, preliminary).standing == "preliminary"
    assert made(final, corrected).standing == "corrected"
    assert made(final, final).standing == "final"
