"""Results without identifiers, for research: a line a result, and a manifest of what was done.

Patients and results have numbers that are made with a key of the export's own: who has not the key
cannot tell who is meant, nor put two exports together. All dates of a patient are shifted by the
same number of days, so that intervals stay. What is not named in :data:`FIELDS` is not exported.
Small groups stay small: whoever shares the file answers for that.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from service.exams import repository as exams
from service.exams.schemas import Exam
from service.identity.actor import Actor, Within
from service.predictions import repository as predictions
from service.predictions.query import MOST, Query
from service.predictions.schemas import Prediction
from service.storage.errors import UnreadableError
from service.storage.transaction import Transactions
from service.types import BASES
from service.worklist import repository as worklist
from service.worklist.schemas import Entry

OLD: Final = 90
"""Ages from here on are one group (45 CFR 164.514(b)(2)(i)(C): over 89)."""

SHIFT_DAYS: Final = 365
"""Dates are shifted into the past by 1 to so many days."""

VENDORS: Final = ("hologic", "ge", "lunar", "norland", "dms", "medilink", "osteosys", "fonar")
"""What is typed as a vendor may be anything: only what begins as one of these is passed on."""

FIELDS: Final = (
    "patient", "result", "judged_on", "acquired_on", "age_years", "sex", "scanner_vendor",
    "bmd_g_cm2", "vertebrae", "t_score", "outcome", "probability", "threshold", "band",
    "degraded", "missing", *(f"probability_{name}" for name in BASES), "accepted",
    "reasons", "findings", "recipe", "version", "reviewed", "reviewed_outcome", "retired",
)  # fmt: skip

OF_EXAM: Final = frozenset({"acquired_on", "age_years", "sex", "bmd_g_cm2", "vertebrae", "t_score"})
"""Facts that are passed on as they are, but for dates and old age."""

WITHHELD: Final = frozenset(
    {
        "patient_reference", "patient_issuer", "scanner", "patient_key", "prediction_id",
        "measured", "from_scanner", "modalities", "z_score", "regions", "entered_by",
        # Who is treated with what since when, beside a weight, tells people apart.
        "weight_kg", "drug", "drug_since", "fracture",
    }
)  # fmt: skip
"""Facts that are not, or in part."""

WITHHELD_OF_POINTS: Final = frozenset(
    {"number", "kept_at", "by", "person_id", "vertebrae", "pixel_aspect"}
)
"""Of points that a reader keeps of a lateral image nothing is passed on: such an image was refused,
and its line says why."""

DONE: Final = (
    "numbers of patients and results made with a key of this export alone",
    f"dates shifted by 1 to {SHIFT_DAYS} days into the past, a patient's all by the same",
    "times of day removed",
    f"ages over {OLD - 1} given as {OLD}+",
    "serial numbers, references, hashes and names of files, reviewers and what they wrote removed",
    "vendors given where they are known ones",
    "no image and no outline in it",
)
"""What the manifest says of it."""


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """What hides who is who in one export."""

    key: bytes

    def number(self, use: str, id: UUID) -> str:
        """Return the number of what has this ``id``: 16 hexadecimal digits."""
        return self._made(use, id).hex()[:16]

    def shifted(self, day: date, whose: UUID) -> date:
        days = int.from_bytes(self._made("shift", whose)[:4], "big") % SHIFT_DAYS + 1
        return day - timedelta(days=days)

    def _made(self, use: str, id: UUID) -> bytes:
        return hmac.new(self.key, use.encode() + b"/" + id.bytes, hashlib.sha256).digest()


def line(
    keyed: Keyed, prediction: Prediction, exam: Exam | None, entry: Entry | None = None
) -> dict[str, Any]:
    """Return a result under :data:`FIELDS`, with nothing that says whose it is."""
    whose = prediction.id if exam is None or exam.patient_key is None else exam.patient_key
    facts = Exam.model_validate({"prediction_id": prediction.id}) if exam is None else exam
    review = prediction.review
    age = facts.age_years
    findings = prediction.vertebrae.findings if prediction.vertebrae else ()
    taken = facts.acquired_on
    return {
        "patient": keyed.number("patient", whose),
        "result": keyed.number("result", prediction.id),
        "judged_on": keyed.shifted(prediction.created_at.date(), whose).isoformat(),
        "acquired_on": None if taken is None else keyed.shifted(taken, whose).isoformat(),
        "age_years": age if age is None or age < OLD else f"{OLD}+",
        "sex": facts.sex,
        "scanner_vendor": _vendor(facts),
        "bmd_g_cm2": facts.bmd_g_cm2,
        "vertebrae": None if facts.vertebrae is None else list(facts.vertebrae),
        "t_score": facts.t_score,
        "outcome": prediction.outcome,
        "probability": _rounded(prediction.probability),
        "threshold": _rounded(prediction.threshold),
        "band": None if prediction.band is None else [_rounded(one) for one in prediction.band],
        "degraded": prediction.degraded,
        "missing": list(prediction.missing),
        **{
            f"probability_{name}": _rounded(
                prediction.models[name].probability if name in prediction.models else None
            )
            for name in BASES
        },
        "accepted": prediction.quality.accepted,
        "reasons": list(prediction.quality.reasons),
        "findings": [*prediction.quality.findings, *(one.code for one in findings)],
        "recipe": prediction.recipe,
        "version": prediction.version,
        "reviewed": None if review is None else review.action,
        "reviewed_outcome": None if review is None else review.outcome,
        "retired": None if entry is None else entry.retired_reason,
    }


def as_csv(found: Mapping[str, Any]) -> str:
    """Return one line of a table; lists have blanks between."""
    out = io.StringIO()
    csv.writer(out).writerow([_cell(found[name]) for name in FIELDS])
    return out.getvalue()


def head() -> str:
    return ",".join(FIELDS) + "\r\n"


def as_json(found: Mapping[str, Any]) -> str:
    return json.dumps(found, separators=(",", ":")) + "\n"


async def lines(
    transactions: Transactions, actor: Actor, keyed: Keyed, query: Query
) -> AsyncIterator[dict[str, Any]]:
    """Yield every result of the actor's site that ``query`` asks for and this version can read."""
    within = Within(site=actor.site)
    asked = query.model_copy(update={"sort": "oldest", "limit": MOST, "retired": None})
    while True:
        async with transactions.read() as connection:
            found, following = await predictions.page(connection, within, asked)
            for one in found:
                if isinstance(one, Prediction):
                    try:
                        exam = await exams.get(connection, within, one.id)
                    except UnreadableError:
                        exam = None
                    entry = await worklist.get(connection, within, one.id)
                    yield line(keyed, one, exam, entry)
        if following is None:
            return
        asked = asked.model_copy(update={"after": following.cursor()})


def _vendor(facts: Exam) -> str | None:
    if facts.scanner is None:
        return None
    first = facts.scanner.vendor.casefold().split()[0]
    return first if first in VENDORS else "other"


def _rounded(value: float | None) -> float | None:
    # So many digits that no two results share them would be a number of the result.
    return None if value is None else round(value, 3)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
