"""The sheet: A4, one page, whatever has to go on it. Made of the facts of the result's page.

The same result, exam, reviews and maps in the same language give the same bytes. It carries the
patient's reference and what a reviewer wrote; its file name carries neither.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Frame, HRFlowable, KeepInFrame, Spacer, Table

from service.language import locale as language
from service.language.locale import _
from service.medicine.scoliosis.view import CurveCard
from service.medicine.sent import SentImage
from service.medicine.vertebrae.view import SpineView
from service.predictions.contexts import ResultPage
from service.predictions.heat_maps.schemas import HeatMap
from service.predictions.report.drawing import bar, gauge, shape
from service.predictions.report.heights import heights
from service.predictions.report.measures import FLUSH, GAP, LEFT, MARGIN, RIGHT, WIDTH
from service.predictions.report.modalities import modalities
from service.predictions.report.pictures import pictures
from service.predictions.report.scanner import entered, measured
from service.predictions.report.typography import (
    ONE_AT_A_TIME,
    RULE,
    SOFT,
    TONES,
    WARN,
    fonts,
    text,
)
from service.predictions.schemas import Prediction
from service.predictions.who import Who
from service.reviews.contexts import Signed
from service.types import BaseName, Outcome
from service.web.labels import INTENDED, labels

WEIGHTIEST: Final = 3
"""Measurements of ``bone`` that are named."""


def render(
    prediction: Prediction,
    page: ResultPage,
    scan: bytes | None,
    maps: Mapping[BaseName, HeatMap],
    sent: SentImage | None = None,
) -> bytes:
    """Return the sheet as PDF, in the current language.

    ``page`` is the result's page; ``scan`` the canonical image as PNG, None where it is no longer
    kept; ``sent`` the image as it was sent where that is kept; ``maps`` those that could be had: of
    them the sheet has those alone that ``page`` offers.
    """
    with ONE_AT_A_TIME:
        fonts()
        buffer = io.BytesIO()
        canvas = Canvas(buffer, pagesize=A4, invariant=True, lang=language.current().code)
        canvas.setTitle(_("Report on a spine DXA image"))
        canvas.setSubject(_(INTENDED))
        canvas.setAuthor("osteoserve")
        canvas.setCreator("osteoserve")
        height = A4[1] - 2 * MARGIN
        content = KeepInFrame(
            WIDTH, height, _content(prediction, page, scan, maps, sent), mode="shrink"
        )
        frame = Frame(MARGIN, MARGIN, WIDTH, height, 0, 0, 0, 0)
        frame.addFromList([content], canvas)
        canvas.showPage()
        canvas.save()
        return buffer.getvalue()


def _content(
    prediction: Prediction,
    page: ResultPage,
    scan: bytes | None,
    maps: Mapping[BaseName, HeatMap],
    sent: SentImage | None,
) -> list[Flowable]:
    gone = [text(_("The image is no longer kept."), 8, colour=SOFT)]
    seen = gone if scan is None else pictures(prediction, page, scan, maps, sent)
    # Below the picture, where there is room: the other column is the longer one.
    theirs = measured(page.exam.measured) if page.exam and page.exam.measured else []
    typed = entered(page.exam.entered) if page.exam and page.exam.entered else []
    others = modalities(page.modalities) if page.modalities else []
    lateral = heights(page.heights) if page.heights else []
    columns = Table(
        [[[*_answer(prediction, page)], "", [*seen, *lateral, *theirs, *typed, *others]]],
        colWidths=[LEFT, GAP, RIGHT],
        style=FLUSH,
    )
    return [
        *_head(page),
        columns,
        Spacer(0, 10),
        *_after(page),
        *_labels(),
        *_versions(page),
        *_signature(page),
    ]


def _head(page: ResultPage) -> list[Flowable]:
    title = [text(_("Report on a spine DXA image"), 13, bold=True)]
    when = [text(page.created, 7.5, colour=SOFT), text(f"osteoserve · {page.id}", 6, colour=SOFT)]
    strip = _("Research use only. Not cleared as a medical device. Not a diagnosis.")
    return [
        Table([[title, when]], colWidths=[WIDTH - RIGHT, RIGHT], style=FLUSH),
        Spacer(0, 3),
        text(strip, 8, bold=True, colour=WARN, after=4),
        *_broken(page),
        *_whom(page.who),
        HRFlowable(WIDTH, 0.8, color=RULE, spaceAfter=6),
    ]


def _whom(who: Who) -> list[Flowable]:
    """Return the lines that say whose scan it is; nothing where nobody has said."""
    said = [_("Patient: %(reference)s", reference=who.patient)] if who.patient else []
    if who.acquired:
        said.append(_("Scan acquired on %(day)s", day=who.acquired))
    lines = [text(" · ".join(said), 9.5, bold=True, after=2)] if said else []
    return [*lines, text(" · ".join(who.told), 7.5, after=4)] if who.told else lines


def _broken(page: ResultPage) -> list[Flowable]:
    if not page.broken:
        return []
    told = _("Break-glass %(id)s: read by somebody of another site.", id=page.broken)
    return [text(told, 8, bold=True, colour=WARN, after=4)]


def _answer(prediction: Prediction, page: ResultPage) -> list[Flowable]:
    found: list[Flowable] = [_standing(page), Spacer(0, 5)]
    if page.reported is not None:
        value, told = page.reported.value, page.reported.range
        found.append(
            text(_("T-score by the scanner: %(value)s, %(told)s.", value=value, told=told), 8,
                 bold=True, after=3)
        )  # fmt: skip
        if page.reported.differs:
            found.append(
                text(_("The T-score and the models differ. The T-score counts."), colour=WARN,
                     bold=True, after=3)
            )  # fmt: skip
    if page.conflicts:
        found.append(text(_("What contradicts the T-score"), 8, bold=True, colour=WARN))
        found += [text(f"{one.text} ({one.source})", 7.5, bullet=True) for one in page.conflicts]
        found.append(Spacer(0, 3))
    if page.outside:
        found.append(text(page.outside, 8, bold=True, colour=WARN, after=3))
    found += _verdict(page)
    found += [text(reason, bullet=True) for reason in page.reasons]
    found += _degraded(page)
    scale = gauge(prediction, LEFT)
    if scale is not None:
        said = _("%(probability)s calibrated probability of osteoporosis",
                 probability=page.probability)  # fmt: skip
        limits = _("threshold %(threshold)s · uncertain range %(band)s",
                   threshold=page.threshold, band=page.band)  # fmt: skip
        found += [Spacer(0, 4), text(said, 10, bold=True, after=2), scale]
        found += [Spacer(0, 3), text(limits, 7, colour=SOFT, after=7), *_votes(prediction, page)]
    if page.measurements:
        found += [Spacer(0, 3), text(_measured(page), 7, colour=SOFT)]
    if page.findings:
        found += [Spacer(0, 4), text(_("Noticed in the image"), 8, bold=True)]
        found += [text(finding, bullet=True) for finding in page.findings]
    if page.spine is not None:
        found += _spine(page.spine)
    if page.curve is not None:
        found += _curve(page.curve)
    return found


def _verdict(page: ResultPage) -> list[Flowable]:
    """Return the outcome and what it means: a reader's own first, then what the models said."""

    def said(outcome: Outcome, heading: str, size: float) -> Flowable:
        words = text(heading, size, bold=True, colour=TONES[outcome])
        return Table([[shape(outcome), words]], colWidths=[26, LEFT - 26], style=FLUSH)

    review = page.review
    if review is None or review.action != "override":
        first = said(page.outcome, page.verdict.heading, 14)
        return [Spacer(0, 3), first, Spacer(0, 4), text(page.verdict.meaning, 8, after=4)]
    by = _("Found by %(name)s, who has overridden the models.", name=review.reviewer)
    models = _("The models said: %(outcome)s", outcome=page.verdict.heading)
    return [
        Spacer(0, 3),
        said(review.outcome, review.heading, 14),
        Spacer(0, 4),
        text(by, 8, after=6),
        text(models, 9, bold=True, colour=SOFT, after=2),
        text(page.verdict.meaning, 7.5, colour=SOFT, after=4),
    ]


