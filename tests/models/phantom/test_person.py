from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.phantom import TRAINING, Person, draw_person
from models.phantom.reference import POPULATION, Band
from models.types import LABELS, Label


def crowd(count: int, seed: int, label: Label | None = None, **changes: object) -> list[Person]:
    rng = np.random.default_rng(seed)
    nuisance = replace(TRAINING, **changes)  # type: ignore[arg-type]
    return [draw_person(rng, label, nuisance) for _ in range(count)]


@pytest.mark.parametrize("band", POPULATION, ids=lambda b: f"{b.youngest}–{b.oldest}")
@pytest.mark.parametrize("women", [1.0, 0.0], ids=["women", "men"])
def test_bmd_follows_the_population_table(band: Band, women: float) -> None:
    people = crowd(1200, 1, women=women, ge=0.0, age=(band.youngest, band.oldest))
    expected = band.female if women else band.male
    bmd = np.array([person.bmd for person in people])
    assert bmd.mean() == pytest.approx(expected.mean, abs=4 * expected.sd / 1200**0.5)
    assert bmd.std() == pytest.approx(expected.sd, rel=0.08)


def test_osteoporosis_is_as_frequent_as_the_table_implies() -> None:
    people = crowd(2000, 2, women=1.0, ge=0.0, age=(71, 80))
    share = np.mean([person.label == "osteoporosis" for person in people])
    assert share == pytest.approx(0.218, abs=0.035)


def test_vendors_find_osteoporosis_equally_often_in_women() -> None:
    shares = [
        np.mean([p.label == "osteoporosis" for p in crowd(2000, 3, women=1.0, ge=ge)])
        for ge in (0.0, 1.0)
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)


def test_the_osteoporotic_are_older_and_more_often_women() -> None:
    normal, osteoporotic = crowd(300, 4, "normal"), crowd(300, 4, "osteoporosis")
    assert np.mean([p.age for p in osteoporotic]) > np.mean([p.age for p in normal]) + 2
    assert sum(p.sex == "female" for p in osteoporotic) > sum(p.sex == "female" for p in normal)


@pytest.mark.parametrize("label", LABELS)
def test_class_matches_the_label_asked_for(label: Label) -> None:
    assert {person.label for person in crowd(100, 5, label)} == {label}


@pytest.mark.parametrize(
    ("age", "low", "high"),
    [
        pytest.param((40, 45), 0.0, 0.01, id="none under 46"),
        pytest.param((76, 80), 0.30, 0.50, id="40 % over 75"),
    ],
)
def test_vertebrae_differ_more_with_age(age: tuple[int, int], low: float, high: float) -> None:
    ratios = [person.ratios for person in crowd(800, 6, age=age)]
    share = np.mean([ratio.max() / ratio.min() > 1.25 for ratio in ratios])
    assert low <= share <= high


def test_a_class_that_is_not_found_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.phantom.person.ATTEMPTS", 0)
    with pytest.raises(ValueError, match="no person of class osteoporosis"):
        draw_person(np.random.default_rng(7), "osteoporosis")
