"""One prediction as a page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.exams.contexts import ExamCard
from service.exams.schemas import Exam
from service.language.formats import listing, moment, number, percent
from service.language.locale import N_, _
from service.medicine.modalities.settings import ModalitySettings
from service.medicine.modalities.view import ModalitiesCard
from service.medicine.morphometry.kept import KeptPoints
from service.medicine.morphometry.view import HeightsCard
from service.medicine.osteoporosis import measurements
from service.medicine.osteoporosis import view as votes
from service.medicine.osteoporosis.measurements import MeasurementRow
from service.medicine.osteoporosis.view import Gauge, Row
from service.medicine.osteoporosis.wording import Verdict
from service.medicine.schemas import Image
from service.medicine.scoliosis.view import CurveCard
from service.medicine.vertebrae import view as spine
from service.medicine.vertebrae.view import SpineView
from service.predictions.conflicts import Contradiction, conflicts
from service.predictions.heat_maps.contexts import Map, maps
from service.predictions.reported import Reported, outside_intended_use
from service.predictions.repository import SentPlace
from service.predictions.schemas import Prediction
from service.predictions.viewer import View
from service.predictions.who import Who
from service.reviews.contexts import Signed
from service.reviews.form import ReviewForms
from service.reviews.schemas import Review, standing, version
from service.runners.registry import MODEL_NAMES
from service.types import BaseName, Outcome
from service.web.page import Page
from service.worklist.contexts import Doing

REASONS: Final[Mapping[str, str]] = {
    "too_small": N_("The image has too few pixels for the texture of a vertebra to be told."),
    "wrong_shape": N_(
        "The image is much longer than wide, or wider than long: no lumbar DXA field."
    ),
    "not_spine_dxa": N_(
        "This does not look like an AP lumbar spine DXA image, upright and with bright bone. If it "
        "is one, cut off any border, window or text around it and send it again."
    ),
    "low_contrast": N_("The image has too few grey levels; bone cannot be told from noise."),
    "burned_in_sheet": N_(
        "There is more in this image than a scan, such as a border, a window, text or a whole "
        "page: cut that off, or send the scan alone."
    ),
    "photograph": N_(
        "This is a photograph of a screen, whose pixels are seen: send the image itself, as the "
        "scanner exports it. To cut its edges off is not enough."
    ),
    "upside_down": N_("The spine seems to stand on its head."),
    "off_centre": N_("No spine runs down the middle of the field."),
    "objects_not_removed": N_(
        "Something denser than bone lies in the field, such as a button or contrast medium."
    ),
    "implant": N_("Metal seems to lie along the spine, such as screws or rods."),
    "obesity_noise": N_("Noise drowns the bone, as in a very large patient."),
    "scan_area": N_("The field may be too short to show all of L1 to L4."),
    "movement": N_("Rows are shifted against each other: the patient may have moved."),
    "degenerative": N_("One level is much brighter than its neighbours, as degeneration makes it."),
    "vertebrae_not_found": N_(
        "Fewer than three of the vertebrae L1 to L4 were found; without them there is no scale."
    ),
    "other_body_part": N_("The file says that it shows another part of the body."),
    "other_view": N_("The file says that it is a lateral or oblique view."),
    "lateral_view": N_(
        "The two sides of the spine differ, or the field is far longer than a lumbar one, as in a "
        "lateral image: AP images of the lumbar spine alone are judged."
    ),
    "for_processing": N_("The file says that its grey levels are raw, not meant for display."),
    "burned_in_annotation": N_("The file says that text is part of the image."),
}
"""Why the gate refuses, and what it notices without refusing, by models.gate.quality's codes."""

LIMITS: Final = ModalitySettings.model_validate({})
WIDTH: Final = 224
"""CSS pixels of the stored picture; the height follows the file's own proportions."""


