"""Considerations for facts that somebody entered. The image's probability has no way in here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from service.errors import Fault
from service.exams.measured_contexts import MeasuredTable
from service.exams.measured_contexts import named as measured_by
from service.exams.schemas import Exam
from service.language import locale as language
from service.language.formats import listing
from service.language.locale import N_, _, ngettext
from service.medicine.guidance import Answer, Consideration, Facts
from service.medicine.guidance.drug_contexts import Drugs, NamedDrug, because, named, source
from service.medicine.guidance.form import groups
from service.medicine.guidance.rule import Kind
from service.medicine.guidance.study import Origin, origins
from service.medicine.guidance.summary import Summary
from service.medicine.guidance.words import NO_SYMPTOM, label, shown
from service.medicine.modalities.settings import ModalitySettings
from service.medicine.modalities.view import ModalitiesCard, entry
from service.web.articles import Article
from service.web.forms import FieldGroup
from service.web.page import Page

KINDS: Final[Mapping[Kind, str]] = {
    "red_flag": N_("Red flags"),
    "range": N_("Range of bone density"),
    "threshold": N_("Who would treat, or test"),
    "choice": N_("Which drug guidelines begin with"),
    "contraindication": N_("What speaks against a drug"),
    "caution": N_("Care with a drug"),
    "follow_up": N_("What comes after"),
    "referral": N_("Referral"),
    "lifestyle": N_("Lifestyle"),
}
"""Headings, in the order of the page."""

FIRST: Final[Mapping[str, str]] = {"de": "dvo"}
"""By language, whose guideline stands first in each group: that of the country."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One consideration, as it is shown."""

    text: str
    because: str
    source: str
    reference: str
    strength: str
    verified: bool
    drugs: tuple[NamedDrug, ...]
    """Those that it names to be taken; of what forbids or warns none, it names them itself."""
    then: tuple[NamedDrug, ...]
    forbidden: bool


@dataclass(frozen=True, kw_only=True)
class Group:
    kind: Kind
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A fact that was not entered, and what it would decide."""

    label: str
    decides: str


@dataclass(frozen=True, kw_only=True)
class Considered:
    """What the facts gave."""

    entered: tuple[str, ...]
    assumed: tuple[str, ...]
    red_flags: tuple[Line, ...]
    taken: tuple[Line, ...]
    """What forbids the drug that is taken now."""
    summary: Summary
    drugs: Drugs
    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]

    @classmethod
    def of(cls, facts: Facts, answer: Answer) -> Considered:
        found = local_first(answer.considerations)
        lines = {
            kind: tuple(_line(it, answer) for it in found if it.kind == kind) for kind in KINDS
        }
        return cls(
            entered=tuple(_entered(facts)),
            assumed=tuple(
                _(
                    "%(fact)s: “%(value)s” is assumed from the age, since nothing was entered.",
                    fact=label(it.fact),
                    value=shown(it.fact, it.value),
                )
                for it in answer.assumptions
            ),
            red_flags=lines["red_flag"],
            taken=tuple(
                _line(it, answer) for it in found if it.taken and it.kind == "contraindication"
            ),
            summary=Summary.of(answer, found),
            drugs=Drugs.of(answer),
            groups=tuple(
                Group(kind=kind, title=_(title), lines=lines[kind])
                for kind, title in KINDS.items()
                if kind != "red_flag" and lines[kind]
            ),
            gaps=tuple(
                _gap(
                    it.fact, len(it.considerations), ", ".join(_(KINDS[kind]) for kind in it.kinds)
                )
                for it in answer.missing
            ),
        )


def local_first(found: Sequence[Consideration]) -> tuple[Consideration, ...]:
    """Return the considerations, those of the country whose language is spoken first."""
    first = FIRST.get(language.current().code)
    return tuple(
        sorted(found, key=lambda it: first is None or not it.guideline.id.startswith(first))
    )


def _gap(fact: str, number: int, kinds: str) -> Gap:
    return Gap(
        label=label(fact),
        decides=ngettext(
            "decides %(num)s consideration: %(kinds)s",
            "decides %(num)s considerations: %(kinds)s",
            number,
            kinds=kinds,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class FaultLine:
    """A fault in the summary above the form; ``field`` is the id that it leads to."""

    field: str
    label: str
    text: str


@dataclass(frozen=True, kw_only=True)
class TreatmentPage(Page):
    templates = ("treatment.html",)

    article: Article
    expired: bool
    """The rules or the text are past their review."""
    groups: tuple[FieldGroup, ...]
    faults: tuple[FaultLine, ...]
    considered: Considered | None
    study: str = ""
    """The address of the result whose study's facts are filled in."""
    origins: tuple[str, ...] = ()
    """Whose word those facts are."""
    conflicts: tuple[str, ...] = ()
    """Facts that are kept otherwise than the scanner says."""
    others: ModalitiesCard | None = None
    """What CT and ultrasound measured of that exam; nothing of its image."""

    @classmethod
    def of(
        cls,
        article: Article,
        expired: bool,
        sent: Mapping[str, str],
        faults: Mapping[str, Fault],
        considered: Considered | None,
        study: str = "",
    ) -> TreatmentPage:
        """``sent`` is what the form came with, ``faults`` is empty where it could be read."""
        form = groups(sent, faults)
        return cls(
            article=article,
            expired=expired,
            groups=form,
            faults=tuple(
                FaultLine(field=field.id, label=field.label, text=field.error)
                for group in form
                for field in group.fields
                if field.error
            )
            + tuple(
                FaultLine(field="facts", label=label("body"), text=_(faults[name].sentence))
                for name in faults
                if name == "body"
            ),
            considered=considered,
            study=study,
        )


