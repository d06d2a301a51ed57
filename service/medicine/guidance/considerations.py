"""Puts facts to the rules: what to consider, why and by whose word, and what is not known."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from service.medicine.drugs import EVERY, Drug
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.guidelines import GUIDELINES, REVIEW
from service.medicine.guidance.logic import YES, Finding, Value
from service.medicine.guidance.rule import Kind, Rule
from service.medicine.guidance.rules import RULES, STANDING

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
    assumed: bool = Field(
        False, description="True: not entered, but assumed from the age; see `assumptions`."
    )


class Source(_Part):
    """Who says so. Two sources that differ are two considerations."""

    id: str
    organisation: str
    title: str
    year: int | None
    source: str = Field(description="Where it can be read.")
    region: str
    checked: datetime.date = Field(description="When our words were last held against it.")


class Named(_Part):
    """A drug that a consideration names, and whether anything entered forbids it."""

    drug: Drug
    forbidden: bool = Field(description="Contraindicated here: never to be read as a choice.")
    forbidden_by: tuple[str, ...] = Field(description="Ids of those contraindications.")


class Consideration(_Part):
    """What one guideline says that is worth considering here."""

    id: str = Field(description="Stable.")
    kind: Kind
    text: str = Field(description="English. It names no drug that `drugs` or `then` holds.")
    because: tuple[Reason, ...] = Field(description="Empty: it holds for nearly everybody.")
    guideline: Source
    strength: str | None = Field(description="The guideline's own grade; null where none is held.")
    verified: bool = Field(
        description="False: commonly stated, not re-read in a source. Verify before use."
    )
    drugs: tuple[Named, ...] = Field(
        description="Of a choice or a follow-up those that it names; of a contraindication or a "
        "caution those that it is about."
    )
    then: tuple[Named, ...] = Field(description="Those that it names to follow.")
    treats: bool = Field(description="Of a threshold: by it the guideline would treat.")
    forbidden: bool = Field(
        description="True: each drug that it names is contraindicated here, so the whole of it is "
        "no choice."
    )
    taken: bool = Field(
        description="Of a contraindication or a caution: the present drug is among its drugs."
    )


class DrugAdvice(_Part):
    """What is to be known of one drug here; none is without cautions."""

    drug: Drug
    taken: bool
    named_by: tuple[str, ...] = Field(description="Ids of the considerations that name it.")
    forbidden: bool
    contraindications: tuple[str, ...] = Field(description="Ids among the considerations.")
    cautions: tuple[str, ...] = Field(
        description="Ids among the considerations, for what was entered, then among `standing`."
    )


class Assumption(_Part):
    """What nobody entered and was taken to be so; a fact that is entered takes its place."""

    fact: str
    value: Value
    because: str = Field(description="The fact that it was assumed from.")


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
    drugs: tuple[DrugAdvice, ...] = Field(description="Every drug that is known here.")
    standing: tuple[Consideration, ...] = Field(
        description="Cautions that hold for their drugs whoever takes them."
    )
    assumptions: tuple[Assumption, ...]
    missing: tuple[Missing, ...] = Field(description="What would decide most comes first.")
    content: Content
    note: str = NOTE


def consider(facts: Facts, today: datetime.date) -> Answer:
    """Return what there is to consider. The same facts give the same answer on the same day."""
    found: list[tuple[Rule, Finding]] = []
    waiting: dict[str, list[tuple[str, Kind]]] = {}
    for rule in RULES:
        finding = rule.when(facts)
        for name in finding.missing:
            waiting.setdefault(name, []).append((rule.id, rule.kind))
        if finding.truth:
            found.append((rule, finding))
    forbidding = {
        drug: tuple(
            rule.id for rule, _ in found if rule.kind == "contraindication" and drug in rule.drugs
        )
        for drug in EVERY
    }
    considerations = tuple(_told(rule, finding, facts, forbidding) for rule, finding in found)
    missing = (
        Missing(
            fact=name,
            considerations=tuple(rule for rule, _ in rules),
            kinds=tuple(dict.fromkeys(kind for _, kind in rules)),
        )
        for name, rules in sorted(waiting.items(), key=lambda item: -len(item[1]))
    )
    return Answer(
        considerations=considerations,
        drugs=tuple(_advice(drug, facts, considerations, forbidding[drug]) for drug in EVERY),
        standing=tuple(_told(rule, YES, facts, forbidding) for rule in STANDING),
        assumptions=_assumptions(found),
        missing=tuple(missing),
        content=Content(
            owner=REVIEW.owner,
            written=REVIEW.written,
            review_due=REVIEW.review_due,
            reviewed_by=REVIEW.reviewed_by,
            expired=REVIEW.expired(today),
        ),
    )


NAMING: Final[tuple[Kind, ...]] = ("red_flag", "choice", "follow_up")
"""Kinds whose drugs are named to be taken."""


def _told(
    rule: Rule, finding: Finding, facts: Facts, forbidding: Mapping[Drug, tuple[str, ...]]
) -> Consideration:
    guideline = GUIDELINES[rule.guideline]

    def named(drugs: tuple[Drug, ...]) -> tuple[Named, ...]:
        return tuple(
            Named(drug=drug, forbidden=bool(forbidding[drug]), forbidden_by=forbidding[drug])
            for drug in drugs
        )

    drugs = named(rule.drugs)
    naming = rule.kind in NAMING
    return Consideration(
        id=rule.id,
        kind=rule.kind,
        text=rule.text,
        because=tuple(
            Reason(fact=it.fact, value=it.value, assumed=it.assumed) for it in finding.because
        ),
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
        drugs=drugs,
        then=named(rule.then),
        treats=rule.treats,
        forbidden=rule.kind == "choice" and all(it.forbidden for it in drugs),
        taken=not naming and facts.drug in rule.drugs,
    )


def _advice(
    drug: Drug,
    facts: Facts,
    considerations: tuple[Consideration, ...],
    forbidden: tuple[str, ...],
) -> DrugAdvice:
    def about(kinds: tuple[Kind, ...]) -> tuple[str, ...]:
        return tuple(
            one.id
            for one in considerations
            if one.kind in kinds and drug in {it.drug for it in (*one.drugs, *one.then)}
        )

    return DrugAdvice(
        drug=drug,
        taken=facts.drug == drug,
        named_by=about(NAMING),
        forbidden=bool(forbidden),
        contraindications=forbidden,
        cautions=(*about(("caution",)), *(rule.id for rule in STANDING if drug in rule.drugs)),
    )


def _assumptions(found: Iterable[tuple[Rule, Finding]]) -> tuple[Assumption, ...]:
    """Menopause is all that is ever assumed, and the age is what it is assumed from."""
    assumed = {it: None for _, finding in found for it in finding.because if it.assumed}
    return tuple(Assumption(fact=it.fact, value=it.value, because="age") for it in assumed)


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
