"""What a patient's studies say of the years to come: rate, response, forecast, and when T ≤ −2.5.

T-scores are never computed from a BMD (domain.md §1.2). The BMD at which T is −2.5 is told by the
scanner's own T-score of the newest study: from there it lies so many of its maker's young adults'
standard deviations down. What that deviation is nobody tells for one scanner, so the doubt of it is
part of the distribution (domain.md §6.4).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import hypot, sqrt
from typing import Final

from models.artifact import ArtifactError
from models.progression import loading
from models.progression.forecast import Forecast, Rate, Reaching, rate
from service.exams.schemas import Exam
from service.medicine.densitometry import OSTEOPOROSIS, applies
from service.medicine.drugs import Drug
from service.medicine.progression import history
from service.medicine.progression.change import Change, compare
from service.medicine.progression.history import History, Missing
from service.medicine.progression.precision import Precision
from telemetry.journal import log

DEVIATIONS: Final = {"hologic": 0.110, "ge": 0.12, "lunar": 0.12}
"""Standard deviation of young adults at L1–L4 in g/cm², by the maker's name (domain.md §1.2)."""
DOUBT: Final = 0.1
"""As a share: what a scanner's own table may have otherwise (domain.md §6.4)."""
_PRINTED: Final = 0.1 / sqrt(12)
"""Standard deviation of what rounding to one decimal takes from a T-score."""


@dataclass(frozen=True, kw_only=True)
class Response:
    """The change since a drug was begun, against the least significant change."""

    drug: Drug
    since: date | None
    change: Change


@dataclass(frozen=True, kw_only=True)
class Model:
    """What was asked; ``simulated``: it was made of simulated patients alone."""

    version: str
    kind: str
    simulated: bool


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """``missing`` says why what is None is not told. ``threshold`` is BMD at T = −2.5, about."""

    history: History
    rate: Rate | None = None
    response: Response | None = None
    forecast: Forecast | None = None
    reaching: Reaching | None = None
    threshold: float | None = None
    model: Model | None = None
    missing: tuple[Missing, ...] = ()


def outlook(exams: Sequence[Exam], precision: Precision) -> Outlook:
    """Return what ``exams`` of one patient say of the years to come."""
    found = history.of(exams, precision)
    if found.series is None:
        return Outlook(history=found, missing=found.missing)
    told = Outlook(
        history=found,
        rate=rate(found.series),
        response=_response(found.alike, precision),
        missing=found.missing,
    )
    if not found.can_forecast:
        return told
    try:
        served = loading.served()
    except ArtifactError as error:
        log(logging.WARNING, "progression is not served", error=str(error))
        return replace(told, missing=("model",))
    model = served.model
    kind = "mixed" if model.recurrent is None else "recurrent"
    last = found.alike[-1]
    limit = _threshold(last)
    told = replace(
        told,
        forecast=model.forecast(found.series),
        model=Model(version=served.version, kind=kind, simulated=served.is_simulated),
    )
    if not isinstance(limit, tuple):
        return replace(told, missing=(limit,))
    threshold, doubt = limit
    return replace(
        told, threshold=threshold, reaching=model.reaching(found.series, threshold, doubt)
    )


def _response(alike: Sequence[Exam], precision: Precision) -> Response | None:
    """Return the change on the drug of the newest study; None where none is taken."""
    last = alike[-1]
    drug = last.drug
    if drug is None or drug == "none":
        return None
    since = last.drug_since
    earlier = alike[:-1]
    on_it = [exam for exam in earlier if exam.drug == drug]
    if since is not None:
        before = [exam for exam in earlier if exam.acquired_on and exam.acquired_on <= since]
        after = [exam for exam in earlier if exam.acquired_on and exam.acquired_on > since]
        start = before[-1] if before else (after[0] if after else None)
    else:
        start = on_it[0] if on_it else None
    if start is None:
        return None
    return Response(drug=drug, since=since, change=compare(start, last, precision))


def _threshold(last: Exam) -> tuple[float, float] | Missing:
    """Return BMD at T = −2.5 and its standard deviation, or why there is none."""
    if last.t_score is None or last.bmd_g_cm2 is None:
        return "t_score"
    if applies(last.sex, last.age_years, None).score != "t":
        return "t_score_does_not_apply"
    if last.t_score <= OSTEOPOROSIS:
        return "at_threshold"
    names = last.scanner.vendor.casefold().split() if last.scanner else []
    deviation = next((DEVIATIONS[name] for name in names if name in DEVIATIONS), None)
    if deviation is None:
        return "scanner_without_reference"
    distance = deviation * (last.t_score - OSTEOPOROSIS)
    return last.bmd_g_cm2 - distance, hypot(deviation * _PRINTED, DOUBT * distance)