def of_exam(page: TreatmentPage, exam: Exam, limits: ModalitySettings) -> TreatmentPage:
    """Return ``page`` with whose word the exam's facts are, and what contradicts them."""
    # Without the outcome: what is considered has nothing of the image beside it.
    others = ModalitiesCard.of(exam, None, limits)
    measured = MeasuredTable.of(exam)
    return replace(
        page,
        origins=tuple(_origins(exam, limits)),
        conflicts=() if measured is None else measured.conflicts,
        others=others if others.entered else None,
    )


def _origins(exam: Exam, limits: ModalitySettings) -> Iterator[str]:
    whose: dict[str, list[str]] = {}
    for one in origins(exam, limits):
        whose.setdefault(_whose(one), []).append(label(one.field))
    for said, facts in whose.items():
        yield f"{listing(facts)}: {said}"


def _whose(one: Origin) -> str:
    if one.entry is not None:
        return entry(one.entry)
    if one.report is not None:
        return _("As the scanner says (%(report)s).", report=measured_by(one.report))
    return _("Entered, or told by the image’s own file.")


def _line(consideration: Consideration, answer: Answer) -> Line:
    naming = consideration.kind not in ("contraindication", "caution")
    return Line(
        text=_(consideration.text),
        because=because(consideration),
        source=source(consideration),
        reference=_(consideration.guideline.source),
        strength=_(consideration.strength) if consideration.strength else "",
        verified=consideration.verified,
        drugs=named(consideration.drugs, answer) if naming else (),
        then=named(consideration.then, answer),
        forbidden=consideration.forbidden,
    )


def _entered(facts: Facts) -> list[str]:
    lines = []
    for name, value in facts.model_dump(exclude_none=True).items():
        if name in ("t_scores", "z_scores"):
            lines += [
                f"{label(f'{name}.{site}')}: {shown(f'{name}.{site}', score)}"
                for site, score in value.items()
            ]
        elif name == "symptoms":
            words = ", ".join(shown(name, item) for item in value) or _(NO_SYMPTOM)
            lines.append(f"{label(name)}: {words}")
        elif name in ("fractures", "earlier_drugs"):
            lines += [_row(name, item) for item in value] or [f"{label(name)}: {_('none')}"]
        else:
            lines.append(f"{label(name)}: {shown(name, value)}")
    return lines


def _row(name: str, item: Mapping[str, str | int | bool]) -> str:
    """A row of a list: what it is, then how long ago and whatever else was entered."""
    what = {"fractures": ("site", name), "earlier_drugs": ("drug", f"{name}.drug")}
    head, words = what[name]
    details = [
        f"{label(f'{name}.{part}')}: {shown(f'{name}.{part}', value)}"
        for part, value in item.items()
        if part != head
    ]
    return "; ".join([f"{label(name)}: {shown(words, item[head])}", *details])
