"""Puts facts to the rules: what to consider, why and by whose word, and what is not known."""

from __future__ import annotations

import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from service.medicine.guidance.facts import Facts
from service.medicine.guidance.guidelines import GUIDELINES, REVIEW
from service.medicine.guidance.logic import Value
from service.medicine.guidance.rule import Kind
from service.medicine.guidance.rules import RULES

NOTE: Final = (
    "Research use only; not a diagnosis and not a treatment plan. From the facts that were entered "
    "and nothing else: no image, and no probability of one, is among them. A clinician decides."
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reason(_Part):
    """A fact that was entered and made a consideration show."""

    fact: str = Field(description="As in the request, parts joined by dots.")
    value: Value


class Source(_Part):
    """Who says so. Two sources that differ are two considerations."""

    id: str
    organisation: str
    title: str
    year: int | None
    source: str = Field(description="Where it can be read.")
    region: str
    checked: datetime.date = Field(description="When our words were last held against it.")


class Consideration(_Part):
    """What one guideline says that is worth considering here."""

    id: str = Field(description="Stable.")
    kind: Kind
    text: str = Field(description="English.")
    because: tuple[Reason, ...] = Field(description="Empty: it holds for nearly everybody.")
    guideline: Source
    strength: str | None = Field(description="The guideline's own grade; null where none is held.")
    verified: bool = Field(
        description="False: commonly stated, not re-read in a source. Verify before use."
    )


class Missing(_Part):
    """A fact that was not entered and would allow, or rule out, considerations."""

    fact: str
    considerations: tuple[str, ...] = Field(description="Ids of those that wait for it.")
    kinds: tuple[Kind, ...]


class Content(_Part):
    """Who keeps the rules, and until when their reading of the guidelines holds."""

    owner: str
    written: datetime.date
    review_due: datetime.date
    reviewed_by: str
    expired: bool = Field(description="True after review_due: verify everything before use.")


class Answer(_Part):
    """Research use only: considerations for a clinician, never a recommendation from an image."""

    considerations: tuple[Consideration, ...]
    missing: tuple[Missing, ...] = Field(description="What would decide most comes first.")
    content: Content
    note: str = NOTE


def consider(facts: Facts, today: datetime.date) -> Answer:
    """Return what there is to consider. The same facts give the same answer on the same day."""
    considerations = []
    waiting: dict[str, list[tuple[str, Kind]]] = {}
    for rule in RULES:
        found = rule.when(facts)
        for name in found.missing:
            waiting.setdefault(name, []).append((rule.id, rule.kind))
        if found.truth:
            guideline = GUIDELINES[rule.guideline]
            considerations.append(
                Consideration(
                    id=rule.id,
                    kind=rule.kind,
                    text=rule.text,
                    because=tuple(Reason(fact=it.fact, value=it.value) for it in found.because),
                    guideline=Source(
                        id=rule.guideline,
                        organisation=guideline.organisation,
                        title=guideline.title,
                        year=guideline.year,
                        source=guideline.source,
                        region=guideline.region,
                        checked=guideline.checked,
                    ),
                    strength=rule.strength,
                    verified=guideline.verified,
                )
            )
    missing = (
        Missing(
            fact=name,
            considerations=tuple(rule for rule, _ in rules),
            kinds=tuple(dict.fromkeys(kind for _, kind in rules)),
        )
        for name, rules in sorted(waiting.items(), key=lambda item: -len(item[1]))
    )
    return Answer(
        considerations=tuple(considerations),
        missing=tuple(missing),
        content=Content(
            owner=REVIEW.owner,
            written=REVIEW.written,
            review_due=REVIEW.review_due,
            reviewed_by=REVIEW.reviewed_by,
            expired=REVIEW.expired(today),
        ),
    )


EXAMPLE_FACTS: Final = {
    "age": 68,
    "sex": "female",
    "menopause": "postmenopausal",
    "t_scores": {"lumbar_spine": -2.1, "femoral_neck": -2.6},
    "fractures": [{"site": "forearm", "months_ago": 30}],
    "egfr": 33,
    "drug": "none",
}


def example() -> dict[str, Any]:
    """Return the answer to :data:`EXAMPLE_FACTS`, as the API documentation shows it."""
    answer = consider(Facts.model_validate(EXAMPLE_FACTS), REVIEW.written)
    return answer.model_dump(mode="json")
