"""What a clinician says of a prediction. Until somebody has, every answer is preliminary.

Reviews are added and never changed: who signs, and later thinks otherwise, adds another. The
prediction itself stays as it was answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from service.types import Outcome

MIN_REVIEWER: Final = 2
MAX_REVIEWER: Final = 80
MIN_REASON: Final = 10
MAX_REASON: Final = 1000
"""Characters. A reason that nobody can understand later is none."""

Action = Literal["sign", "override"]
Fault = Literal["missing", "length", "characters", "choice", "same_outcome", "unknown"]
"""What is wrong with a field; pages have a sentence for each, in their language."""


class ReviewError(ValueError):
    """The review cannot be taken. ``faults`` names each field and what is wrong with it.

    Nothing that was sent is repeated.
    """

    def __init__(self, faults: Mapping[str, Fault]) -> None:
        super().__init__("; ".join(f"{name}: {ALLOWED[fault]}" for name, fault in faults.items()))
        self.faults = dict(faults)


ALLOWED: Final[Mapping[Fault, str]] = {
    "missing": "is missing",
    "length": f"reviewer takes {MIN_REVIEWER} to {MAX_REVIEWER} characters, reason {MIN_REASON} to "
    f"{MAX_REASON}",
    "characters": "holds characters that are no text",
    "choice": "action is sign or override; outcome is osteoporosis, normal, indeterminate or "
    "refused",
    "same_outcome": "an override names another outcome than the prediction's; agreeing is sign",
    "unknown": "is no field of this action",
}


def _line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("not one line of text")
    return text


def _lines(text: str) -> str:
    _line("".join(text.split()))
    return "\n".join(text.splitlines())


Reviewer = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=MIN_REVIEWER, max_length=MAX_REVIEWER),
    AfterValidator(_line),
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=MIN_REASON, max_length=MAX_REASON),
    AfterValidator(_lines),
]


class _Draft(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    reviewer: Reviewer = Field(description="Name or initials of the clinician who reviews.")


class Signature(_Draft):
    """The clinician agrees with the outcome."""

    action: Literal["sign"]
    reason: Reason | None = Field(default=None, description="A remark, if there is one.")


class Override(_Draft):
    """The clinician finds another outcome, and says why."""

    action: Literal["override"]
    outcome: Outcome = Field(description="What the clinician finds instead.")
    reason: Reason = Field(description="Why; shown wherever the result is.")


Draft = Annotated[Signature | Override, Field(discriminator="action")]
_DRAFT: Final[TypeAdapter[Signature | Override]] = TypeAdapter(Draft)


class Review(BaseModel):
    """A review as it was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=1, description="Which review of this prediction; the last one counts.")
    created_at: datetime
    action: Action
    outcome: Outcome = Field(description="The outcome as the clinician sees it.")
    reviewer: str
    reason: str | None


def version(reviews: Sequence[Review]) -> str:
    """Return what tells these reviews of a prediction from those after one more."""
    return str(len(reviews))


def draft(sent: Mapping[str, Any], outcome: Outcome) -> Signature | Override:
    """Return what was ``sent`` on a prediction of ``outcome``. Raises :class:`ReviewError`."""
    try:
        found = _DRAFT.validate_python(dict(sent))
    except ValidationError as error:
        raise ReviewError(_faults(error)) from None
    if isinstance(found, Override) and found.outcome == outcome:
        raise ReviewError({"outcome": "same_outcome"})
    return found


def _faults(error: ValidationError) -> dict[str, Fault]:
    kinds: dict[str, Fault] = {
        "missing": "missing",
        "string_too_short": "length",
        "string_too_long": "length",
        "literal_error": "choice",
        "union_tag_invalid": "choice",
        "union_tag_not_found": "choice",
        "extra_forbidden": "unknown",
    }
    faults: dict[str, Fault] = {}
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        names = [part for part in item["loc"] if part not in ("sign", "override")]
        # A name that is no field of ours is the sender's own text, and stays unsaid.
        known = names and str(names[0]) in ("reviewer", "outcome", "reason")
        unknown = item["type"] == "extra_forbidden" and not known
        name = "body" if unknown else str(names[0]) if known else "action"
        faults.setdefault(name, kinds.get(item["type"], "characters"))
    return faults


EXAMPLE: Final = {
    "number": 1,
    "created_at": "2026-02-03T10:12:44.031000Z",
    "action": "override",
    "outcome": "indeterminate",
    "reviewer": "A. Reader",
    "reason": "Marked degeneration at L3 and L4; the hip decides here.",
}
"""A review, shown in the API documentation."""
