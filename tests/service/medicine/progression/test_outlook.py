"""What studies say of the years to come, and why they may not."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from service.exams.schemas import Exam
from service.medicine.progression import history
from service.medicine.progression.outlook import Outlook, outlook
from service.medicine.progression.precision import Precision

PRECISION = Precision(spine_g_cm2=Decimal("0.010"))
ALL = ("L1", "L2", "L3", "L4")


def exam(years: float, bmd: float, **facts: Any) -> Exam:
    told = {
        "prediction_id": uuid4(),
        "acquired_on": date(2015, 1, 1) + timedelta(days=round(365.25 * years)),
        "bmd_g_cm2": bmd,
        "scanner": {"vendor": "Hologic", "serial": "DX-1"},
        "vertebrae": ALL,
        "sex": "female",
        "age_years": 66 + int(years),
        "t_score": -1.8,
        "drug": "none",
        **facts,
    }
    return Exam.model_validate(told)


def three(**facts: Any) -> list[Exam]:
    return [exam(0, 0.90, **facts), exam(2, 0.89, **facts), exam(4, 0.87, **facts)]


def told(*exams: Exam) -> Outlook:
    return outlook(exams, PRECISION)


def test_one_study_tells_nothing() -> None:
    found = told(exam(0, 0.9))
    assert (found.rate, found.forecast, found.missing) == (None, None, ("no_comparable_studies",))
    assert told().missing == ("no_comparable_studies",)


def test_two_give_a_rate_and_no_forecast() -> None:
    found = told(exam(0, 0.90), exam(2, 0.88))
    assert found.rate is not None
    assert found.rate.value == pytest.approx(-0.01, abs=1e-4)
    # 1.645 × 0.010 × √2 over two years.
    assert found.rate.high - found.rate.value == pytest.approx(1.645 * 0.01 * 2**0.5 / 2, rel=1e-3)
    assert (found.forecast, found.missing) == (None, ("third_study",))


def test_three_give_a_forecast_of_five_years() -> None:
    found = told(*three())
    assert found.forecast is not None
    assert (found.forecast.years[-1], found.missing) == (5.0, ())
    assert (found.forecast.low < found.forecast.high).all()
    assert 0.75 < found.forecast.middle[-1] < 0.90
    assert found.model is not None
    assert found.model.simulated


def test_another_machine_begins_a_series_of_its_own() -> None:
    there = {"vendor": "Hologic", "serial": "DX-2"}
    found = told(*three(), exam(5, 0.90, scanner=there))
    assert (found.rate, found.missing) == (None, ("no_comparable_studies",))
    again = told(*three(), exam(5, 0.90, scanner=there), exam(6, 0.89, scanner=there))
    assert [one.bmd_g_cm2 for one in again.history.alike] == [0.90, 0.89]
    assert again.missing == ("third_study",)


def test_other_vertebrae_begin_a_series_of_their_own() -> None:
    found = told(*three(), exam(5, 0.90, vertebrae=("L1", "L2", "L4")))
    assert found.missing == ("no_comparable_studies",)


def test_fewer_vertebrae_are_measured_less_precisely() -> None:
    few = three(vertebrae=("L1", "L2"))
    series, fewer = history.of(three(), PRECISION).series, history.of(few, PRECISION).series
    assert series is not None
    assert fewer is not None
    assert (series.precision, fewer.precision) == pytest.approx((0.010, 0.0124))


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ({"sex": None}, "sex"),
        ({"age_years": None}, "age"),
        ({"drug": "raloxifene"}, "drug_without_model"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_model_must_know(facts: dict[str, Any], missing: str) -> None:
    found = told(*three(**facts))
    assert found.forecast is None
    assert missing in found.missing
    assert found.rate is not None


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ({"t_score": None}, "t_score"),
        ({"t_score": -2.5}, "at_threshold"),
        ({"age_years": 44}, "t_score_does_not_apply"),
        ({"scanner": {"vendor": "Norland", "serial": "1"}}, "scanner_without_reference"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_when_t_is_reached_is_told_only_where_it_can_be(
    facts: dict[str, Any], missing: str
) -> None:
    found = told(*three(**facts))
    assert found.forecast is not None
    assert (found.reaching, found.missing) == (None, (missing,))


def test_the_nearer_the_sooner() -> None:
    near, far = (told(*three(t_score=score)).reaching for score in (-2.4, -1.0))
    assert near is not None
    assert far is not None
    assert near.within[0] > far.within[0] + 0.1
    assert near.within[0] <= near.within[1] <= near.within[2]
    assert near.quantiles[0] is not None
    # At −1.0, 0.165 g/cm² would have to go: nobody on earth loses a fifth in a year.
    assert far.within[0] == 0.0


def test_makers_deviations_differ() -> None:
    lunar = {"vendor": "GE Lunar", "serial": "1"}
    assert told(*three(scanner=lunar)).threshold == pytest.approx(0.87 - 0.12 * 0.7)
    assert told(*three()).threshold == pytest.approx(0.87 - 0.11 * 0.7)


def test_where_nothing_was_entered_no_drug_is_assumed_and_said() -> None:
    assert told(*three(drug=None)).history.is_drug_assumed
    assert not told(*three()).history.is_drug_assumed


def test_a_drug_that_was_entered_once_goes_on_until_it_is_denied() -> None:
    exams = [
        exam(0, 0.9),
        exam(2, 0.92, drug="alendronate", drug_since=date(2015, 3, 1)),
        exam(4, 0.93, drug=None),
    ]
    series = history.of(exams, PRECISION).series
    assert series is not None
    (taken,) = series.plan
    assert taken.drug == "bisphosphonate"
    assert taken.start == pytest.approx(59 / 365.25, abs=0.01)


def test_the_response_is_judged_by_the_least_significant_change() -> None:
    since = date(2015, 2, 1)
    on = {"drug": "denosumab", "drug_since": since}
    # LSC 0.0277: 0.028 reaches it, 0.027 does not.
    gained = told(exam(0, 0.900), exam(2, 0.928, **on)).response
    held = told(exam(0, 0.900), exam(2, 0.927, **on)).response
    lost = told(exam(0, 0.900), exam(2, 0.872, **on)).response
    assert gained is not None
    assert held is not None
    assert lost is not None
    assert [one.change.verdict for one in (gained, held, lost)] == [
        "gain", "no_significant_change", "loss",
    ]  # fmt: skip
    assert (gained.drug, gained.since) == ("denosumab", since)


def test_the_response_begins_at_the_last_study_before_the_drug() -> None:
    on = {"drug": "denosumab", "drug_since": date(2017, 2, 1)}
    exams = [exam(0, 0.95), exam(2, 0.90), exam(4, 0.94, **on)]
    found = told(*exams).response
    assert found is not None
    assert found.change.earlier == exams[1].prediction_id
    assert told(exam(0, 0.9), exam(2, 0.9)).response is None


def test_without_its_artefact_all_else_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(tmp_path))
    found = told(*three())
    assert found.rate is not None
    assert (found.forecast, found.missing) == (None, ("model",))
