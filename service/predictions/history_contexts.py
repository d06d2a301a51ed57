"""A result in a list, and the question before one is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from service.errors import ServiceError
from service.language.formats import moment
from service.language.locale import N_, _
from service.medicine.osteoporosis.view import probability, told
from service.medicine.osteoporosis.wording import HEADINGS
from service.predictions.schemas import (
    DELETION_REASONS,
    DeletionReason,
    NoReasonError,
    Prediction,
    SignedError,
)
from service.types import Outcome
from service.web.forms import Field, options
from service.web.page import Page


class Hidden(Protocol):
    """A result that is kept and cannot be read here."""

    @property
    def id(self) -> UUID: ...

    @property
    def created_at(self) -> datetime: ...


@dataclass(frozen=True, kw_only=True)
class HistoryRow:
    id: str
    short: str
    """The beginning of the id: enough to tell results apart by eye."""
    created: str
    created_iso: str
    outcome: Outcome | None
    """None: the row cannot be read here."""
    heading: str
    found: Outcome | None
    """What a clinician found instead of it."""
    found_heading: str
    probability: str | None
    degraded: bool
    review: str
    """What a clinician said last, in a word."""
    signed: bool
    """Whether a clinician is known to have said anything."""

    @classmethod
    def of(cls, prediction: Prediction | Hidden) -> HistoryRow:
        known = {
            "id": str(prediction.id),
            "short": str(prediction.id)[:8],
            "created": moment(prediction.created_at),
            "created_iso": prediction.created_at.isoformat(),
        }
        if not isinstance(prediction, Prediction):
            return cls(
                **known,
                outcome=None,
                heading=_("Cannot be read here"),
                found=None,
                found_heading="",
                probability=None,
                degraded=False,
                review="",
                signed=False,
            )
        review = prediction.review
        found = review.outcome if review is not None and review.action == "override" else None
        return cls(
            **known,
            outcome=told(prediction),
            heading=_(HEADINGS[told(prediction)]),
            found=found,
            found_heading=_(HEADINGS[found]) if found else "",
            probability=probability(prediction.probability),
            degraded=prediction.degraded,
            review=_reviewed(prediction),
            signed=prediction.review is not None,
        )


_REASONS: Final[Mapping[str, str]] = {
    "": N_("Choose"),
    "duplicate": N_("The image was sent twice"),
    "quality": N_("The image should not have been used"),
    "wrong_patient": N_("It was filed under another patient"),
    "test": N_("It was a test"),
    "erasure": N_("The patient asks for it"),
    "retention": N_("It was kept as long as it must be"),
}


def deletion_reason(sent: Mapping[str, str]) -> DeletionReason | None:
    """Return the reason in a form; None where there is none, or one that is not listed."""
    return next((one for one in DELETION_REASONS if one == sent.get("reason")), None)


@dataclass(frozen=True, kw_only=True)
class DeletePage(Page):
    """Nothing is deleted by a link: this page asks first."""

    templates = ("delete.html",)
    section = "/history"

    row: HistoryRow
    reason: Field
    signed: bool
    """Whether it is kept, whoever asks."""

    @classmethod
    def of(cls, prediction: Prediction | Hidden, error: ServiceError | None = None) -> DeletePage:
        """``error``: why it was not deleted just now."""
        row = HistoryRow.of(prediction)
        reason = Field(
            name="reason",
            id="reason",
            label=_("Why"),
            kind="select",
            options=options(_REASONS, ""),
            error=_("This is needed.") if isinstance(error, NoReasonError) else "",
            required=True,
        )
        signed = row.signed or isinstance(error, SignedError)
        return cls(row=row, reason=reason, signed=signed)


def _reviewed(prediction: Prediction) -> str:
    if prediction.review is None:
        return _("Preliminary")
    if prediction.review.action == "sign":
        return _("Signed")
    return _("Overridden")
