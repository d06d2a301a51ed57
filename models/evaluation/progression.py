"""How well forecasts of BMD hold on patients who were not learnt from.

One case a patient, drawn by chance, so that intervals (a bootstrap by patient) are of people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.cohort.cases import Case, cases
from models.cohort.parameters import REFERENCE
from models.cohort.patient import Patient
from models.manifest import Estimate
from models.progression import series as rows
from models.progression.forecast import WITHIN, YEARS, Forecaster, Z
from models.progression.mixed import Mixed
from models.progression.recurrent import Recurrent
from models.progression.series import DRIFT, Floats
from models.progression.visit import YEAR

REPEATS: Final = 2000
HORIZONS: Final = ((0.0, 1.5), (1.5, 3.0), (3.0, 5.0))
"""Years after the last visit that was known."""

BASELINES: Final = ("last", "drift", "mixed")


@dataclass(frozen=True)
class Judged:
    """What each model said of each case, in g/cm²; ``truth`` is what was measured then."""

    truth: Floats
    years: Floats
    middle: Mapping[str, Floats]
    low: Mapping[str, Floats]
    high: Mapping[str, Floats]


def one_each(cases: Sequence[Case], seed: int) -> tuple[Case, ...]:
    """Return one case of each patient."""
    rng = np.random.default_rng(seed)
    of: dict[int, list[Case]] = {}
    for case in cases:
        of.setdefault(case.number, []).append(case)
    return tuple(found[rng.integers(len(found))] for found in of.values())


def judge(cases: Sequence[Case], models: Mapping[str, Forecaster], mixed: Mixed) -> Judged:
    """Return what ``models``, the last value and the drift with age say of ``cases``."""
    middle: dict[str, list[float]] = {"last": [], "drift": []}
    low: dict[str, list[float]] = {}
    high: dict[str, list[float]] = {}
    for case in cases:
        years = np.array([case.years])
        last = float(case.series.logs[-1])
        middle["last"].append(float(np.exp(last)))
        middle["drift"].append(float(np.exp(last + _drift(mixed, case))))
        for name, model in models.items():
            found = model.forecast(case.series, years)
            for kept, value in ((middle, found.middle), (low, found.low), (high, found.high)):
                kept.setdefault(name, []).append(float(value[0]))
    return Judged(
        truth=np.array([case.bmd for case in cases]),
        years=np.array([case.years for case in cases]),
        middle={name: np.array(values) for name, values in middle.items()},
        low={name: np.array(values) for name, values in low.items()},
        high={name: np.array(values) for name, values in high.items()},
    )


def _drift(mixed: Mixed, case: Case) -> float:
    """Return the change that age and sex alone let expect: the Z-score stays."""
    after = rows.ahead(case.series, np.array([case.years]))[0]
    now = rows.seen(case.series)[-1]
    return float((after - now)[DRIFT] @ np.array(mixed.effects[DRIFT]))


def error(judged: Judged, name: str) -> Estimate:
    """Return the mean absolute error in g/cm²."""
    return _estimate(np.abs(judged.middle[name] - judged.truth))


def better(judged: Judged, name: str, than: str) -> Estimate:
    """Return the share by which the mean absolute error of ``name`` is less than ``than``'s."""
    ours, theirs = (np.abs(judged.middle[one] - judged.truth) for one in (name, than))
    picks = _picks(len(ours))
    shares = 1 - ours[picks].mean(axis=1) / theirs[picks].mean(axis=1)
    return _interval(1 - float(ours.mean() / theirs.mean()), shares)


def coverage(judged: Judged, name: str, horizon: tuple[float, float] | None = None) -> Estimate:
    """Return the share of later scans that lie in the interval of nominal 90 %."""
    inside = (judged.low[name] <= judged.truth) & (judged.truth <= judged.high[name])
    if horizon is not None:
        inside = inside[(judged.years > horizon[0]) & (judged.years <= horizon[1])]
    return _estimate(inside.astype(float))


