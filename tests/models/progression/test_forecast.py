"""The mixed model and what is told from it, against numbers that are known otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from models.progression.forecast import YEARS, Forecaster, Z, rate
from models.progression.mixed import Mixed
from models.progression.series import COLUMNS, KNOTS, design, seen
from tests.models.progression.kit import PRECISION, flat, series, visit, years

THREE = (visit(0, 1.0), visit(2, 0.98), visit(4, 0.96))


def model(mixed: Mixed | None = None, widening: float = 1.0) -> Forecaster:
    return Forecaster(mixed=mixed or flat(), recurrent=None, widening=widening)


def test_the_rate_of_a_straight_line_is_its_slope() -> None:
    found = rate(series(*THREE))
    assert found.value == pytest.approx(-0.01, abs=1e-4)
    # Standard error of a slope: precision / √Σ(t − mean)², here √8 years.
    assert found.high - found.value == pytest.approx(Z * PRECISION / 8**0.5, rel=1e-3)


def test_one_visit_has_no_rate_and_two_no_forecast() -> None:
    with pytest.raises(ValueError, match="2 give a slope"):
        rate(series(THREE[0]))
    with pytest.raises(ValueError, match="3 serve"):
        model().forecast(series(*THREE[:2]))


def test_the_mean_is_that_of_a_normal_distribution_given_what_was_seen() -> None:
    """By the definition: the precision matrix of all points at once, conditioned."""
    mixed, one = flat(extra=0.003), series(*THREE)
    ahead = years(1.0, 3.0)
    mean, covariance = mixed.predict(one, ahead)
    times = np.concatenate([one.times, one.times[-1] + ahead])
    whole = mixed.covariance(times, np.zeros(len(times)))
    whole[:3, :3] += np.diag(one.noise + 0.003**2)
    inverse = np.linalg.inv(whole)
    assert covariance == pytest.approx(np.linalg.inv(inverse[3:, 3:]), rel=1e-6)
    centre = one.logs.mean()
    told = -np.linalg.solve(inverse[3:, 3:], inverse[3:, :3] @ (one.logs - centre))
    assert mean == pytest.approx(centre + told, rel=1e-9)


def test_much_precision_and_no_walk_make_a_straight_line() -> None:
    mixed = flat(slope=0.05, walk=1e-6)
    one = series(*(visit(t, float(np.exp(-0.02 * t))) for t in range(8)))
    mean, _ = mixed.predict(one, years(5.0))
    assert mean[0] == pytest.approx(-0.02 * 12, abs=0.005)


def test_intervals_grow_with_time_and_with_the_widening() -> None:
    found = model().forecast(series(*THREE))
    wide = found.high - found.low
    assert found.years[-1] == 5.0
    assert (np.diff(wide) > 0).all()
    wider = model(widening=1.2).forecast(series(*THREE))
    assert ((wider.high - wider.low) > 1.15 * wide).all()
    assert (found.low < found.middle).all()


def test_nearly_all_of_the_draws_below_is_certain_and_none_is_never() -> None:
    below = model().reaching(series(*THREE), 1.2)
    assert below.within == (1.0, 1.0, 1.0)
    assert below.quantiles == (YEARS[0],) * 5
    never = model().reaching(series(*THREE), 0.5)
    assert never.within == (0.0, 0.0, 0.0)
    assert never.quantiles == (None,) * 5


def test_the_time_to_a_threshold_is_where_the_line_meets_it() -> None:
    mixed = flat(slope=0.05, walk=1e-6)
    one = series(*(visit(t, float(np.exp(-0.02 * t))) for t in range(12)))
    found = model(mixed).reaching(one, float(np.exp(-0.02 * 13.5)))
    middle = found.quantiles[2]
    assert middle is not None
    assert middle == pytest.approx(2.5, abs=0.5)
    first, second, fifth = found.within
    assert first < 0.05
    assert second < 0.5
    assert fifth > 0.95


def test_a_doubt_about_the_threshold_spreads_the_time() -> None:
    mixed = flat(slope=0.05, walk=1e-6)
    one = series(*(visit(t, float(np.exp(-0.02 * t))) for t in range(12)))
    limit = float(np.exp(-0.02 * 13.5))
    sure, unsure = (model(mixed).reaching(one, limit, doubt) for doubt in (0.0, 0.03))
    assert sure.within[0] < unsure.within[0]
    assert sure.within[2] > unsure.within[2]


def test_years_of_age_are_shared_out_among_the_knots() -> None:
    one = series(*THREE)
    drift = seen(one)[:, : len(KNOTS["female"])]
    # The hats add up to one everywhere: years that have passed.
    assert drift.sum(axis=1) == pytest.approx([0, 2, 4], abs=0.01)
    rows = design(one, years(0.0), np.zeros(1), ())
    assert rows.shape == (1, COLUMNS)
    assert not rows.any()
