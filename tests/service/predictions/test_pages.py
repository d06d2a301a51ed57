"""What the page of a result says and offers beside the verdict, read from its HTML."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

import numpy as np
import pytest
from lxml import html
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.vertebrae.findings import Code
from models.vertebrae.measurements import NAMES
from models.vertebrae.nominal import nominal
from service.exams.schemas import Exam
from service.language.locale import _, speaking
from service.medicine.osteoporosis.measurements import WORDS
from service.medicine.osteoporosis.view import probability, told
from service.medicine.osteoporosis.wording import CONSIDERATIONS, HEADINGS, MEANINGS
from service.medicine.osteoporosis.wording import QUESTIONED as WHY
from service.medicine.vertebrae import view as spine
from service.medicine.vertebrae.schemas import Finding
from service.predictions.contexts import ResultPage
from service.predictions.history_contexts import HistoryRow
from service.predictions.schemas import EXAMPLE, Prediction
from service.reviews.schemas import Review
from service.storage.tables.predictions import PredictionRow
from service.web.labels import marked
from service.web.templates import Templates
from tests.service.kit import images
from tests.service.kit.fronts import Front
from tests.service.kit.shapes import assert_well_made

pytestmark = pytest.mark.anyio


def drawn(changes: dict[str, Any] | None = None, **more: Any) -> html.HtmlElement:
    prediction = Prediction.model_validate({**EXAMPLE, **(changes or {})})
    page = html.fromstring(Templates().render(ResultPage.of(prediction, **more)))
    assert_well_made(page)
    return page


def words(page: html.HtmlElement, path: str) -> str:
    return " ".join(" ".join(one.text_content() for one in page.xpath(path)).split())


def exam(t_score: float | None, **facts: Any) -> Exam:
    return Exam(prediction_id=EXAMPLE["id"], t_score=t_score, **facts)


async def test_a_refused_image_has_a_picture_and_no_heat_map(shared: Front) -> None:
    page = html.fromstring((await shared.analyse(images.unusable())).text)
    assert len(page.xpath("//section[@class='viewer']//image")) == 1
    assert page.xpath("//section[contains(@class, 'maps')]") == []


def vertebrae(**changes: Any) -> dict[str, Any]:
    return {"vertebrae": {**EXAMPLE["vertebrae"], **changes}}


def finding(code: str, level: str | None = None, value: float = 1.5) -> dict[str, Any]:
    return {"code": code, "level": level, "value": value, "rule": "a rule"}


async def test_outlines_lie_over_the_image_as_it_was_sent_and_lead_to_their_rows(
    shared: Front, png: bytes
) -> None:
    page = html.fromstring((await shared.analyse(png)).text)
    (box,) = page.xpath("//input[@type='checkbox'][@id='outlines']")
    assert "checked" in box.attrib
    assert page.xpath("//label[@for='outlines']")
    (layer,) = page.xpath("//section[@class='viewer']//*[@class='outlines']")
    links = layer.xpath(".//a")
    assert [words(one, ".//text") for one in links] == ["L1", "L2", "L3", "L4"]
    for link in links:
        (row,) = page.xpath(f"//tr[@id='{link.get('href').lstrip('#')}']")
        assert row.findtext("th") == words(link, ".//text")
    # The toys' spine lies in the frame, whose heights and widths are stretched.
    for link, level in zip(links, nominal().levels, strict=True):
        points = [point.split(",") for point in link.find("polygon").get("points").split()]
        across, down = images.WIDTH / 224, images.HEIGHT / 224
        expected = [(x * across, y * down) for x, y in level.outline]
        assert np.allclose(np.array(points, float), expected, atol=0.11)


def test_what_stands_out_is_said_and_is_no_diagnosis() -> None:
    page = drawn()
    (item,) = page.xpath("//section[contains(@class, 'spine')]//*[@class='looked']/li")
    assert item.text_content().startswith("L3 seems denser than its neighbours: it stands 1.33")
    text = words(page, "//section[contains(@class, 'spine')]")
    assert "No finding is a diagnosis" in text
    assert "31.2 mm (52.0 px)" in text
    plain = drawn(vertebrae(findings=[]))
    assert "Nothing in their places" in words(plain, "//section[contains(@class, 'spine')]")


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("code", get_args(Code))
def test_every_finding_has_words(code: Code, language: str) -> None:
    with speaking(language):
        said = spine.sentence(Finding.model_validate(finding(code, "L2")))
        assert "%" not in said
        assert said[0].isupper()
    few = spine.sentence(Finding.model_validate(finding("levels_uncertain", None, 3)))
    assert few.startswith("Only 3 of the vertebrae")
    left = spine.sentence(Finding.model_validate(finding("axis_tilt", None, -7.3)))
    assert left.startswith("The spine leans by 7.3°, its upper end to the image’s left")


def test_a_questioned_normal_says_why_it_is_no_answer() -> None:
    below = {"outcome": "indeterminate", "probability": 0.1}
    questioned = drawn({**below, **vertebrae(findings=[finding("part_missing", "L4")])})
    assert "puts in question" in words(questioned, "//*[@class='say']")
    inside = drawn({"outcome": "indeterminate", "probability": 0.41})
    assert "too close to the threshold" in words(inside, "//*[@class='say']")


VERTEBRAL = ["part_missing", "levels_uncertain", "turned", "foreign_object"]
QUESTIONED: list[dict[str, Any]] = [
    *({"vertebrae": {**EXAMPLE["vertebrae"], "findings": [finding(it)]}} for it in VERTEBRAL),
    *(
        {"quality": {"accepted": True, "reasons": [], "findings": [it]}}
        for it in ("scan_area", "for_processing", "objects_not_removed")
    ),
]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("noticed", QUESTIONED, ids=str)
def test_nothing_reassures_over_a_finding_that_questions_the_image(
    noticed: dict[str, Any], language: str
) -> None:
    """Nor in what an older version kept as normal: page, its title, list, patient, PDF."""
    kept = {**EXAMPLE, "outcome": "normal", "probability": 0.05, **noticed}
    prediction = Prediction.model_validate(kept)
    with speaking(language):
        reassuring = _(HEADINGS["normal"])
        page = drawn(kept)
        row = HistoryRow.of(prediction)
        sheet = ResultPage.of(prediction)
        assert words(page, "//h1[@id='verdict']") == row.heading == _(HEADINGS["indeterminate"])
        assert words(page, "//*[@class='say']") == marked(WHY).striptags()
        # A clinician may find so all the same.
        for choice in page.xpath("//select"):
            choice.drop_tree()
        assert reassuring not in page.text_content()
    assert row.outcome == sheet.outcome == told(prediction) == "indeterminate"
    assert page.xpath("//article[contains(@class, 'verdict')]/@class") == [
        "card verdict indeterminate"
    ]


def test_a_sound_normal_stays_one() -> None:
    for harmless in ("axis_tilt", "curve", "denser_than_neighbours", "height_outlier", "motion"):
        kept = {"outcome": "normal", "probability": 0.05, **vertebrae(findings=[finding(harmless)])}
        assert words(drawn(kept), "//h1[@id='verdict']") == HEADINGS["normal"]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"sex": "female", "age_years": 30}, "Outside the intended use"),
        ({"sex": "male", "age_years": 45}, "Outside the intended use"),
        ({"sex": "female", "age_years": 47}, "Perhaps outside the intended use"),
        ({"sex": "female", "age_years": 75}, ""),
        ({}, ""),
    ],
    ids=str,
)
def test_a_person_outside_the_intended_use_is_marked(facts: dict[str, Any], said: str) -> None:
    notes = drawn(exam=exam(-2.6, **facts)).xpath("//article[contains(@class, 'verdict')]/p")
    notes = [one.text_content() for one in notes if "intended use" in one.text_content()]
    assert bool(notes) == bool(said)
    assert all(one.startswith(said) for one in notes)


def test_bone_s_measurements_are_said_in_words() -> None:
    rows = drawn().xpath("//details[@class='measured']//tbody/tr")
    told = [[" ".join(cell.text_content().split()) for cell in row] for row in rows]
    assert told == [
        ["Bone above soft tissue, in units of noise", "2.14", "+0.58 for"],
        ["Difference between the vertebrae", "0.21", "−0.17 against"],
    ]
    assert set(WORDS) == set(NAMES)


def test_a_result_of_before_vertebrae_were_found_is_shown_as_it_was() -> None:
    votes = {name: EXAMPLE["models"][name] for name in ("cnn", "vgg16", "resnet")}
    page = drawn({"vertebrae": None, "recipe": "dxa-224/1", "models": votes})
    assert page.xpath("//*[@id='outlines'] | //section[contains(@class, 'spine')]") == []
    rows = page.xpath("//section[contains(@class, 'votes')]//tbody/tr/th/text()")
    assert [one.strip() for one in rows] == ["CNN", "VGG16", "ResNet + forest"]
    image = EXAMPLE["image"]
    (height,) = page.xpath("//section[@class='viewer']//image/@height")
    assert int(height) == round(224 * image["height"] / image["width"])


@pytest.mark.parametrize(
    ("t_score", "outcome", "words_of_it", "differs"),
    [
        (-2.5, "osteoporosis", "−2.5, in the range of osteoporosis", False),
        (-2.5, "normal", "−2.5, in the range of osteoporosis", True),
        (-2.4, "osteoporosis", "−2.4, in the range of low bone mass", True),
        (-2.4, "normal", "−2.4, in the range of low bone mass", False),
        (-1.0, "osteoporosis", "−1.0, in the normal range", True),
        (-1.1, "indeterminate", "−1.1, in the range of low bone mass", False),
        (-3.1, "indeterminate", "−3.1, in the range of osteoporosis", False),
    ],
)
def test_the_scanner_s_t_score_comes_first(
    t_score: float, outcome: str, words_of_it: str, differs: bool
) -> None:
    page = drawn({"outcome": outcome}, exam=exam(t_score))
    assert f"T-score by the scanner: {words_of_it}" in words(page, "//*[@class='reported']")
    assert ("differ" in words(page, "//*[@class='reported']")) is differs
    (article,) = page.xpath("//article")
    kinds = [one.get("class") if one.tag == "div" else one.tag for one in article.iter("div", "h1")]
    assert kinds.index("reported") < kinds.index("h1")


@pytest.mark.parametrize(
    ("facts", "words_of_it"),
    [
        ({"vertebrae": ["L3"]}, "−2.7, of a single vertebra, which is not used for diagnosis."),
        ({"vertebrae": ["L2", "L3"]}, "−2.7, in the range of osteoporosis"),
        ({"sex": "male", "age_years": 49}, "−2.7, in a man under 50, for whom the Z-score is read"),
        ({"sex": "male", "age_years": 50}, "−2.7, in the range of osteoporosis"),
        ({"sex": "female", "age_years": 49}, "−2.7, in the range of osteoporosis"),
        ({"age_years": 49}, "−2.7, in the range of osteoporosis"),
    ],
)
def test_a_t_score_has_a_range_where_ranges_apply(facts: Any, words_of_it: str) -> None:
    told = words(drawn({"outcome": "normal"}, exam=exam(-2.7, **facts)), "//*[@class='reported']")
    assert words_of_it in told
    assert ("differ" in told) is ("range of osteoporosis" in words_of_it)


def test_without_a_t_score_nothing_is_said_of_one() -> None:
    for given in (None, exam(None)):
        assert drawn(exam=given).xpath("//*[@class='reported']") == []


def test_findings_are_shown_and_do_not_refuse() -> None:
    quality = {"accepted": True, "reasons": [], "findings": ["low_contrast", "of_tomorrow"]}
    page = drawn({"quality": quality})
    items = page.xpath("//section[contains(@class, 'attention')]//li")
    told = [" ".join(one.text_content().split()) for one in items]
    assert told[0].startswith("The image has too few grey levels")
    assert "of_tomorrow" in told[1]
    assert told[2] == "L3 is denser than its neighbours, 1.33 times"
    assert words(page, "//h1") == "Signs of osteoporosis"
    nothing = words(drawn(vertebrae(findings=[])), "//section[contains(@class, 'attention')]")
    assert "Nothing was noticed" in nothing


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("code", get_args(Code))
def test_every_finding_has_few_words(code: Code, language: str) -> None:
    with speaking(language):
        said = spine.short(Finding.model_validate(finding(code, "L2")))
    assert "%" not in said
    assert len(said) < 80


@pytest.mark.parametrize("outcome", list(HEADINGS))
def test_considerations_have_sources_and_recommend_nothing(outcome: str) -> None:
    nothing = {"probability": None, "threshold": None, "band": None, "version": None, "models": {}}
    page = drawn({"outcome": outcome, **(nothing if outcome == "refused" else {})})
    text = words(page, "//section[contains(@class, 'next')]")
    assert "Nothing here is a recommendation" in text
    onward = [f"/results/{EXAMPLE['id']}/treatment", "/faq"]
    assert page.xpath("//section[contains(@class, 'next')]//a/@href") == onward
    for item in page.xpath("//section[contains(@class, 'next')]//li")[outcome == "refused" :]:
        assert item.findtext("small")
    whole = page.text_content().lower()
    for never in ("no osteoporosis", "prescribe", "start treatment", "you should"):
        assert never not in whole


def test_every_outcome_has_its_words() -> None:
    assert HEADINGS.keys() == MEANINGS.keys() == CONSIDERATIONS.keys()


def test_numbers_are_written_as_the_language_writes_them() -> None:
    with speaking("de"):
        page = drawn(exam=exam(-2.7))
    assert "83 %" in words(page, "//figure[@class='gauge']")
    assert "−2,7" in words(page, "//*[@class='reported']")


OVERRIDE = Review(
    number=1,
    created_at=datetime(2026, 2, 4, 8, 30, tzinfo=UTC),
    action="override",
    outcome="indeterminate",
    reviewer="B. Reader",
    reason="Osteophytes.",
)


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_a_reader_found_comes_first(language: str) -> None:
    """In the title, on the page and in lists."""
    with speaking(language):
        found, models = _(HEADINGS["indeterminate"]), _(HEADINGS["osteoporosis"])
        page = drawn(reviews=(OVERRIDE,))
        assert words(page, "//h1") == found
        assert page.findtext(".//title").startswith(found)
        article = words(page, "//article")
        assert article.index(found) < article.index(models)
        judged = Prediction.model_validate({**EXAMPLE, "review": OVERRIDE})
        row = HistoryRow.of(judged)
        assert (row.found, row.found_heading, row.heading) == ("indeterminate", found, models)


def test_who_agrees_has_found_nothing_else() -> None:
    signature = OVERRIDE.model_copy(update={"action": "sign", "outcome": "osteoporosis"})
    row = HistoryRow.of(Prediction.model_validate({**EXAMPLE, "review": signature}))
    assert (row.found, row.found_heading) == (None, "")
    assert words(drawn(reviews=(signature,)), "//h1") == HEADINGS["osteoporosis"]


async def test_what_is_signed_is_what_is_told(shared: Front, png: bytes) -> None:
    """A result that an older version kept as normal is signed as what its page says."""
    made = (await shared.post(png)).json()
    kept = {"outcome": "normal", "probability": 0.05, **vertebrae(findings=[finding("turned")])}
    document = {**made, **kept, "review": None}

    async def older(to: AsyncConnection) -> None:
        row = update(PredictionRow).where(PredictionRow.id == UUID(made["id"]))
        await to.execute(row.values(outcome="normal", document=document))

    await shared.app.state.health.database.write(older)
    place = f"/results/{made['id']}"
    page = html.fromstring((await shared.client.get(place)).text)
    assert words(page, "//h1") == HEADINGS["indeterminate"]
    reviews = f"/api/v1/predictions/{made['id']}/reviews"
    for sent in (
        shared.client.post(f"{place}/reviews", data={"action": "sign", "reviewer": "AB"}),
        shared.client.post(reviews, json={"action": "sign", "reviewer": "CD"}),
    ):
        assert (await sent).status_code in (201, 303)
    written = (await shared.client.get(reviews)).json()
    assert [one["outcome"] for one in written] == ["indeterminate"] * 2


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1.0, "over 95 %"),
        (0.951, "over 95 %"),
        (0.95, "95 %"),
        (0.834, "83 %"),
        (0.5, "50 %"),
        (0.05, "5 %"),
        (0.0499, "under 5 %"),
        (0.0, "under 5 %"),
    ],
)
def test_no_probability_is_told_finer_than_it_is_known(value: float, told: str) -> None:
    assert probability(value) == told
    votes = {name: {**vote, "probability": value} for name, vote in EXAMPLE["models"].items()}
    page = drawn({"probability": value, "models": votes})
    assert words(page, "//*[@class='figure']") == told
    shown = page.xpath("//section[contains(@class, 'votes')]//td[1]//*[@class='number']/text()")
    assert set(shown) == {told}
    row = HistoryRow.of(Prediction.model_validate({**EXAMPLE, "probability": value}))
    assert row.probability == told
