"""What is told first, in a few lines: everything in it is said again below with its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.language.formats import listing
from service.language.locale import N_, _
from service.medicine.drugs import NAMES
from service.medicine.guidance.considerations import Answer, Consideration
from service.medicine.guidance.drug_contexts import short
from service.medicine.guidance.words import label

RANGES: Final[Mapping[str, str]] = {
    "who-classes.osteoporosis": N_("in the range of osteoporosis (−2.5 or lower)"),
    "esceo-2019.low-mass": N_("in the range of low bone mass (between −2.5 and −1.0)"),
    "who-classes.normal": N_("in the normal range (−1.0 or higher); that rules nothing out"),
    "iscd-2005.z-score": N_("the Z-score is read, no class by T-score"),
    "iscd-2005.whose-score": N_("no class named: sex, age or menopause is not known"),
}
"""The first that holds, by the id of its rule."""

MOST_GAPS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Empty: there is nothing of it to say."""

    range: str
    treating: str
    """Whose thresholds are met."""
    choices: tuple[str, ...]
    """Drugs that a guideline begins with and nothing entered forbids."""
    forbidden: tuple[str, ...]
    """Drugs that a guideline names, to begin with or to follow, and something entered forbids."""
    nothing_left: bool
    """Guidelines name drugs to begin with, and all of them are forbidden."""
    taken: str
    taken_forbidden: bool
    gaps: str

    @classmethod
    def of(cls, answer: Answer, found: Sequence[Consideration]) -> Summary:
        ids = {it.id for it in found}
        chosen = [it for one in found if one.kind == "choice" for it in one.drugs]
        begun = {it.drug for it in chosen}
        advice = [it for it in answer.drugs if it.named_by]
        choices = tuple(_(NAMES[it.drug]) for it in advice if it.drug in begun and not it.forbidden)
        taken = next((it for it in answer.drugs if it.taken), None)
        return cls(
            range=next((_(words) for id, words in RANGES.items() if id in ids), ""),
            treating=listing(short(it for it in found if it.treats)),
            choices=choices,
            forbidden=tuple(_(NAMES[it.drug]) for it in advice if it.forbidden),
            nothing_left=bool(begun) and not choices,
            taken=_(NAMES[taken.drug]) if taken else "",
            taken_forbidden=bool(taken and taken.forbidden),
            gaps=listing(label(it.fact) for it in answer.missing[:MOST_GAPS]),
        )