def _measured(page: ResultPage) -> str:
    """Return the weightiest measurements in a sentence."""
    weightiest = "; ".join(
        f"{one.name} {one.value} ({one.contribution})" for one in page.measurements[:WEIGHTIEST]
    )
    return _("Bone weighed most (log-odds): %(weightiest)s.", weightiest=weightiest)


def _spine(found: SpineView) -> list[Flowable]:
    heads = (_("Level"), _("Height"), _("Lean"), _("Brightness"), _("Confidence"))
    rows = [
        [text(head, 6.5, colour=SOFT) for head in heads],
        *(
            [
                text(value, 7, bold=not place)
                for place, value in enumerate(
                    (one.name, one.height, one.tilt, one.density, one.confidence)
                )
            ]
            for one in found.levels
        ),
    ]
    lean = _(
        "Lean of the spine %(tilt)s. No finding is a diagnosis.",
        tilt=found.axis_tilt,
    )
    style = [*FLUSH, ("LINEABOVE", (0, 1), (-1, 1), 0.4, RULE)]
    return [
        Spacer(0, 4),
        text(_("Vertebrae"), 8, bold=True),
        *(text(finding, 7.5, bullet=True) for finding in found.findings),
        Table(rows, colWidths=[LEFT * share for share in (0.12, 0.34, 0.16, 0.19, 0.19)],
              style=style),
        text(lean, 7, colour=SOFT),
    ]  # fmt: skip