@dataclass(frozen=True, kw_only=True)
class ResultPage(Page):
    templates = ("result.html",)
    section = "/history"

    id: str
    created: str
    created_iso: str
    outcome: Outcome
    verdict: Verdict
    probability: str | None
    threshold: str | None
    band: str | None
    gauge: Gauge | None
    degraded: bool
    absent: str
    """The names of the base models that did not answer, as a list in words."""
    unused: str
    alone: str | None
    """The base model that decided without the stack."""
    rows: tuple[Row, ...]
    reasons: tuple[str, ...]
    findings: tuple[str, ...]
    measurements: tuple[MeasurementRow, ...]
    """What ``bone`` weighed."""
    spine: SpineView | None
    curve: CurveCard | None
    maps: tuple[Map, ...]
    offers_maps: bool
    view: View
    can_cut: bool
    """Whether a part of the image may be one that can be judged: it was refused, and is kept."""
    prior: View | None
    """The patient's exam before this one."""
    attention: tuple[str, ...]
    """What to look at in the image, in short; the sentences stand further down."""
    scan_width: int
    scan_height: int
    image_format: str
    image_size: str
    image_sha256: str
    recipe: str
    version: str | None
    outlined_by: str | None
    """The version that found the vertebrae."""
    milliseconds: str
    review: Signed | None
    """The one that counts; none: preliminary."""
    earlier: tuple[Signed, ...]
    """All others, the last one first."""
    told: bool
    """Whether somebody has commented, or withdrawn what was signed."""
    signing: ReviewForms
    exam: ExamCard | None
    modalities: ModalitiesCard | None
    heights: HeightsCard | None
    """Of a lateral image, as a reader has kept its points."""
    exam_unreadable: bool
    """Facts were entered, but by a version that knows more than this one."""
    reported: Reported | None
    conflicts: tuple[Contradiction, ...]
    """What contradicts the T-score."""
    who: Who
    doing: Doing | None
    """What is done with it beside reading it; none on paper."""
    outside: str
    """That this person is none whom the models are meant for."""
    pictured: bool = True
    """Whether the image is still kept."""
    broken: str = ""
    """Number of the break-glass by which it is read; empty: it is of the reader's own site."""

    @classmethod
    def of(
        cls,
        prediction: Prediction,
        *,
        reviews: tuple[Review, ...] = (),
        exam: Exam | None = None,
        exam_unreadable: bool = False,
        who: Who | None = None,
        doing: Doing | None = None,
        signing: ReviewForms | None = None,
        out_of_reach: Collection[BaseName] = (),
        pictured: bool = True,
        research: bool = False,
        sent: SentPlace | None = None,
        prior: View | None = None,
        points: Sequence[KeptPoints] = (),
        limits: ModalitySettings = LIMITS,
    ) -> ResultPage:
        """``reviews`` are all there are, the first one first; without them the last one is shown.

        ``signing`` holds a form that was sent and could not be taken; ``out_of_reach`` names the
        models that voted but cannot be asked for their heat maps now. ``research`` offers maps that
        failed their check; ``sent`` says where the image lies as it was sent, where that is kept;
        ``points`` is every version of those that a reader has kept.
        """
        p = prediction
        alone = votes.speaker(p)
        last = standing(reviews) if reviews else p.review
        height = round(WIDTH * spine.proportions(p.image, p.vertebrae))
        drawn = maps(p, out_of_reach, research=research) if pictured else ()
        return cls(
            id=str(p.id),
            created=moment(p.created_at),
            created_iso=p.created_at.isoformat(),
            outcome=votes.told(p),
            verdict=Verdict.of(votes.told(p), questioned=votes.is_questioned(p)),
            probability=votes.probability(p.probability),
            threshold=None if p.threshold is None else percent(p.threshold, 0),
            band=f"{number(p.band[0] * 100)}–{percent(p.band[1], 0)}" if p.band else None,
            gauge=votes.gauge(p),
            degraded=p.degraded,
            absent=listing(MODEL_NAMES[n] for n in p.missing if n not in p.models and n != "stack"),
            unused=listing(MODEL_NAMES[n] for n in p.missing if n in p.models),
            alone=MODEL_NAMES[alone] if alone else None,
            rows=votes.rows(p),
            reasons=tuple(explained(code) for code in p.quality.reasons),
            findings=tuple(explained(code) for code in p.quality.findings),
            measurements=measurements.rows(p),
            spine=SpineView.of(p.vertebrae, height),
            curve=CurveCard.of(p.vertebrae),
            maps=drawn,
            offers_maps=any(one.address for one in drawn),
            view=View.of(p, sent),
            can_cut=votes.told(p) == "refused" and sent is not None,
            prior=prior,
            attention=attention(p),
            scan_width=WIDTH,
            scan_height=height,
            image_format={"dicom": "DICOM"}.get(p.image.format, p.image.format.upper()),
            image_size=_size(p.image),
            image_sha256=p.image.sha256,
            recipe=p.recipe,
            version=p.version,
            outlined_by=p.vertebrae.version if p.vertebrae else None,
            milliseconds=f"{number(p.timings_ms.get('total', 0.0))} ms",
            review=Signed.of(last) if last else None,
            earlier=tuple(Signed.of(one) for one in reversed(reviews) if one is not last),
            told=any(one.action in ("comment", "withdraw") for one in reviews),
            signing=(signing or ReviewForms.of(votes.told(p), version=version(reviews))).when(
                signed=last is not None
            ),
            exam=ExamCard.of(exam) if exam else None,
            modalities=ModalitiesCard.of(exam, votes.told(p), limits) if exam else None,
            heights=HeightsCard.of(points, last.created_at if last else None),
            exam_unreadable=exam_unreadable,
            reported=Reported.of(exam, votes.told(p)),
            conflicts=conflicts(exam, p),
            who=who or Who.of(exam),
            doing=doing,
            outside=outside_intended_use(exam),
            pictured=pictured,
        )


def _size(image: Image) -> str:
    size = f"{image.width} × {image.height}"
    if image.cropped is None:
        return size
    _left, _top, width, height = image.cropped
    part = f"{width} × {height}"
    return _("%(part)s (with its frame %(whole)s)", part=part, whole=size)


def attention(prediction: Prediction) -> tuple[str, ...]:
    """Return in short what of an image to look at, that of its vertebrae last."""
    found = prediction.vertebrae.findings if prediction.vertebrae else ()
    return (
        *(explained(code) for code in prediction.quality.findings),
        *(spine.short(one) for one in found),
    )


def explained(code: str) -> str:
    """Return what a code of the gate says of an image, in the current language."""
    if code in REASONS:
        return _(REASONS[code])
    return _("Something speaks against the image (%(code)s).", code=code)
