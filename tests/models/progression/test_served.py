"""What is served keeps the promises of its card, on patients of yet another seed."""

from __future__ import annotations

import numpy as np
import pytest

from models import artifact
from models.cohort.cases import cases
from models.cohort.cohort import cohort
from models.cohort.parameters import HELD_OUT
from models.evaluation import progression as evaluation
from models.evaluation.progression import Judged
from models.manifest import ProgressionManifest
from models.progression import loading

SEED = 90_210


@pytest.fixture(scope="module")
def facts() -> ProgressionManifest:
    return artifact.load(loading.NAME, artifact.FOLDER).facts(ProgressionManifest)


@pytest.fixture(scope="module")
def judged() -> Judged:
    served = loading.served().model
    one = evaluation.one_each(list(cases(cohort(SEED, 900, HELD_OUT))), SEED)
    return evaluation.judge(one, {"served": served}, served.mixed)


def test_it_is_said_to_be_made_of_simulated_patients(facts: ProgressionManifest) -> None:
    assert facts.simulated
    assert "nobody's visits" in " ".join(facts.provenance.split())
    seeds = {one.seed for one in facts.cohorts.values()}
    assert len(seeds) == 3
    assert SEED not in seeds


def test_figures_of_the_manifest_are_what_was_asked_for(facts: ProgressionManifest) -> None:
    covered = facts.metrics[f"coverage_{facts.chosen}"].value
    better = facts.metrics[f"better_than_last_{facts.chosen}"].low
    assert covered is not None
    assert 0.87 <= covered <= 0.93
    assert better is not None
    assert better >= 0.20


def test_the_recurrent_network_is_served_only_where_it_beats_every_baseline(
    facts: ProgressionManifest,
) -> None:
    lows = [
        facts.metrics[f"recurrent_better_than_{name}"].low or 0 for name in evaluation.BASELINES
    ]
    assert (facts.chosen == "recurrent") == (min(lows) > 0)


def test_intervals_hold_elsewhere(judged: Judged) -> None:
    # 87 to 93 %, and what some 780 patients leave open of it (a standard error of 1.1 %).
    assert 0.86 <= (evaluation.coverage(judged, "served").value or 0) <= 0.94


def test_forecasts_beat_the_last_value(judged: Judged) -> None:
    assert (evaluation.better(judged, "served", "last").value or 0) >= 0.20
    assert (evaluation.better(judged, "served", "drift").value or 0) >= 0.20


def test_a_constant_forecast_would_not_pass() -> None:
    """The measures themselves: what is right beats what is shifted, and covers."""
    truth = np.linspace(0.7, 1.1, 400)
    noise = 0.02 * np.random.default_rng(1).standard_normal(400)
    judged = Judged(
        truth=truth + noise,
        years=np.full(400, 2.0),
        middle={"right": truth, "last": truth + 0.05},
        low={"right": truth - 1.645 * 0.02},
        high={"right": truth + 1.645 * 0.02},
    )
    better = evaluation.better(judged, "right", "last")
    assert better.low is not None
    assert better.low > 0.5
    assert evaluation.coverage(judged, "right").value == pytest.approx(0.9, abs=0.04)
    assert evaluation.widening(judged, "right") == pytest.approx(1.0, abs=0.1)
