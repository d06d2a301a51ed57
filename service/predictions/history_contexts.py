"""The list of results, and the question before one is deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import urlencode
from uuid import UUID

from service.errors import ServiceError
from service.language.formats import moment
from service.language.locale import N_, _
from service.medicine.osteoporosis.view import probability, told
from service.medicine.osteoporosis.wording import HEADINGS
from service.predictions.query import Query
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

_ANY: Final = {"": N_("Any")}
_OUTCOMES: Final[Mapping[str, str]] = {**_ANY, **dict(HEADINGS.items())}
_MODELS: Final[Mapping[str, str]] = {
    **_ANY,
    "false": N_("All models answered"),
    "true": N_("Degraded: a model is missing"),
}
_REVIEWED: Final[Mapping[str, str]] = {
    **_ANY,
    "true": N_("Reviewed"),
    "false": N_("Preliminary: not yet reviewed"),
}
_SORTS: Final[Mapping[str, str]] = {
    "newest": N_("Newest first"),
    "oldest": N_("Oldest first"),
    "highest": N_("Highest probability first"),
    "lowest": N_("Lowest probability first"),
}


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


def _filters(query: Query) -> tuple[Field, ...]:
    """Return the fields of the form above the list, with what it was sent with."""

    def choice(name: str, label: str, labels: Mapping[str, str], chosen: str) -> Field:
        return Field(
            name=name, id=name, label=label, kind="select", value=chosen,
            options=options(labels, chosen),
        )  # fmt: skip

    def date(name: str, label: str, value: object) -> Field:
        return Field(name=name, id=name, label=label, kind="date", value=str(value or ""))

    def text(name: str, label: str, value: str | None, pattern: str) -> Field:
        return Field(name=name, id=name, label=label, value=value or "", pattern=pattern)

    return (
        choice("outcome", _("Outcome"), _OUTCOMES, query.outcome or ""),
        choice("degraded", _("Models"), _MODELS, _choice(query.degraded)),
        choice("reviewed", _("Review"), _REVIEWED, _choice(query.reviewed)),
        choice("sort", _("Order"), _SORTS, query.sort),
        date("from", _("Analysed from"), query.since),
        date("to", _("Analysed until"), query.until),
        text("id", _("Result number begins with"), query.id, r"[0-9a-f\-]{1,36}"),
        text("image", _("SHA-256 of the file"), query.image, "[0-9a-f]{64}"),
    )


@dataclass(frozen=True, kw_only=True)
class HistoryPage(Page):
    templates = ("history.html",)

    rows: tuple[HistoryRow, ...]
    filters: tuple[Field, ...]
    narrowed: bool
    """Whether the filters leave anything out."""
    start: str | None
    """Where the list begins, when this is not its first page."""
    following: str | None

    @classmethod
    def of(
        cls, query: Query, found: Sequence[Prediction | Hidden], following: str | None
    ) -> HistoryPage:
        kept = query.model_dump(
            mode="json", by_alias=True, exclude={"after"}, exclude_defaults=True
        )
        return cls(
            rows=tuple(HistoryRow.of(one) for one in found),
            filters=_filters(query),
            narrowed=bool(kept.keys() - {"sort", "limit"}),
            start=None if query.after is None else _address(kept),
            following=None if following is None else _address({**kept, "after": following}),
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


def _choice(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _address(parameters: Mapping[str, object]) -> str:
    told = {
        name: _choice(value) if isinstance(value, bool) else value
        for name, value in parameters.items()
    }
    return "/history" + ("?" + urlencode(told) if told else "")