def _curve(found: CurveCard) -> list[Flowable]:
    title = _("DXA screening angle, supine")
    said = f"{found.said} {_('Not a Cobb angle; research use only.')}"
    return [
        Spacer(0, 4),
        text(f"{title}: {found.angle}" if found.angle else title, 8, bold=True),
        text(said, 7, colour=SOFT),
    ]


def _standing(page: ResultPage) -> Flowable:
    if page.review is None:
        said = _("Preliminary: no clinician has reviewed this result.")
        return text(said, 8, bold=True, colour=WARN)
    return text(_reviewed(page.review), 8)


def _reviewed(review: Signed) -> str:
    values = {"name": review.reviewer, "when": review.when, "outcome": review.heading}
    if review.action == "sign":
        said = _("Signed by %(name)s on %(when)s.", **values)
    else:
        said = _("Overridden by %(name)s on %(when)s: %(outcome)s.", **values)
    if review.changed:
        said = f"{said} {_('The result does not match what was signed.')}"
    return said if review.reason is None else f"{said} “{review.reason}”"


def _degraded(page: ResultPage) -> list[Flowable]:
    if not page.degraded:
        return []
    said = [_("Degraded answer.")]
    if page.absent:
        said.append(_("%(absent)s did not answer.", absent=page.absent))
    if page.unused:
        said.append(
            _("%(unused)s answered, but took no part in the combined result.", unused=page.unused)
        )
    if page.alone:
        said.append(_("The stack did not answer; %(alone)s speaks alone.", alone=page.alone))
    return [text(" ".join(said), 8, bold=True, colour=WARN, after=2)]


def _votes(prediction: Prediction, page: ResultPage) -> list[Flowable]:
    column = LEFT / 3
    rows: list[list[Any]] = [
        [text(name, 7, colour=SOFT) for name in (_("Model"), _("Probability, its own"),
                                                 _("Contribution, log-odds"))]
    ]  # fmt: skip
    for row in page.rows:
        vote = prediction.models.get(row.model)
        if vote is None:
            rows.append([text(row.name, bold=True), text(_("No answer"), colour=WARN), ""])
            continue
        drawn = bar(0, vote.probability, column * 0.8, TONES["normal"])
        told = [text(row.probability or ""), drawn]
        rows.append([text(row.name, bold=True), told, text(row.contribution or _("Not used"))])
    style = [
        *FLUSH,
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("TOPPADDING", (0, 1), (-1, -1), 2),
        ("LINEABOVE", (0, 1), (-1, -1), 0.4, RULE),
    ]
    return [Table(rows, colWidths=[column] * 3, style=style)]


def _after(page: ResultPage) -> list[Flowable]:
    found: list[Flowable] = [text(_("What to consider next"), 8.5, bold=True, after=2)]
    for one in page.verdict.considerations:
        source = f" ({one.source})" if one.source else ""
        found.append(text(one.text + source, 7.5, after=1.5, bullet=True))
    said = _("Nothing here is a recommendation, and none follows from the probability.")
    return [*found, text(said, 7.5), Spacer(0, 8)]


def _labels() -> list[Flowable]:
    lines = [
        text(label, 7.5, after=1, bullet=True) for label in (*labels(), Markup.escape(_(INTENDED)))
    ]
    return [text(_("Before you rely on this"), 8.5, bold=True, after=2), *lines, Spacer(0, 8)]


def _versions(page: ResultPage) -> list[Flowable]:
    facts = [
        (_("Model version that judged"), page.version or _("none: no model was asked")),
        *((row.name, row.version) for row in page.rows if row.version),
        *([(_("Vertebrae"), page.outlined_by)] if page.outlined_by else []),
        (_("Recipe"), page.recipe),
        (_("Image"), f"{page.image_format}, {page.image_size}"),
        (_("File sent, SHA-256"), page.image_sha256),
    ]
    rows = [[text(name, 6.5, colour=SOFT), text(value, 6.5)] for name, value in facts]
    return [
        text(_("Versions"), 8.5, bold=True, after=2),
        Table(rows, colWidths=[38 * mm, WIDTH - 38 * mm], style=FLUSH),
    ]


def _signature(page: ResultPage) -> list[Flowable]:
    if page.review is not None:
        return []
    lines = [_("Reviewed by"), _("Agrees, or finds instead"), _("Date and signature")]
    column = WIDTH / 3
    rows = [[text(line, 6.5, colour=SOFT) for line in lines]]
    style = [
        *FLUSH,
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("LINEABOVE", (0, 0), (-1, 0), 0.6, SOFT),
    ]
    return [Spacer(0, 40), Table(rows, colWidths=[column] * 3, style=style)]
