"""Drugs as pages show them: each with what forbids it beside its name, and with its cautions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from service.language.locale import _
from service.medicine.drugs import NAMES
from service.medicine.guidance.considerations import Answer, Consideration, DrugAdvice, Named
from service.medicine.guidance.guidelines import GUIDELINES
from service.medicine.guidance.words import label, shown


@dataclass(frozen=True, kw_only=True)
class NamedDrug:
    """A drug within a consideration; ``why`` says what forbids it, empty where nothing does."""

    name: str
    forbidden: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A contraindication or a caution, beside its drug."""

    text: str
    because: str
    source: str
    strength: str
    verified: bool


@dataclass(frozen=True, kw_only=True)
class DrugRow:
    id: str
    name: str
    forbidden: bool
    taken: bool
    by: str
    """Whose choice it is, in short."""
    contraindications: tuple[Statement, ...]
    cautions: tuple[Statement, ...]
    """For what was entered."""
    standing: tuple[Statement, ...]
    """For whoever takes it."""


@dataclass(frozen=True, kw_only=True)
class Drugs:
    """``named`` are those that a guideline names here, and the one that is taken now."""

    named: tuple[DrugRow, ...]
    others: tuple[DrugRow, ...]

    @classmethod
    def of(cls, answer: Answer) -> Drugs:
        told = {one.id: one for one in (*answer.considerations, *answer.standing)}
        standing = {one.id for one in answer.standing}
        rows = [(it.taken or bool(it.named_by), _row(it, told, standing)) for it in answer.drugs]
        return cls(
            named=tuple(row for is_named, row in rows if is_named),
            others=tuple(row for is_named, row in rows if not is_named),
        )


def _row(
    advice: DrugAdvice, told: Mapping[str, Consideration], standing: Collection[str]
) -> DrugRow:
    return DrugRow(
        id=advice.drug,
        name=_(NAMES[advice.drug]),
        forbidden=advice.forbidden,
        taken=advice.taken,
        by=", ".join(short(told[id] for id in advice.named_by)),
        contraindications=tuple(_statement(told[id]) for id in advice.contraindications),
        cautions=tuple(_statement(told[id]) for id in advice.cautions if id not in standing),
        standing=tuple(_statement(told[id]) for id in advice.cautions if id in standing),
    )


def short(considerations: Iterable[Consideration]) -> tuple[str, ...]:
    """Return what clinicians call those who say so, each once."""
    names = (GUIDELINES[it.guideline.id].short for it in considerations)
    return tuple(dict.fromkeys(name for name in names if name))


def _statement(it: Consideration) -> Statement:
    return Statement(
        text=_(it.text),
        because=because(it),
        source=f"{source(it)} ({_(it.guideline.source)})",
        strength=_(it.strength) if it.strength else "",
        verified=it.verified,
    )


def named(drugs: Iterable[Named], answer: Answer) -> tuple[NamedDrug, ...]:
    """Return drugs as a consideration names them; one that is forbidden says by which facts."""
    told = {it.id: it for it in answer.considerations}
    return tuple(
        NamedDrug(
            name=_(NAMES[it.drug]),
            forbidden=it.forbidden,
            why="; ".join(
                dict.fromkeys(because(told[id]) or _(told[id].text) for id in it.forbidden_by)
            ),
        )
        for it in drugs
    )


def because(it: Consideration) -> str:
    """Return the facts that make a consideration show, in words."""

    def reason(fact: str, words: str, assumed: bool) -> str:
        said = f"{label(fact)}: {words}"
        return _("%(reason)s (assumed from the age)", reason=said) if assumed else said

    return "; ".join(
        reason(one.fact, shown(one.fact, one.value), one.assumed) for one in it.because
    )


def source(it: Consideration) -> str:
    year = f", {it.guideline.year}" if it.guideline.year else ""
    return f"{_(it.guideline.organisation)}: {_(it.guideline.title)}{year}"
