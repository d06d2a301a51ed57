from __future__ import annotations

import numpy as np
import pytest

from loadtests.benchmark.arrivals import ARRIVALS, Arrivals, due


@pytest.mark.parametrize("kind", ARRIVALS)
def test_as_many_as_asked_within_their_time_in_order(kind: Arrivals) -> None:
    moments = due(kind, 400, 20.0)

    assert moments.shape == (400,)
    assert (np.diff(moments) >= 0).all()
    assert moments[0] >= 0
    assert moments[-1] < 20.0


def test_gaps_of_a_poisson_process_are_as_uneven_as_its_name_says() -> None:
    gaps = np.diff(due("poisson", 4000, 10.0))

    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.1)
    assert np.diff(due("constant", 4000, 10.0)).std() == pytest.approx(0.0, abs=1e-9)


def test_another_rate_is_the_same_process_stretched() -> None:
    np.testing.assert_allclose(due("poisson", 50, 5.0), 2 * due("poisson", 50, 10.0))


@pytest.mark.parametrize(("count", "rate"), [(0, 1.0), (1, 0.0)])
def test_nothing_to_send_is_a_mistake(count: int, rate: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        due("poisson", count, rate)
