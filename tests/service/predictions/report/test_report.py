"""The one-page PDF: one page whatever it has to hold, all labels, the language, the same bytes."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from markupsafe import Markup

from models.explanation import location
from models.explanation.location import Evidence, Inside, Location
from models.image import recipe
from models.image.cropping import Box
from service.exams.measurements import LeftOut, Measured, Measurement
from service.exams.parts import Scanner
from service.exams.schemas import Exam
from service.language.locale import speaking
from service.medicine.sent import SentImage
from service.predictions.contexts import ResultPage
from service.predictions.heat_maps.schemas import EXAMPLE as MAP
from service.predictions.heat_maps.schemas import HeatMap
from service.predictions.report import render
from service.predictions.report.typography import TONES, spelt
from service.predictions.schemas import EXAMPLE, Prediction
from service.reviews.schemas import MAX_REASON, Review
from service.web.labels import LABELS
from service.web.templates import STATIC
from tests.service.integration.compose.kit import REFUSED, points
from tests.service.kit import images
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import Down, running

pytestmark = pytest.mark.anyio

SCAN = recipe.encode(images.canonical())
HEAT = HeatMap.model_validate(MAP)
SCANNED = Measured(
    source="Enhanced SR",
    scanner=Scanner(vendor="Hologic", serial="DX-0417"),
    values=(
        Measurement(region="L4", vertebrae=("L4",), bmd_g_cm2=0.9, t_score=-1.4),
        Measurement(
            region="lumbar_spine", vertebrae=("L1", "L2", "L4"), bmd_g_cm2=0.873, t_score=-1.8,
            z_score=-0.4,
        ),
        Measurement(region="femoral_neck", side="left", bmd_g_cm2=0.631, t_score=-2.0),
    ),
    left_out=(LeftOut(region="L3", quantity="t_score", reason="range"),),
)  # fmt: skip
CODES = ("objects_not_removed", "implant", "obesity_noise", "scan_area", "movement", "off_centre")


def sheet(
    changes: dict[str, Any] | None = None,
    *,
    reviews: tuple[Review, ...] = (),
    t_score: float | None = None,
    **facts: Any,
) -> bytes:
    prediction = Prediction.model_validate({**EXAMPLE, **(changes or {})})
    exam = Exam(prediction_id=prediction.id, t_score=t_score, **facts)
    page = ResultPage.of(prediction, reviews=reviews, exam=exam)
    return render(prediction, page, SCAN, {"cnn": HEAT})


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


def words(pdf: bytes, tmp_path: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(["pdftotext", "-raw", path, "-"], check=True, capture_output=True)
    return " ".join(done.stdout.decode().split())


def review(action: str = "override", reason: str | None = "No reason that counts.") -> Review:
    return Review.model_validate(
        {
            "number": 1,
            "created_at": datetime(2026, 2, 4, 8, 30, tzinfo=UTC),
            "action": action,
            "outcome": "indeterminate",
            "reviewer": "B. <Reader> & Co",
            "reason": reason,
        }
    )


def test_it_holds_what_the_page_holds(tmp_path: Path) -> None:
    text = words(sheet(t_score=-1.4), tmp_path)
    for fact in (
        "Signs of osteoporosis", "83 %", "threshold 41 %", "35–48 %", "79 %", "+0.61",
        "T-score by the scanner: −1.4", "The T-score and the models differ",
        "no clinician has reviewed", "No heat map is shown that failed its check",
        "aged 50 or over", "The scan as the models saw it",
        "3 February 2026, 09:41 UTC", "Date and signature", recipe.NAME, "ISCD",
        "Bone weighed most (log-odds): Bone above soft tissue, in units of noise 2.14 (+0.58)",
        "L3 seems denser than its neighbours", "No finding is a diagnosis", "31.2 mm (52.0 px)",
        EXAMPLE["id"], EXAMPLE["version"], EXAMPLE["image"]["sha256"],
    ):  # fmt: skip
        assert fact in text
    for label in LABELS:
        assert Markup(label).striptags() in text  # noqa: S704 - our own labels


def test_what_contradicts_the_t_score_is_on_it(tmp_path: Path) -> None:
    contradicted = words(sheet(t_score=-0.4, sex="female", age_years=70), tmp_path)
    assert "What contradicts the T-score" in contradicted
    assert "L3: far denser than its neighbours" in contradicted
    low = words(sheet(t_score=-2.6, sex="female", age_years=70), tmp_path)
    assert "What contradicts the T-score" not in low


def test_it_has_the_heights_that_a_reader_has_kept(tmp_path: Path) -> None:
    prediction = Prediction.model_validate({**EXAMPLE, **REFUSED})
    for when, late in (("2026-02-04T08:00:00Z", False), ("2026-02-04T09:00:00Z", True)):
        kept = (points(), points(2, kept_at=when))
        page = ResultPage.of(prediction, reviews=(review("sign", None),), points=kept)
        pdf = render(prediction, page, SCAN, {})
        assert pages(pdf) == 1
        text = words(pdf, tmp_path)
        for fact in (
            "Points kept by Reader <B>", "4 February 2026", "L1 21.0 · 25.5 · 30.0",
            "grade 2, moderate: over 25 to 40 % lost", "set by the reader",
            "kept as proposed, unmoved", "J Bone Miner Res 1993",
        ):  # fmt: skip
            assert fact in text
        assert ("Points were kept after the result was signed" in text) is late
    removed = ResultPage.of(prediction, points=(points(), points(2, vertebrae=())))
    text = words(render(prediction, removed, SCAN, {}), tmp_path)
    assert "Points removed by Reader <B>" in text
    assert "21.0 · 25.5" not in text


def test_a_map_that_passed_its_check_is_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(tmp_path))
    passed = Evidence(*[Inside(60, 60, 1.0)] * 3)
    location.write(tmp_path, {"cnn": Location(EXAMPLE["models"]["cnn"]["version"], passed)})
    pdf = sheet()
    text = words(pdf, tmp_path)
    assert "Heat map of CNN" in text
    assert "Heat map of VGG16" not in text
    assert pages(pdf) == 1


def test_it_shows_the_image_as_it_was_sent_where_that_is_kept(tmp_path: Path) -> None:
    prediction = Prediction.model_validate(EXAMPLE)
    box = Box(0, 0, prediction.image.width, prediction.image.height)
    page = ResultPage.of(prediction)
    pdf = render(prediction, page, SCAN, {}, SentImage(images.png(), box, None))
    assert "The scan as it was sent" in words(pdf, tmp_path)
    assert pages(pdf) == 1


def test_it_reassures_nobody_over_a_finding_and_marks_whom_it_is_not_for(tmp_path: Path) -> None:
    kept = {
        "outcome": "normal",
        "probability": 0.05,
        "quality": {"accepted": True, "reasons": [], "findings": ["scan_area"]},
    }
    text = words(sheet(kept, t_score=-2.6, sex="female", age_years=30), tmp_path)
    assert "No sign of osteoporosis" not in text
    assert "Indeterminate" in text
    assert "Outside the intended use" in text
    assert "no class by T-score" in text
    assert "in the range of osteoporosis" not in text


def test_what_the_scanner_measured_is_on_it_as_the_scanners(tmp_path: Path) -> None:
    text = words(sheet(measured=(SCANNED,), t_score=-1.1), tmp_path)
    for fact in (
        "Measured by the scanner", "Lumbar spine, L1, L2 and L4 0.873 −1.8 −0.4",
        "Femoral neck, left 0.631 −2.0 –", "Hologic DX-0417", "L3, T-score: outside of what",
        "kept is −1.1, the scanner says −1.8",
    ):  # fmt: skip
        assert fact in text
    with speaking("de"):
        german = sheet(measured=(SCANNED,))
    assert pages(german) == 1
    text = words(german, tmp_path)
    for fact in ("Vom Scanner gemessen", "0,873", "Lendenwirbelsäule, L1, L2 und L4"):
        assert fact in text
    assert "Measured by the scanner" not in words(sheet(t_score=-1.1), tmp_path)


def test_what_somebody_entered_by_region_is_on_it_by_their_name(tmp_path: Path) -> None:
    regions = {"L4": {"t_score": -3.1}, "femoral_neck": {"side": "left", "t_score": -2.4}}
    entry = {"field": "regions.L4.t_score", "value": -3.1, "by": "Ann", "at": "2026-11-03T10:00Z"}
    text = words(sheet(measured=(SCANNED,), regions=regions, entered_by=[entry]), tmp_path)
    for fact in (
        "Femoral neck, left 0.631 −2.0 –", "Entered by hand", "L4 – −3.1 –",
        "Femoral neck, left – −2.4 –", "Entered by: Ann, 3 November 2026.",
        "kept is −2.4, the scanner says −2.0",
    ):  # fmt: skip
        assert fact in text
    assert "Entered by hand" not in words(sheet(t_score=-1.1), tmp_path)


def test_a_scanner_that_told_of_many_regions_leaves_the_sheet_readable(tmp_path: Path) -> None:
    levels = ("L1", "L2", "L3", "L4")
    chosen = [one for size in (1, 2, 3, 4) for one in itertools.combinations(levels, size)]
    values = [
        Measurement(region="lumbar_spine", vertebrae=one, bmd_g_cm2=0.9, t_score=-1.5)
        for one in chosen
    ]
    many = SCANNED.model_copy(update={"values": tuple(values)})
    pdf = sheet(measured=(many,))
    text = words(pdf, tmp_path)
    assert text.count("0.900") == 10 < len(chosen)
    assert "More regions are on the result’s page." in text
    assert pages(pdf) == 1


def test_it_is_one_page_whatever_it_holds() -> None:
    worst = {
        "degraded": True,
        "missing": ["cnn", "stack"],
        "quality": {"accepted": True, "reasons": [], "findings": CODES},
        "image": {**EXAMPLE["image"], "width": 100, "height": 250},
    }
    long = review(reason="wörter und Wörter " * (MAX_REASON // 18))
    nothing = {"probability": None, "threshold": None, "band": None, "version": None, "models": {}}
    refused = {**nothing, "outcome": "refused"}
    young = {"t_score": -2.6, "sex": "female", "age_years": 47, "measured": (SCANNED,) * 2}
    doubted = {**worst, "outcome": "normal", "probability": 0.05}
    for language in ("en", "de"):
        with speaking(language):
            sheets = (
                sheet(), sheet(worst, reviews=(long,), **young),
                sheet(doubted, reviews=(long,), **young), sheet(refused),
            )  # fmt: skip
        for pdf in sheets:
            assert pdf.startswith(b"%PDF-")
            assert pages(pdf) == 1


def test_the_same_facts_are_the_same_bytes() -> None:
    assert sheet() == sheet()
    assert sheet() != sheet(t_score=-2.6)


def test_every_font_is_embedded() -> None:
    pdf = sheet()
    embedded = re.findall(rb"/FontFile2", pdf)
    named = set(re.findall(rb"/FontName /([A-Z]{6}\+\S+)", pdf))
    assert len(embedded) == len(named) > 0
    assert all(b"Vera" in name for name in named)


def test_who_signed_is_on_it(tmp_path: Path) -> None:
    text = words(sheet(reviews=(review(),)), tmp_path)
    # What the reader found stands first, then what the models said.
    assert text.index("Indeterminate") < text.index("The models said: Signs of osteoporosis")
    assert "Found by B. <Reader> & Co" in text
    assert "Overridden by B. <Reader> & Co on 4 February 2026, 08:30 UTC: Indeterminate." in text
    assert "“No reason that counts.”" in text
    assert "no clinician has reviewed" not in text
    assert "Date and signature" not in text
    assert "Signed by B. <Reader>" in words(sheet(reviews=(review("sign", None),)), tmp_path)


def test_a_refusal_has_its_reasons_and_no_number(tmp_path: Path) -> None:
    nothing = {"probability": None, "threshold": None, "band": None, "version": None, "models": {}}
    quality = {"accepted": False, "reasons": ["not_spine_dxa"]}
    text = words(sheet({**nothing, "outcome": "refused", "quality": quality}), tmp_path)
    assert "does not look like an AP lumbar" in text
    assert "calibrated probability" not in text
    assert "Heat map" not in text


def test_it_speaks_the_language_of_the_page(tmp_path: Path) -> None:
    with speaking("de"):
        pdf = sheet()
    text = words(pdf, tmp_path)
    assert b"/Lang (de)" in pdf
    assert "83 %" in text
    assert "3. Februar 2026" in text


def test_its_colours_are_those_of_the_pages() -> None:
    light = (STATIC / "tokens.css").read_text().split("@media")[0]
    for name, tone in TONES.items():
        assert f"--{name}: #{tone.hexval()[2:]};" in light


async def test_page_and_api_give_the_same_sheet(shared: Front, png: bytes, tmp_path: Path) -> None:
    location = (await shared.post(png)).headers["location"]
    address = location.replace("/api/v1/predictions", "/results")
    page = html.fromstring((await shared.client.get(address)).text)
    (link,) = page.xpath("//a[contains(@href, '.pdf')]/@href")
    response = await shared.client.get(link)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["cache-control"] == "no-store"
    name = response.headers["content-disposition"]
    assert location.rsplit("/", 1)[-1] not in name
    text = words(response.content, tmp_path)
    # The toys' maps were never measured: none is on the sheet.
    assert "Heat map of" not in text
    assert "The scan as it was sent" in text
    assert (await shared.client.get(f"{location}/report.pdf")).content == response.content


async def test_without_runners_there_is_still_a_sheet(
    var: Path, png: bytes, tmp_path: Path
) -> None:
    async with running(Down("resnet")) as runners, front(var, runners) as opened:
        location = (await opened.post(png)).headers["location"]
        for name in ("cnn", "vgg16"):
            await runners[name].stop()
        response = await opened.client.get(f"{location}/report.pdf")
    assert pages(response.content) == 1
    assert "ResNet + forest did not answer." in words(response.content, tmp_path)


def test_no_letter_becomes_a_box(tmp_path: Path) -> None:
    assert spelt("Łukasz Đorđević, Nguyễn, Müller") == "Łukasz Dorđević, Nguyen, Müller"
    assert spelt("Жa") == "[U+0416]a"
    assert spelt("a\u0302\u0331") == "a"
    signed = review("sign", None).model_copy(update={"reviewer": "Zoë Đapęk Ж"})
    assert "Signed by Zoë Dapek [U+0416]" in words(sheet(reviews=(signed,)), tmp_path)
