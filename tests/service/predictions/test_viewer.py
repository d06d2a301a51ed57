"""The image of a result as its page draws it: where vertebrae lie, how long things are, which exam
came before."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from lxml import html

from models.image.cropping import Box
from service.exams.schemas import Exam
from service.language.locale import speaking
from service.predictions import viewer
from service.predictions.contexts import ResultPage
from service.predictions.repository import SentPlace
from service.predictions.schemas import EXAMPLE, Prediction
from service.predictions.timeline import Timeline
from service.predictions.viewer import View
from service.web.templates import Templates
from tests.service.kit import images
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.records import made
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

JUDGED = Prediction.model_validate(EXAMPLE)
WHOLE = Box(0, 0, JUDGED.image.width, JUDGED.image.height)
PART = Box(80, 60, 150, 270)


def points(view: View, number: int = 0) -> np.ndarray:
    told = view.shapes[number].points.split()
    return np.array([[float(value) for value in one.split(",")] for one in told])


def test_on_the_image_as_sent_vertebrae_lie_where_they_are_told() -> None:
    assert JUDGED.vertebrae is not None
    for box in (WHOLE, PART):
        view = View.of(JUDGED, SentPlace(box, None))
        assert view.box == f"{box.left} {box.top} {box.width} {box.height}"
        for number, level in enumerate(JUDGED.vertebrae.levels):
            assert np.allclose(points(view, number), level.outline, atol=0.051)
    assert View.of(JUDGED, SentPlace(PART, None)).part
    assert not View.of(JUDGED, SentPlace(WHOLE, None)).part


def test_on_what_models_saw_they_lie_where_that_shows_them() -> None:
    """A point of the drawing, taken to the image as sent by the placement, is the one told."""
    assert JUDGED.vertebrae is not None
    view = View.of(JUDGED, None)
    stretch = float(view.height) / 224
    matrix = np.array(JUDGED.vertebrae.placement)
    for number, level in enumerate(JUDGED.vertebrae.levels):
        seen = points(view, number) / (1, stretch)
        assert np.allclose(seen @ matrix[:, :2].T + matrix[:, 2], level.outline, atol=0.15)


@pytest.mark.parametrize("sent", [SentPlace(WHOLE, None), None], ids=["as sent", "as seen"])
@pytest.mark.parametrize("outlined", [True, False])
def test_lengths_are_in_pixels_of_the_image_as_sent(sent: SentPlace | None, outlined: bool) -> None:
    changes: dict[str, Any] = {} if outlined else {"vertebrae": None}
    judged = JUDGED.model_copy(update=changes)
    view = View.of(judged, sent)
    unit = np.array(view.unit.split(), float).reshape(2, 2)
    step = np.array((3.0, 40.0))
    if sent is not None:
        expected = step
    elif outlined:
        assert JUDGED.vertebrae is not None
        seen = step / (1, float(view.height) / 224)
        expected = np.array(JUDGED.vertebrae.placement)[:, :2] @ seen
    else:
        whole = np.array((judged.image.width, judged.image.height))
        expected = step / (float(view.width), float(view.height)) * whole
    assert np.allclose(unit @ step, expected, atol=1e-3)


def test_millimetres_are_told_across_first_and_only_where_the_file_says_so() -> None:
    assert View.of(JUDGED, SentPlace(WHOLE, (0.6, 0.5))).spacing == "0.5 0.6"
    assert View.of(JUDGED, SentPlace(WHOLE, None)).spacing == ""
    assert View.of(JUDGED, None).spacing == ""


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (SentPlace(WHOLE, None), ("As it was sent, in grey.", "Wie es geschickt wurde, in Grau.")),
        (SentPlace(PART, None), ("surroundings of the spine alone", "nur die Umgebung")),
        (None, ("Not as it was sent", "Nicht wie es geschickt wurde")),
    ],
    ids=["as sent", "a part", "not as sent"],
)
def test_the_page_says_what_it_shows(
    sent: SentPlace | None, said: tuple[str, str], language: str
) -> None:
    with speaking(language):
        page = html.fromstring(Templates().render(ResultPage.of(JUDGED, sent=sent)))
    (caption,) = page.xpath("//section[@class='viewer']//figcaption")
    assert said[language == "de"] in " ".join(caption.text_content().split())
    (picture,) = page.xpath("//section[@class='viewer']//image/@href")
    kind = "image" if sent is None else "sent-image"
    assert picture == f"/api/v1/predictions/{JUDGED.id}/{kind}"


async def test_where_less_is_kept_the_page_shows_that(var: Any, png: bytes) -> None:
    for extent, ending in (("none", "/image"), ("spine", "/sent-image")):
        async with running() as runners, front(var / extent, runners, keep_images=extent) as opened:
            page = html.fromstring((await opened.analyse(png)).text)
            (address,) = page.xpath("//section[@class='viewer']//image/@href")
            assert address.endswith(ending)
            assert (await opened.client.get(address)).status_code == 200


def exam(prediction: Prediction, acquired_on: date | None) -> tuple[Exam, Prediction]:
    return Exam(prediction_id=prediction.id, acquired_on=acquired_on), prediction


def timeline(*exams: tuple[Exam, Prediction]) -> Timeline:
    return Timeline(key=uuid4(), reference="p", exams=exams)


def test_the_prior_is_the_exam_just_before_by_the_day_of_the_scan() -> None:
    """Not the one that was sent before: old scans are often sent later."""
    first, second, third = made(3), made(1), made(2)
    known = timeline(
        exam(first, date(2019, 5, 1)), exam(second, date(2023, 5, 1)), exam(third, date(2021, 5, 1))
    )
    found = viewer.before(known, second)
    assert found is not None
    assert found[1].id == third.id
    assert viewer.prior(found, None).caption == "Before: 1 May 2021"
    assert viewer.before(known, first) is None


def test_an_exam_without_a_day_counts_by_when_it_was_judged() -> None:
    first, second = made(0), made(48)
    found = viewer.before(timeline(exam(second, None), exam(first, None)), second)
    assert found is not None
    assert found[1].id == first.id


def test_without_a_patient_there_is_no_prior() -> None:
    assert viewer.before(None, made(0)) is None
    assert viewer.before(timeline(), made(0)) is None


async def test_the_prior_of_a_patient_is_offered_beside(shared: Front) -> None:
    numbers: list[UUID] = []
    for day in ("2021-04-01", "2024-04-01"):
        answer = await shared.post(images.png() + uuid4().bytes)
        numbers.append(answer.json()["id"])
        facts = {"patient_reference": "prior-1", "acquired_on": day}
        assert (await shared.client.put(f"{API}/{numbers[-1]}/study", json=facts)).is_success
    page = html.fromstring((await shared.client.get(f"/results/{numbers[1]}")).text)
    assert page.xpath("//*[@class='earlier']/a/@href") == [f"/results/{numbers[0]}"]
    pictures = page.xpath("//section[@class='viewer']//image/@href")
    assert pictures == [f"{API}/{number}/sent-image" for number in reversed(numbers)]
    first = html.fromstring((await shared.client.get(f"/results/{numbers[0]}")).text)
    assert first.xpath("//*[@class='earlier']") == []
