"""The page on which a series of CT is sent, looked at and measured."""

from __future__ import annotations

from dataclasses import dataclass

from service.exams.schemas import Exam
from service.language.formats import number
from service.language.locale import _, ngettext
from service.medicine.modalities.ct import form
from service.medicine.modalities.ct.form import Choice
from service.medicine.modalities.ct.overview import size
from service.medicine.modalities.ct.reading import voice
from service.medicine.modalities.ct.repository import KeptSeries
from service.medicine.modalities.ct.schemas import Attenuation
from service.medicine.modalities.ct.view import CONTRASTS, Lines, of, scanned
from service.medicine.modalities.settings import ModalitySettings
from service.medicine.modalities.wording import CODES, READINGS
from service.web.forms import Field
from service.web.page import Page


@dataclass(frozen=True, kw_only=True)
class Picture:
    """``address`` of a picture with its size in pixels."""

    address: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a region has: in words, what it reads, and what is to be known."""

    lines: Lines
    reading: str
    notes: tuple[str, ...]

    @classmethod
    def of(cls, found: Attenuation, settings: ModalitySettings) -> Measured:
        said = voice(found, settings)
        reading = _(READINGS[said.reading]) if said.counts and said.reading else _("not read")
        return cls(
            lines=of(found),
            reading=reading,
            notes=tuple(_(CODES[code]) for code in (*said.against, *said.notes)),
        )


@dataclass(frozen=True, kw_only=True)
class SeriesCard:
    """A series that is kept, and the region that is looked at in it."""

    overview: Picture
    slice: Picture
    number: int
    hidden: tuple[tuple[str, str], ...]
    """What stays as it is when a picture is clicked on."""
    fields: tuple[Field, ...]
    contrast: Field
    told: str
    left_out: str
    differs: bool
    """The files name another patient than the study facts."""
    preview: Measured | None
    error: str


@dataclass(frozen=True, kw_only=True)
class CtPage(Page):
    templates = ("ct.html",)
    section = "/history"

    id: str
    most: str
    """Files that one series may have."""
    kept: Measured | None
    series: SeriesCard | None
    trouble: str = ""
    """Why nothing could be kept."""


def card(
    exam: Exam,
    series: KeptSeries,
    choice: Choice,
    preview: Attenuation | None,
    settings: ModalitySettings,
    said: tuple[str, str] = ("", ""),
    fields: tuple[Field, ...] | None = None,
) -> SeriesCard:
    """Return the card; ``said`` is what is wrong with the region, and what was said of contrast."""
    answer = series.answer
    base = f"/results/{exam.prediction_id}/ct"
    width, height = size(series.overview)
    region = {"slice": choice.slice, **(choice.region or {})}
    left_out = answer.left_out
    return SeriesCard(
        overview=Picture(address=f"{base}/overview.png", width=width, height=height),
        slice=Picture(
            address=f"{base}/{choice.slice}.png{choice.query}",
            width=answer.columns,
            height=answer.rows,
        ),
        number=choice.slice,
        hidden=tuple((name, f"{value:g}") for name, value in region.items()),
        fields=form.numbers(choice) if fields is None else fields,
        contrast=form.contrast(said[1]),
        told=" · ".join(
            [
                *scanned(answer.scan),
                _(CONTRASTS[answer.scan.contrast]),
                _("%(count)s slices came", count=number(answer.received)),
            ]
        ),
        left_out=ngettext(
            "%(num)s file was left out: it is no slice of CT in Hounsfield units.",
            "%(num)s files were left out: they are no slices of CT in Hounsfield units.",
            left_out,
        )
        if left_out
        else "",
        differs=answer.patient == "differs",
        preview=None if preview is None else Measured.of(preview, settings),
        error=said[0],
    )
