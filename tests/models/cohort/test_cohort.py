"""Simulated patients go as the published figures say that people do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.cohort import parameters
from models.cohort.cases import cases
from models.cohort.cohort import cohort, digest
from models.cohort.parameters import HELD_OUT, TRAINING
from models.cohort.patient import STEP, Patient, natural
from models.cohort.regimen import Regimen, total
from models.progression.visit import YEAR

QUIET = replace(
    TRAINING, precision=(1e-6, 1e-6), treated=0.0, another_machine=0.0, slope=0.0, wandering=0.0,
    kilograms=0.0,
)  # fmt: skip


def test_a_seed_gives_the_same_patients_and_another_does_not() -> None:
    one, again, other = (cohort(seed, 20, TRAINING) for seed in (7, 7, 8))
    assert digest(one) == digest(again)
    assert digest(one) != digest(other)
    # Of whatever processor and library: the committed manifests name such digests.
    assert all(isinstance(visit.bmd, float) for visit in one[0].visits)


def test_swan_s_ten_years_around_menopause() -> None:
    times = np.arange(0, 10, 0.01)
    loss = natural("female", 49.0, times, 51.0)
    # From two years before to eight after; −7.38 % of it in the three years around.
    assert loss.sum() * 0.01 == pytest.approx(-0.106 - 0.017 - 0.03, abs=0.04)
    around = (times >= 1) & (times < 4)
    assert loss[around].sum() * 0.01 == pytest.approx(-0.0738, abs=0.001)


@pytest.mark.parametrize(
    ("drug", "years", "gain"),
    [
        ("bisphosphonate", 10, 0.137),
        ("denosumab", 2, 0.077),
        ("denosumab", 5, 0.137),
        ("parathyroid", 2, 0.107),
        ("romosozumab", 1, 0.134),
    ],
)
def test_drugs_gain_what_trials_report(drug: str, years: float, gain: float) -> None:
    taken = Regimen(drug, 0.0, 30.0, 1.0, followed=False)  # type: ignore[arg-type]  # one of the above
    assert np.expm1(total([taken], np.array([years])))[0] == pytest.approx(gain, abs=0.004)


def test_what_denosumab_gained_is_lost_unless_another_drug_follows() -> None:
    years = np.array([5.0, 6.0])
    alone = np.expm1(total([Regimen("denosumab", 0, 5, 1.0, followed=False)], years))
    assert (alone[0] - alone[1]) / (1 + alone[0]) == pytest.approx(0.0548, abs=0.02)
    kept = total([Regimen("denosumab", 0, 5, 1.0, followed=True)], years)
    assert kept[0] == kept[1]


def test_what_is_read_is_the_truth_and_the_precision_of_the_facility() -> None:
    noise = []
    for one in cohort(3, 150, replace(TRAINING, precision=(0.01, 0.01), habitus=0.0)):
        for visit in one.visits:
            years = (visit.on - one.visits[0].on).days / YEAR
            fewer = parameters.FEWER[len(visit.vertebrae)]
            noise.append((visit.bmd - one.true_bmd(visit, np.array([years]))[0]) / fewer)
    assert np.std(noise) == pytest.approx(0.01, rel=0.1)
    assert np.mean(noise) == pytest.approx(0.0, abs=0.001)


def test_untreated_women_lose_and_nobody_jumps() -> None:
    found = [one for one in cohort(4, 120, QUIET) if one.sex == "female"]
    change = [np.log(one.truth[int(4 / STEP)]) for one in found if one.truth is not None]
    assert -0.08 < np.mean(change) < -0.01


def test_another_machine_breaks_the_series() -> None:
    found = cohort(5, 80, replace(TRAINING, another_machine=0.3))
    assert any(len({visit.machine for visit in one.visits}) > 1 for one in found)
    for case in cases(found):
        assert len({(visit.machine, visit.vertebrae) for visit in case.visits}) == 1


def test_nothing_is_forecast_across_a_change_of_treatment_or_beyond_five_years() -> None:
    found = list(cases(cohort(6, 150, HELD_OUT)))
    assert found
    assert max(case.years for case in found) <= 5.0
    for case in found:
        assert len(case.series.times) >= 3


def test_nobody_knows_the_truth_of_people() -> None:
    one = cohort(1, 1, TRAINING)[0]
    person = Patient(sex=one.sex, precision=one.precision, visits=one.visits)
    with pytest.raises(ValueError, match="nobody knows"):
        person.true_bmd(one.visits[0], np.array([1.0]))
