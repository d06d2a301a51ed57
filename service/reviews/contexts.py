"""Who has signed a result, or found otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from service.language.formats import moment
from service.language.locale import _
from service.medicine.osteoporosis.wording import HEADINGS
from service.reviews.schemas import Action, Review
from service.types import Outcome


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
    typed: bool
    """The name is one that was typed: nobody had signed in."""
    changed: bool
    """The result is not what was signed any more."""

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
            typed=review.person_id is None,
            changed=review.intact is False,
        )
