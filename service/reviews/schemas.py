"""What a clinician says of a prediction. Until somebody has, every answer is preliminary.

Reviews are added and never changed: who signs, and later thinks otherwise, adds another, or one
that withdraws. A comment leaves what stands. The prediction itself stays as it was answered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from service.errors import Fault, FieldsError
from service.http import validation
from service.types import Outcome

MIN_REVIEWER: Final = 2
MAX_REVIEWER: Final = 80
MIN_REASON: Final = 10
MAX_REASON: Final = 1000
"""Characters. A reason that nobody can understand later is none."""

Action = Literal["sign", "override", "comment", "withdraw"]
Opinion = Literal["sign", "override"]
Method = Literal["password", "provider", "two_factors", "passkey"]
FaultCode = Literal[
    "missing", "length", "characters", "choice", "same_outcome", "unknown", "not_signed"
]
"""What is wrong with a field; pages have a sentence for each, in their language."""


OPINIONS: Final[tuple[Opinion, ...]] = get_args(Opinion)
"""Actions that say what the outcome is."""


class ReviewError(FieldsError):
    """The review cannot be taken."""

    code = "invalid_review"


ALLOWED: Final[Mapping[FaultCode, str]] = {
    "missing": "is missing",
    "length": f"reviewer takes {MIN_REVIEWER} to {MAX_REVIEWER} characters, reason {MIN_REASON} to "
    f"{MAX_REASON}",
    "characters": "holds characters that are no text",
    "choice": "action is sign, override, comment or withdraw; outcome is osteoporosis, normal, "
    "indeterminate or refused",
    "same_outcome": "an override names another outcome than the prediction's; agreeing is sign",
    "unknown": "is no field of this action",
    "not_signed": "is of a result that nobody has signed: there is nothing to withdraw",
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

    reviewer: Reviewer | None = Field(
        default=None,
        description="Name or initials of the clinician who reviews: needed where nobody signs in, "
        "and refused from an account, which signs by its own name.",
    )


class Signature(_Draft):
    """The clinician agrees with the outcome."""

    action: Literal["sign"]
    reason: Reason | None = Field(default=None, description="A remark, if there is one.")


class Override(_Draft):
    """The clinician finds another outcome, and says why."""

    action: Literal["override"]
    outcome: Outcome = Field(description="What the clinician finds instead.")
    reason: Reason = Field(description="Why; shown wherever the result is.")


class Comment(_Draft):
    """The clinician says something of the result and leaves open whether they agree."""

    action: Literal["comment"]
    reason: Reason = Field(description="What they say.")


class Withdrawal(_Draft):
    """What was signed or overridden last does not stand any more; the result is preliminary."""

    action: Literal["withdraw"]
    reason: Reason = Field(description="Why; shown wherever the reviews are.")


AnyDraft = Signature | Override | Comment | Withdrawal
Draft = Annotated[AnyDraft, Field(discriminator="action")]
_DRAFT: Final[TypeAdapter[AnyDraft]] = TypeAdapter(Draft)


class Review(BaseModel):
    """A review as it was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(
        ge=1,
        description="Which review of this prediction; the last one that signs or overrides counts, "
        "unless it was withdrawn after it.",
    )
    created_at: datetime
    action: Action
    outcome: Outcome = Field(
        description="The outcome as the clinician sees it; of a comment or a withdrawal, as it "
        "stood or stands."
    )
    reviewer: str = Field(description="Their name, as it was when they signed.")
    reason: str | None
    person_id: UUID | None = Field(
        default=None,
        description="Whose account it was; null: the name was typed, before there were accounts or "
        "where nobody signs in.",
    )
    method: Method | None = Field(
        default=None,
        description="How they had proved who they are, minutes before at most: here, or where an "
        "identity provider signs them in.",
    )
    document_sha256: str | None = Field(
        default=None, description="Of the result as it was when they signed."
    )
    intact: bool | None = Field(
        default=None,
        description="Whether the result is still what they signed; null where that was not kept.",
    )


KEPT: Final = tuple(name for name in Review.model_fields if name != "intact")
"""What a row has of a review; the rest is found out when it is read."""


def digest(document: object) -> str:
    """Return the SHA-256 of a stored result, which no order of fields changes."""
    plain = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def held_against(review: Review, document: object) -> Review:
    """Return ``review`` with what became of the result since."""
    if review.document_sha256 is None:
        return review
    return review.model_copy(update={"intact": review.document_sha256 == digest(document)})


def standing(reviews: Iterable[Review]) -> Review | None:
    """Return the review that counts of all of a prediction's, the first one first.

    None: the result is preliminary, since nobody has signed it or whoever had has withdrawn it.
    """
    found: Review | None = None
    for one in reviews:
        if one.action in OPINIONS:
            found = one
        elif one.action == "withdraw":
            found = None
    return found


def version(reviews: Sequence[Review]) -> str:
    """Return what tells these reviews of a prediction from those after one more."""
    return str(len(reviews))


def draft(sent: Mapping[str, Any]) -> AnyDraft:
    """Return the review that was ``sent``. Raises :class:`ReviewError`."""
    try:
        return _DRAFT.validate_python(dict(sent))
    except ValidationError as error:
        raise ReviewError(_faults(error)) from None


def fault(field: str, code: FaultCode) -> Fault:
    return Fault(field, code, ALLOWED[code])


_CODES: Final[Mapping[str, FaultCode]] = {
    "missing": "missing",
    "string_too_short": "length",
    "string_too_long": "length",
    "literal_error": "choice",
    "union_tag_invalid": "choice",
    "union_tag_not_found": "choice",
    "extra_forbidden": "unknown",
}
_FIELDS: Final = ("reviewer", "outcome", "reason")


def _faults(error: ValidationError) -> Iterator[Fault]:
    errors = error.errors(include_url=False)
    for found in validation.faults(errors, lambda _: "", known=_FIELDS):
        # An action's fields are named below it.
        name = found.field.partition(".")[2]
        unknown = found.code == "extra_forbidden" and not name
        yield fault("body" if unknown else name or "action", _CODES.get(found.code, "characters"))


EXAMPLE: Final = {
    "number": 1,
    "created_at": "2026-02-03T10:12:44.031000Z",
    "action": "override",
    "outcome": "indeterminate",
    "reviewer": "A. Reader",
    "reason": "Marked degeneration at L3 and L4; the hip decides here.",
    "person_id": "3c1f0d52-7e0b-4f4b-9a36-5d0f1c7f2b18",
    "method": "password",
    "document_sha256": "6e" * 32,
    "intact": True,
}
"""A review, shown in the API documentation."""
