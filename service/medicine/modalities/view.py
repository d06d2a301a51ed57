"""What each modality says, side by side, in words: ``modalities`` on pages and on the sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from service.exams.schemas import Exam
from service.language.formats import day, listing, number, zone
from service.language.locale import _
from service.medicine.modalities.compared import compared
from service.medicine.modalities.ct.view import Lines as CtLines
from service.medicine.modalities.ct.view import of as ct
from service.medicine.modalities.entered import Entry
from service.medicine.modalities.fusion import Agreement, Fusion
from service.medicine.modalities.settings import ModalitySettings
from service.medicine.modalities.ultrasound.view import Lines
from service.medicine.modalities.ultrasound.view import of as ultrasound
from service.medicine.modalities.voice import SOURCES, Reading, Source, Voice
from service.medicine.modalities.wording import CODES, READINGS
from service.medicine.modalities.wording import SOURCES as NAMES
from service.medicine.osteoporosis.wording import HEADINGS
from service.types import Outcome


@dataclass(frozen=True, kw_only=True)
class VoiceRow:
    """``value`` is what was measured, ``reading`` what it reads, ``notes`` what is to be known."""

    source: Source
    name: str
    value: str
    reading: str
    counts: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ModalitiesCard:
    """What ``result/modalities.html`` shows; ``rows`` are present, ``missing`` names the others.

    ``ct_by`` and ``ultrasound_by`` say who entered them and when; empty where that is not known.
    """

    id: str
    rows: tuple[VoiceRow, ...]
    agreement: Agreement
    said: str
    missing: str
    ct: CtLines | None
    ct_by: str
    ultrasound: Lines | None
    ultrasound_by: str

    @property
    def entered(self) -> bool:
        """Whether there is more than DXA."""
        return self.ct is not None or self.ultrasound is not None

    @property
    def details(self) -> tuple[str, ...]:
        """Devices and formulae, for where there is no room for more."""
        found: list[str] = []
        if self.ct is not None:
            found.append(f"{self.ct.place}. {self.ct.scan}. {self.ct_by}".rstrip())
        if self.ultrasound is not None:
            told = f"{self.ultrasound.device}. {self.ultrasound_by}"
            found += [told.rstrip(), self.ultrasound.formula]
        return tuple(one for one in found if one)

    @classmethod
    def of(cls, exam: Exam, outcome: Outcome | None, settings: ModalitySettings) -> ModalitiesCard:
        """Without ``outcome`` the image has no row: where treatment is considered."""
        found = compared(exam, outcome, settings)
        measured = exam.modalities.ultrasound
        return cls(
            id=str(exam.prediction_id),
            rows=tuple(_row(one, exam, outcome) for one in found.voices if one.present),
            agreement=found.agreement,
            said=agreement(found),
            missing=listing(_(NAMES[one]) for one in SOURCES if one in found.missing),
            ct=None if exam.modalities.ct is None else ct(exam.modalities.ct),
            ct_by=entry(exam.modalities.ct_entry),
            ultrasound=None if measured is None else ultrasound(measured),
            ultrasound_by=entry(exam.modalities.ultrasound_entry),
        )


def entry(found: Entry | None) -> str:
    """Return in a sentence who entered a measurement and when; empty where that is not known."""
    if found is None:
        return ""
    on = day(found.at.astimezone(zone()))
    if found.by is None:
        return _("Entered on %(day)s.", day=on)
    return _("Entered by %(name)s on %(day)s.", name=found.by, day=on)


def agreement(found: Fusion) -> str:
    """Return in a sentence what the voices have in common."""
    low, not_low, between = (
        listing(_(NAMES[one]) for one in sources)
        for sources in (found.low, found.not_low, found.between)
    )
    match found.agreement:
        case "none":
            return _("Nothing of it can be read by a limit that holds for it.")
        case "alone":
            return _("Only one can be read; there is nothing to compare it with.")
        case "agree":
            reading: Reading = "low" if found.low else "not_low"
            said = READINGS[reading]
            return _("All that can be read agree: %(reading)s.", reading=_(said))
        case "open":
            return _("None contradicts another; left open by: %(sources)s.", sources=between)
        case "conflict":
            return _(
                "They contradict each other. Low: %(low)s. Not low: %(not_low)s. Neither outvotes "
                "the other.",
                low=low,
                not_low=not_low,
            )


def _row(voice: Voice, exam: Exam, outcome: Outcome | None) -> VoiceRow:
    reading = _(READINGS[voice.reading]) if voice.counts and voice.reading else _("not read")
    return VoiceRow(
        source=voice.source,
        name=_(NAMES[voice.source]),
        value="; ".join(_values(voice.source, exam, outcome)),
        reading=reading,
        counts=voice.counts,
        notes=tuple(_(CODES[code]) for code in (*voice.against, *voice.notes)),
    )


def _values(source: Source, exam: Exam, outcome: Outcome | None) -> Iterator[str]:
    if source == "t_score" and exam.t_score is not None:
        yield number(exam.t_score, 1, signed=True)
    if source == "image" and outcome is not None:
        yield _(HEADINGS[outcome])
    if source == "ct" and exam.modalities.ct is not None:
        yield ct(exam.modalities.ct).number
    if source == "ultrasound" and exam.modalities.ultrasound is not None:
        yield from ultrasound(exam.modalities.ultrasound).numbers
