"""Considerations for facts that somebody entered. The image's probability has no way in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.errors import Fault
from service.language.locale import N_, _, ngettext
from service.medicine.guidance import Answer, Consideration, Facts
from service.medicine.guidance.form import NO_SYMPTOM, groups, label, shown
from service.medicine.guidance.rule import Kind
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


@dataclass(frozen=True, kw_only=True)
class Line:
    """One consideration, as it is shown."""

    text: str
    because: str
    source: str
    reference: str
    strength: str
    verified: bool


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
    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]

    @classmethod
    def of(cls, facts: Facts, answer: Answer) -> Considered:
        return cls(
            entered=tuple(_entered(facts)),
            groups=tuple(
                Group(kind=kind, title=_(title), lines=lines)
                for kind, title in KINDS.items()
                if (lines := tuple(_line(it) for it in answer.considerations if it.kind == kind))
            ),
            gaps=tuple(
                _gap(
                    it.fact, len(it.considerations), ", ".join(_(KINDS[kind]) for kind in it.kinds)
                )
                for it in answer.missing
            ),
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

    @classmethod
    def of(
        cls,
        article: Article,
        expired: bool,
        sent: Mapping[str, str],
        faults: Mapping[str, Fault],
        considered: Considered | None,
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
        )


def _line(consideration: Consideration) -> Line:
    guideline = consideration.guideline
    year = f", {guideline.year}" if guideline.year else ""
    return Line(
        text=_(consideration.text),
        because="; ".join(
            f"{label(it.fact)}: {shown(it.fact, it.value)}" for it in consideration.because
        ),
        source=f"{guideline.organisation}: {guideline.title}{year}",
        reference=guideline.source,
        strength=_(consideration.strength) if consideration.strength else "",
        verified=consideration.verified,
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
        elif name == "fractures":
            lines += [_fracture(item) for item in value] or [f"{label(name)}: {_('none')}"]
        else:
            lines.append(f"{label(name)}: {shown(name, value)}")
    return lines


def _fracture(item: Mapping[str, str | int | bool]) -> str:
    details = [
        f"{label(f'fractures.{part}')}: {shown(f'fractures.{part}', item[part])}"
        for part in ("months_ago", "on_therapy")
        if part in item
    ]
    return "; ".join([f"{label('fractures')}: {shown('fractures', item['site'])}", *details])