def widening(judged: Judged, name: str) -> float:
    """Return what intervals have to be multiplied with to hold 90 % of these cases."""
    half = np.log(judged.high[name] / judged.middle[name])
    off = np.abs(np.log(judged.truth / judged.middle[name]))
    return float(np.quantile(off / (half / Z), 0.90) / Z)


@dataclass(frozen=True)
class Reached:
    """Of the cases above a threshold: the share that truly came to it, and what was said of it."""

    years: int
    truly: float
    said: float
    brier: float
    brier_of_share: float
    """Of whoever says the same share of everybody."""


def reached(cases: Sequence[Case], model: Forecaster) -> tuple[Reached, ...]:
    """Return how well the chance of reaching T = −2.5 was told, within one, two and five years.

    Of simulated patients whose last scan is above it; nothing where there are none.
    """
    said: list[tuple[float, ...]] = []
    truly: list[list[bool]] = []
    for case in cases:
        visit = case.visits[-1]
        mean, deviation = REFERENCE[visit.machine.rpartition(" ")[0], case.patient.sex]
        limit = mean - 2.5 * deviation
        if visit.bmd <= limit:
            continue
        start = (visit.on - case.patient.visits[0].on).days / YEAR
        later = case.patient.true_bmd(visit, start + YEARS) <= limit
        first = YEARS[later.argmax()] if later.any() else np.inf
        said.append(model.reaching(case.series, limit).within)
        truly.append([bool(first <= years) for years in WITHIN])
    if not said:
        return ()
    told, found = np.array(said), np.array(truly, float)
    return tuple(
        Reached(
            years=years,
            truly=round(float(found[:, k].mean()), 4),
            said=round(float(told[:, k].mean()), 4),
            brier=round(float(((told[:, k] - found[:, k]) ** 2).mean()), 4),
            brier_of_share=round(float(found[:, k].mean() * (1 - found[:, k].mean())), 4),
        )
        for k, years in enumerate(WITHIN)
    )


@dataclass(frozen=True)
class Figures:
    """What a card says; ``chosen`` follows from the metrics."""

    judged: int
    chosen: str
    metrics: Mapping[str, Estimate]
    reached: tuple[Reached, ...]


def candidates(
    mixed: Mixed, network: Recurrent, widening: Mapping[str, float]
) -> dict[str, Forecaster]:
    """Return the models that are compared, by name."""
    return {
        "mixed": Forecaster(mixed=mixed, recurrent=None, widening=widening["mixed"]),
        "recurrent": Forecaster(mixed=mixed, recurrent=network, widening=widening["recurrent"]),
    }


def figures(models: Mapping[str, Forecaster], patients: Sequence[Patient], seed: int) -> Figures:
    """Return how good ``models`` are on ``patients``, of whom nobody was learnt from.

    The recurrent network is chosen where it beats every baseline with an interval above nought.
    """
    one = one_each(list(cases(patients)), seed)
    judged = judge(one, models, models["mixed"].mixed)
    against = {name: better(judged, "recurrent", name) for name in BASELINES}
    metrics = {
        **{f"error_{name}": error(judged, name) for name in judged.middle},
        **{f"better_than_last_{name}": better(judged, name, "last") for name in models},
        **{f"coverage_{name}": coverage(judged, name) for name in models},
        **{
            f"coverage_{name}_to_{horizon[1]:g}": coverage(judged, name, horizon)
            for name in models
            for horizon in HORIZONS
        },
        **{f"recurrent_better_than_{name}": one for name, one in against.items()},
    }
    lows = [found.low for found in against.values()]
    chosen = "recurrent" if all(low is not None and low > 0 for low in lows) else "mixed"
    is_simulated = all(patient.truth is not None for patient in patients)
    return Figures(
        judged=len(one),
        chosen=chosen,
        metrics=metrics,
        reached=reached(one, models[chosen]) if is_simulated else (),
    )


def _picks(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(20).integers(count, size=(REPEATS, count))


def _estimate(values: Floats) -> Estimate:
    if not len(values):
        return Estimate(None, None, None)
    return _interval(float(values.mean()), values[_picks(len(values))].mean(axis=1))


def _interval(value: float, drawn: Floats) -> Estimate:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(round(value, 5), round(float(low), 5), round(float(high), 5))
