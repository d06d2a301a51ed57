"""What is counted, on maps that can be counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from models.artifact import ArtifactError
from models.explanation import location
from models.explanation.location import Evidence, Inside, Location

SPINE = np.zeros((224, 224), bool)
SPINE[:, 56:112] = True
"""The second quarter of the width."""


def measured(*rows: list[float]) -> Evidence:
    maps = np.stack([np.asarray([row], np.float32) for row in rows])
    return location.measure(maps, np.stack([SPINE] * len(rows)))


def test_each_sign_is_counted_by_itself() -> None:
    found = measured([0, 4, 0, -1], [-1, 3, 0, 0], [0, 0, -2, 0])
    assert (found.speaks_for.inside, found.speaks_for.images) == (2, 2)
    assert (found.speaks_against.inside, found.speaks_against.images) == (0, 3)
    assert (found.either.inside, found.either.images) == (2, 3)


def test_evidence_everywhere_is_no_better_than_chance() -> None:
    found = measured([1, 1, 1, 1])
    assert found.either.ratio == pytest.approx(1)
    assert found.speaks_against == Inside(0, 0, 0.0)
    assert not found.speaks_against.beyond_chance


def test_chance_is_taken_where_the_network_looks() -> None:
    # At the middle half, of which the spine is half: evenly there is no better than chance.
    evenly, within = measured([0, 1, 1, 0]), measured([0, 3, 1, 0])
    assert evenly.either.ratio == pytest.approx(1)
    assert evenly.either.inside == 0
    assert within.either.ratio > 1.2


def test_of_phantoms_and_scans_the_worse_counts() -> None:
    good, bad = Inside(60, 60, 2.0), Inside(30, 60, 1.1)
    found = Location("sha256:1", Evidence(good, good, bad), Evidence(bad, good, good))
    assert (found.either, found.speaks_for, found.speaks_against) == (bad, good, bad)


@pytest.mark.parametrize("inside", [0, 30, 36, 37, 60])
def test_chance_is_a_fair_coin(inside: int) -> None:
    p = binomtest(inside, 60, 0.5, alternative="greater").pvalue
    assert Inside(inside, 60, 1.0).beyond_chance == (p < location.LEVEL)


def test_written_and_read(tmp_path: Path) -> None:
    found = {
        "cnn": Location("sha256:1", measured([0, 1, 0, -1])),
        "vgg16": Location("sha256:2", measured([0, 1, 0, -1]), measured([1, 0, 0, -1])),
    }
    assert location.read(tmp_path) == {}
    location.write(tmp_path, found)
    assert location.read(tmp_path) == found
    (tmp_path / location.FILE).write_text('{"cnn": 1}')
    with pytest.raises(ArtifactError, match="models maps"):
        location.read(tmp_path)


def test_the_card_s_table_says_which_colour_fails() -> None:
    told = Location(
        "sha256:1", Evidence(Inside(50, 60, 1.3), Inside(9, 60, 0.64), Inside(60, 60, 2.4))
    ).to_markdown()
    assert "| for osteoporosis (orange) | 9 of 60 | 0.64 | **no** |" in told
    assert "| against it (blue) | 60 of 60 | 2.40 | yes |" in told
