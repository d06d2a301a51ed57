"""Cards: what is stored, in few words. Never an outcome that nobody has signed, never a number of a
model: a probability alone says nothing that anybody should act on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import uuid4

from service.exams.schemas import Exam
from service.integration.cds.schemas import REASONS, REASONS_SYSTEM
from service.medicine.drugs import EVERY, Drug
from service.medicine.guidance import Answer, Consideration
from service.medicine.osteoporosis.wording import HEADINGS
from service.medicine.progression.precision import Precision
from service.predictions.schemas import Prediction

LONGEST: Final = 139
"""Characters of a summary (CDS Hooks 2.0: fewer than 140)."""
MOST: Final = 3
"""Results that are told of one by one, the newest."""
MONTHS: Final = 12
"""Between two scans: ISCD Official Positions 2019 (adult, serial BMD measurement): typically one
year after a therapy was begun or changed, longer once its effect is established."""
SOURCE: Final = "osteoserve, research use only"
NOTE: Final = "Research use only; not a diagnosis. Preliminary until a clinician has signed."
GUIDING: Final = ("red_flag", "threshold", "referral", "follow_up")
_CONSIDERED: Final = 6

DXA: Final = frozenset(
    {
        # LOINC: DXA of the spine, and panels.
        "38269-7", "24966-4", "83311-1", "38267-1", "83012-5", "83014-1",
        # CPT: axial, with and without vertebral fracture assessment.
        "77080", "77085", "77086",
        # SNOMED CT: bone density scan.
        "312681000",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """A result and what was entered about its exam."""

    exam: Exam
    prediction: Prediction

    @property
    def day(self) -> date:
        return self.exam.acquired_on or self.prediction.created_at.date()

    @property
    def is_signed(self) -> bool:
        return self.prediction.review is not None


@dataclass(frozen=True)
class Advised:
    """What guidelines say of the facts that were entered about an exam."""

    known: Known
    answer: Answer


def of_patient(
    results: Sequence[Known], advised: Advised | None, public_url: str | None
) -> list[dict[str, Any]]:
    """Return the cards of a patient whose chart is opened; ``results``: the newest first."""
    cards = [_result(one, public_url) for one in results[:MOST]]
    guided = [] if advised is None else list(_guiding(advised.answer))
    if advised is not None and guided:
        cards.append(
            _card(
                f"Guidelines on the facts of the spine DXA of {advised.known.day.isoformat()}",
                "info",
                _listed(guided),
                _link("Considerations", f"/results/{advised.known.prediction.id}/treatment",
                      public_url),
            )
        )  # fmt: skip
    return cards


def of_scan(
    last: Known, today: date, precision: Precision, advised: Advised | None, orders: Sequence[str],
    public_url: str | None,
) -> dict[str, Any]:  # fmt: skip
    """Return the card of an order of another scan."""
    months = max((today.year - last.day.year) * 12 + today.month - last.day.month, 0)
    is_early = months < MONTHS
    said = [f"Last spine DXA that is kept here: {last.day.isoformat()}."]
    levels = len(last.exam.vertebrae or ())
    if 2 <= levels <= 4:
        least = precision.least_significant_change(levels)
        said.append(
            f"On the same scanner and the same {levels} vertebrae a change of less than "
            f"{least:.3f} g/cm² cannot be told from none (95 %)."
        )
    said.append(
        "ISCD (2019): typically one year after a therapy was begun or changed; longer once its "
        "effect is established."
    )
    if advised is not None:
        follow = [one for one in advised.answer.considerations if one.kind == "follow_up"]
        said += [_sentence(one) for one in follow[:_CONSIDERED]]
    card = _card(
        f"The last spine DXA was {_ago(months)}, on {last.day.isoformat()}",
        "warning" if is_early else "info",
        "\n".join(f"- {one}" for one in said),
        _link("That result", f"/results/{last.prediction.id}", public_url),
    )
    if is_early and orders:
        card["suggestions"] = [
            {
                "label": "Leave the order out",
                "uuid": str(uuid4()),
                "actions": [
                    {
                        "type": "delete",
                        "description": "Remove the order of another scan.",
                        "resourceId": one,
                    }
                    for one in orders
                ],
            }
        ]
        card["selectionBehavior"] = "at-most-one"
    return card


def of_drug(drug: Drug, advised: Advised, public_url: str | None) -> dict[str, Any]:
    """Return the card of an order of a drug: what forbids it here, and what to watch with it."""
    answer = advised.answer
    (advice,) = (one for one in answer.drugs if one.drug == drug)
    every = {one.id: one for one in (*answer.considerations, *answer.standing)}
    against = [every[id] for id in advice.contraindications]
    watch = [every[id] for id in advice.cautions]
    name = drug.replace("_iv", " (into a vein)").replace("_", " ")
    summary = (
        f"{name.capitalize()}: contraindicated by a fact that was entered"
        if against
        else f"{name.capitalize()}: what to look at first"
    )
    return _card(
        summary,
        "warning" if against else "info",
        _listed([*against, *watch][:_CONSIDERED]),
        _link("Considerations", f"/results/{advised.known.prediction.id}/treatment", public_url),
    )


def codes(order: dict[str, Any] | Any) -> frozenset[str]:
    """Return the codes of an order, of whatever system."""
    return frozenset(one["code"] for one in _codings(order) if isinstance(one.get("code"), str))


def drugs(order: dict[str, Any] | Any) -> tuple[Drug, ...]:
    """Return which drugs that are known here an order names in words."""
    concept = order.get("medicationCodeableConcept")
    texts = [one.get("display") for one in _codings(order)]
    texts.append(concept.get("text") if isinstance(concept, dict) else None)
    said = " ".join(one.lower() for one in texts if isinstance(one, str))[:2000]
    found = [drug for drug in EVERY if drug.partition("_iv")[0].replace("_", " ") in said]
    if "ibandronate" in found and any(word in said for word in ("intraven", "inject", "infus")):
        found.remove("ibandronate")
    elif "ibandronate_iv" in found:
        found.remove("ibandronate_iv")
    return tuple(found)


def _codings(order: Any) -> Iterator[dict[str, Any]]:
    for name in ("code", "medicationCodeableConcept"):
        concept = order.get(name)
        listed = concept.get("coding") if isinstance(concept, dict) else None
        for one in (listed if isinstance(listed, list) else [])[:20]:
            if isinstance(one, dict):
                yield one


def _result(one: Known, public_url: str | None) -> dict[str, Any]:
    day, review = one.day.isoformat(), one.prediction.review
    if review is not None:
        summary = f"Spine DXA of {day}, signed: {HEADINGS[review.outcome].lower()}"
        said = f"A clinician has {'overridden' if review.action == 'override' else 'signed'} it."
    elif one.prediction.outcome == "refused":
        summary = f"Spine DXA of {day}: the image could not be judged"
        said = "The image could be read, but an answer would have been a guess."
    else:
        summary = f"Spine DXA of {day} waits for a reader"
        said = "It was analysed, and nobody has signed it yet: no outcome is told before."
    if one.exam.t_score is not None:
        said += f" T-score as the scanner reported it: {one.exam.t_score:.1f}."
    return _card(
        summary, "info", said, _link("Result", f"/results/{one.prediction.id}", public_url)
    )


def _guiding(answer: Answer) -> Iterator[Consideration]:
    for kind in GUIDING:
        for one in answer.considerations:
            # What holds for nearly everybody is no news.
            if one.kind == kind and one.because and not one.forbidden:
                yield one


def _listed(considerations: Iterable[Consideration]) -> str:
    kept = list(considerations)[:_CONSIDERED]
    return "\n".join(f"- {_sentence(one)}" for one in kept)


def _sentence(one: Consideration) -> str:
    named = ", ".join(it.drug for it in one.drugs if not it.forbidden)
    year = f" {one.guideline.year}" if one.guideline.year else ""
    said = f"{one.text} ({one.guideline.organisation}{year})"
    return f"{said}: {named}" if named and one.kind in ("red_flag", "follow_up") else said


def _ago(months: int) -> str:
    if months < 1:
        return "this month"
    return f"{months} month{'s' if months > 1 else ''} ago"


def _link(label: str, path: str, public_url: str | None) -> list[dict[str, str]]:
    """Return a link for people; none where nobody knows under which name the front is reached."""
    if public_url is None:
        return []
    return [{"label": label, "url": public_url.rstrip("/") + path, "type": "absolute"}]


def _card(summary: str, indicator: str, detail: str, links: list[dict[str, str]]) -> dict[str, Any]:
    card: dict[str, Any] = {
        "uuid": str(uuid4()),
        "summary": summary[:LONGEST],
        "indicator": indicator,
        "detail": f"{detail}\n\n{NOTE}",
        "source": {"label": SOURCE},
        "overrideReasons": [
            {"code": code, "system": REASONS_SYSTEM, "display": display}
            for code, display in REASONS.items()
        ],
    }
    if links:
        card["links"] = links
    return card
