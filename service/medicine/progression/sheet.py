"""A patient's studies over time on paper: the same facts as their page, drawn as a PDF.

The same studies in the same language give the same bytes. Unlike a result's, it may have several
pages, each with what it is for and whose it is.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from markupsafe import Markup
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, SimpleDocTemplate, Table

from models.progression.forecast import NOMINAL
from service.language import locale as language
from service.language.formats import number
from service.language.locale import N_, _
from service.medicine.progression.contexts import PatientPage
from service.medicine.progression.view import OutlookCard
from service.predictions.report.measures import FLUSH, MARGIN, WIDTH
from service.predictions.report.typography import (
    BOLD,
    ONE_AT_A_TIME,
    REGULAR,
    RULE,
    SOFT,
    WARN,
    fonts,
    spelt,
    text,
)
from service.web.labels import INTENDED, labels, marked

HEAD: Final = 12 * mm
"""Above each page's text."""

_SIMULATED: Final = N_(
    "Research use only. The forecast was made of <strong>simulated patients</strong>, not of "
    "people’s visits (progression %(version)s): nothing shows yet how well it holds of people. It "
    "decides neither a treatment nor when to scan again."
)
_VISITED: Final = N_(
    "Research use only. The forecast was made of a site’s own visits (progression %(version)s). It "
    "decides neither a treatment nor when to scan again."
)
_STUDIES: Final = (0.15, 0.09, 0.08, 0.12, 0.15, 0.41)
_OTHERS: Final = (0.15, 0.18, 0.27, 0.40)
_CURVES: Final = (0.15, 0.40, 0.45)
_AHEAD: Final = (0.40, 0.25, 0.35)


def render(page: PatientPage) -> bytes:
    """Return the sheet as PDF, in the current language."""
    strip = spelt(_("Research use only. Not cleared as a medical device. Not a diagnosis."))
    whose = spelt(_("Patient: %(reference)s", reference=page.reference))

    def head(canvas: Canvas, document: Any) -> None:
        top = A4[1] - MARGIN
        canvas.setFillColor(WARN)
        canvas.setFont(BOLD, 8)
        canvas.drawString(MARGIN, top, strip)
        canvas.setFillColor(SOFT)
        canvas.setFont(REGULAR, 7.5)
        canvas.drawString(MARGIN, top - 11, whose)
        canvas.drawRightString(A4[0] - MARGIN, top - 11, str(document.page))

    with ONE_AT_A_TIME:
        fonts()
        buffer = io.BytesIO()
        document = SimpleDocTemplate(
            buffer,
            pagesize=A4,
            leftMargin=MARGIN,
            rightMargin=MARGIN,
            topMargin=MARGIN + HEAD,
            bottomMargin=MARGIN,
            invariant=1,
            lang=language.current().code,
            title=_("One patient over time"),
            subject=_(INTENDED),
            author="osteoserve",
            creator="osteoserve",
        )
        document.build(list(_content(page)), onFirstPage=head, onLaterPages=head)
        return buffer.getvalue()


def _content(page: PatientPage) -> Iterator[Flowable]:
    yield text(_("One patient over time"), 13, bold=True, after=4)
    if page.unreadable:
        said = _("Studies that cannot be read here, and are not shown: %(count)s.",
                 count=page.unreadable)  # fmt: skip
        yield text(said, 8, bold=True, colour=WARN, after=4)
    yield from _studies(page)
    yield from _outlook(page.outlook)
    if page.curves:
        yield _heading(_("DXA screening angle, supine"))
        yield _table(
            (_("Acquired"), _("DXA screening angle, supine"), _("Change")),
            [(one.date, one.angle, one.change) for one in page.curves],
            _CURVES,
        )
        yield _hint(_("Not a Cobb angle, not a diagnosis."))
    if page.others:
        yield _heading(_("CT and ultrasound"))
        yield _table(
            (_("Study"), _("Source"), _("Measured"), _("Device")),
            [(one.date, one.name, one.value, one.detail) for one in page.others],
            _OTHERS,
        )
        yield _hint(
            _(
                "Not compared over time, and no part of the course of BMD: no number goes from one "
                "device or one heel to another."
            )
        )
    yield _heading(_("Before you rely on this"))
    for label in (*labels(), Markup.escape(_(INTENDED))):
        yield text(label, 7.5, after=1, bullet=True)


def _studies(page: PatientPage) -> Iterator[Flowable]:
    heads = (
        _("Acquired"), _("BMD, g/cm²"), _("T-score"), _("Vertebrae"), _("Scanner"), _("Change"),
    )  # fmt: skip
    unknown = _("not given")
    rows = [
        (
            one.date,
            one.bmd or unknown,
            one.t_score or unknown,
            one.vertebrae or unknown,
            one.scanner or unknown,
            " ".join(told.text for told in one.changes) or _("the first"),
        )
        for one in page.rows
    ]
    yield _heading(_("Studies"))
    yield _table(heads, rows, _STUDIES)
    four, three, two = page.least
    yield _hint(
        _(
            "Least significant change: 2.77 × the facility’s precision of %(precision)s g/cm², "
            "that is %(l1_l4)s g/cm² for L1–L4, %(three)s with three vertebrae and %(two)s with "
            "two (Manitoba factors). Changes are judged in g/cm², on one machine and the same "
            "vertebrae (ISCD); nothing is converted between machines.",
            precision=page.precision,
            l1_l4=four,
            three=three,
            two=two,
        )
    )
    yield _hint(
        _(
            "A gain at the spine can be degeneration, which hides loss. A change is one finding "
            "among others; it decides nothing by itself."
        )
    )


def _outlook(card: OutlookCard) -> Iterator[Flowable]:
    yield _heading(_("How BMD goes on"))
    for sentence in card.sentences:
        yield text(sentence, 8, after=2)
    if card.rows:
        interval = _("Interval, %(nominal)s %%", nominal=number(100 * NOMINAL))
        yield text(_("Forecast of spine BMD, g/cm²"), 8, bold=True, after=2)
        yield _table(
            (_("Years after the newest study"), _("Expected"), interval),
            [(one.years, one.middle, f"{one.low}–{one.high}") for one in card.rows],
            _AHEAD,
        )
        yield _hint(card.condition)
    if card.reaching:
        yield text(_("When T is −2.5 or lower at the spine"), 8, bold=True, after=2)
        for sentence in card.reaching:
            yield text(sentence, 8, after=1, bullet=True)
        yield _hint(
            _(
                "From the newest study’s T-score, as the scanner reports it. This is no diagnosis, "
                "and a T-score above −2.5 does not rule osteoporosis out."
            )
        )
    for sentence in card.missing:
        yield text(sentence, 8, after=2)
    if card.model:
        yield text(_made_of(card), 7.5, after=2)


def _made_of(card: OutlookCard) -> Markup:
    said = _SIMULATED if card.simulated else _VISITED
    return marked(said) % {"version": card.model}


def _heading(words: str) -> Flowable:
    return text(words, 9, bold=True, after=3)


def _hint(words: str) -> Flowable:
    return text(words, 6.5, colour=SOFT, after=3)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float]) -> Table:
    return Table(
        [
            [text(head, 6.5, colour=SOFT) for head in heads],
            *([text(value, 7.5) for value in row] for row in rows),
        ],
        colWidths=[WIDTH * share for share in shares],
        repeatRows=1,
        spaceAfter=4,
        style=[
            *FLUSH,
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("LINEABOVE", (0, 1), (-1, -1), 0.4, RULE),
        ],
    )
