"""Who has signed a result or found otherwise, and the two forms to do so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from service.errors import Fault
from service.language.formats import moment
from service.language.locale import N_, _
from service.medicine.osteoporosis.wording import HEADINGS
from service.reviews.schemas import (
    MAX_REASON,
    MAX_REVIEWER,
    MIN_REASON,
    MIN_REVIEWER,
    Action,
    Review,
    version,
)
from service.types import Outcome

FAULTS: Final[Mapping[str, str]] = {
    "missing": N_("This is needed."),
    "characters": N_("Some characters here are no text."),
    "choice": N_("Choose one of those listed."),
    "same_outcome": N_("This is the outcome as it stands; to agree with it, sign."),
    "unknown": N_("This form has no such field."),
}


VERSION: Final = "version"
"""The forms' field that says which reviews they were filled in over."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """One review as a line of text."""

    action: Action
    outcome: Outcome
    heading: str
    reviewer: str
    when: str
    when_iso: str
    reason: str | None

    @classmethod
    def of(cls, review: Review) -> Signed:
        return cls(
            action=review.action,
            outcome=review.outcome,
            heading=_(HEADINGS[review.outcome]),
            reviewer=review.reviewer,
            when=moment(review.created_at),
            when_iso=review.created_at.isoformat(),
            reason=review.reason,
        )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An outcome that an override may name."""

    code: Outcome
    label: str


@dataclass(frozen=True, kw_only=True)
class Signing:
    """Both forms: what was typed into one that could not be taken, and what is wrong with it."""

    choices: tuple[Choice, ...]
    version: str
    """The reviews that whoever fills in the form has seen."""
    meanwhile: tuple[Signed, ...] = ()
    """Those that were written while the form was filled in."""
    trouble: str = ""
    """Why a review could not be written down, where it is not to blame."""
    action: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    min_reviewer: int = MIN_REVIEWER
    max_reviewer: int = MAX_REVIEWER
    min_reason: int = MIN_REASON
    max_reason: int = MAX_REASON

    @classmethod
    def of(
        cls,
        outcome: Outcome,
        typed: Mapping[str, str] | None = None,
        faults: Sequence[Fault] = (),
        version: str | None = None,
        trouble: str = "",
    ) -> Signing:
        """``typed``, ``faults`` and ``trouble`` are of a form that was refused just now."""
        typed = typed or {}
        return cls(
            choices=tuple(
                Choice(code=code, label=_(heading))
                for code, heading in HEADINGS.items()
                if code != outcome
            ),
            version=version or "",
            trouble=trouble,
            action="override" if typed.get("action") == "override" else "sign" if typed else "",
            typed=typed,
            faults={fault.field: _fault(fault) for fault in faults},
        )

    @classmethod
    def beside(
        cls,
        outcome: Outcome,
        typed: Mapping[str, str],
        reviews: Sequence[Review],
        seen: str | None,
    ) -> Signing:
        """Both forms as they were sent, beside the ``reviews`` written since ``seen``.

        Sent once more it is added to the others', which by then have been seen.
        """
        return replace(
            cls.of(outcome, typed, version=version(reviews)),
            meanwhile=tuple(Signed.of(one) for one in _since(seen, reviews)),
        )


def _since(seen: str | None, reviews: Sequence[Review]) -> Sequence[Review]:
    return reviews[int(seen) :] if seen and seen.isdecimal() and len(seen) < 9 else reviews


def _fault(fault: Fault) -> str:
    if fault.code == "length":
        least, most = (
            (MIN_REVIEWER, MAX_REVIEWER) if fault.field == "reviewer" else (MIN_REASON, MAX_REASON)
        )
        return _("%(least)s to %(most)s characters, please.", least=least, most=most)
    return _(FAULTS[fault.code])
