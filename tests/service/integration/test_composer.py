"""What messages are made of: of toys of a ledger, predictions and exams."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pydicom
import pytest

from models.reading import Limits
from service.exams.schemas import Exam
from service.identity.actor import Actor
from service.integration.compose.measured import sites
from service.integration.compose.source import Made
from service.integration.workers.composer import Composer, GoneError
from service.medicine.progression.place import Place
from service.predictions.schemas import Prediction
from service.storage.errors import StorageUnavailableError, UnreadableError
from tests.service.integration.compose.kit import (
    CASE,
    REFUSED,
    course,
    exam,
    points,
    prediction,
    told,
)  # fmt: skip
from tests.service.integration.kit import file, image

pytestmark = pytest.mark.anyio

CASE_OF: Any = SimpleNamespace(id=CASE, site="default", study_uid="1.2.3", revision=0)


def composer(
    known: Exam | Exception | None, place: Place | None, said: Prediction, points: Any = ()
) -> Composer:
    """Return a composer of a study of one image, of which ``said`` was said."""
    data = image(PatientID="4711")
    held = [SimpleNamespace(sha256="aa", data=file(data), patient="4711\\")]

    async def answer(value: Any) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    ledger: Any = SimpleNamespace(
        held=lambda _: answer(held), results=lambda _: answer([]),
        predecessor=lambda _: answer(None), renew=lambda _: answer(None),
    )  # fmt: skip
    peers: Any = SimpleNamespace(wants_sheets=False)
    unused: Any = None
    return Composer(
        ledger, peers, lambda *_: answer(None), lambda *_: answer(said), unused,
        lambda *_: answer(known), lambda *_: answer(points), lambda *_: answer(place), unused,
        Limits(max_samples=1),
    )  # fmt: skip


async def made(
    known: Exam | Exception | None,
    found: str = "aa",
    place: Place | None = None,
    points: Any = (),
) -> Made:
    """Return what a study of one image is made of, whose exam is ``known``."""
    said = prediction()
    composed = composer(known, place, said, points)
    return await composed.made(CASE_OF, Actor(site="default"), [(found, said.id)])


async def test_a_result_has_what_is_known_of_its_exam() -> None:
    known = exam(told())
    study = await made(known)
    assert study.parts[0].exam == known
    assert [one.code[0] for one in sites(study.parts)] == ["L4", "LS", "FN", "TH", "R33"]


async def test_a_result_has_the_points_that_a_reader_has_kept() -> None:
    kept = (points(), points(2, vertebrae=()))
    assert (await made(None, points=kept)).parts[0].points == kept
    # A newer version kept them: results go out without, as without facts.
    assert (await made(None, points=UnreadableError())).parts[0].points == ()


@pytest.mark.parametrize("known", [None, UnreadableError()], ids=["unknown", "of a newer version"])
async def test_a_result_goes_out_without_an_exam(known: Exception | None) -> None:
    study = await made(known)
    assert study.parts[0].exam is None
    assert sites(study.parts) == ()


async def test_a_result_has_its_place_in_the_course_where_there_is_an_exam() -> None:
    place = Place()
    assert (await made(exam(), place=place)).parts[0].place is place
    assert (await made(None, place=place)).parts[0].place is None


async def test_the_report_has_the_course_though_the_image_was_refused() -> None:
    known, place = course(0.9, 0.86)
    said = prediction(**REFUSED)
    (result,) = await composer(known, place, said).results(
        CASE_OF, Actor(site="default"), [("aa", said.id)]
    )
    report = pydicom.dcmread(io.BytesIO(result.data))
    named = [
        one.value[0].CodeValue
        for one in report.iterall()
        if one.keyword == "ConceptNameCodeSequence"
    ]
    assert {"BMD_CHANGE", "BMD_RATE"} <= set(named)
    assert "122157" not in named


async def test_a_database_that_is_away_is_a_reason_to_wait() -> None:
    with pytest.raises(StorageUnavailableError):
        await made(StorageUnavailableError("away"))


async def test_an_object_that_is_removed_ends_it() -> None:
    with pytest.raises(GoneError):
        await made(None, "bb")
