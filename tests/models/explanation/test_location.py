"""What is counted, on maps that can be counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from models.artifact import ArtifactError
from models.explanation import location
from models.explanation.location import Inside, Location

SPINE = np.zeros((224, 224), bool)
SPINE[:, 56:112] = True
"""The second quarter of the width."""


def measured(*rows: list[float]) -> Location:
    maps = np.stack([np.asarray([row], np.float32) for row in rows])
    return location.measure("sha256:1", maps, np.stack([SPINE] * len(rows)))


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


@pytest.mark.parametrize("inside", [0, 30, 36, 37, 60])
def test_chance_is_a_fair_coin(inside: int) -> None:
    p = binomtest(inside, 60, 0.5, alternative="greater").pvalue
    assert Inside(inside, 60, 1.0).beyond_chance == (p < location.LEVEL)


def test_written_and_read(tmp_path: Path) -> None:
    found = {"cnn": measured([0, 1, 0, -1])}
    assert location.read(tmp_path) == {}
    location.write(tmp_path, found)
    assert location.read(tmp_path) == found
    (tmp_path / location.FILE).write_text('{"cnn": 1}')
    with pytest.raises(ArtifactError, match="models maps"):
        location.read(tmp_path)


def test_the_card_s_table_says_which_colour_fails() -> None:
    told = Location(
        "sha256:1", Inside(50, 60, 1.3), Inside(9, 60, 0.64), Inside(60, 60, 2.4)
    ).to_markdown()
    assert "| for osteoporosis (orange) | 9 of 60 | 0.64 | **no** |" in told
    assert "| against it (blue) | 60 of 60 | 2.40 | yes |" in told
