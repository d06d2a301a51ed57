"""Answers that agreement is measured on are the service's."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from models import phantom
from models.commands import agreement
from models.commands.agreement import Answer, answers
from models.dataset.drawn import Drawn
from models.dataset.graphics import edge
from models.gate.quality import served_gate
from models.image.scan import Scan
from models.inference.ensemble import Ensemble


@pytest.fixture(scope="module")
def given() -> list[Answer]:
    image = phantom.draw(np.random.default_rng(1)).image
    cut = image[image.shape[0] // 4 :]
    return list(answers([Scan(image, 8, "png"), Scan(cut, 8, "png")], Ensemble(), served_gate()))


def test_a_copy_without_its_upper_part_is_not_called_normal(given: list[Answer]) -> None:
    """Its probability alone would be: a finding counts as it does in the service."""
    whole, cut = given
    assert (whole.outcome, cut.outcome) == ("normal", "indeterminate")
    assert (whole.called, cut.called) == (False, False)


def test_lines_are_drawn_anew_where_the_scanner_drew_them_and_nearer_to_the_middle() -> None:
    levels = np.zeros((224, 224), np.uint8)
    levels[40:184, 80:144] = np.repeat(np.arange(1, 5), 36)[:, None]
    ink = np.zeros((224, 224), bool)
    ink[38:186, [78, 145]] = True
    of = Drawn(np.full((224, 224), 90, np.uint8), levels, ink)
    scan = Scan(of.clean, 8, "png")
    made = dict(agreement._kinds([scan, scan], [of, None], 0))

    def drawn(kind: str, grey: int) -> np.ndarray:
        copy, none = made[kind]()
        assert copy is not None
        assert none is None, "nothing is known of what was drawn there"
        assert set(np.unique(copy.pixels)) == {90, grey}
        return np.asarray(copy.pixels == grey)

    assert np.array_equal(drawn("lines in white", 255), ink)
    assert np.array_equal(drawn("lines moved", 226), np.roll(ink, (3, 3), (0, 1)))
    thicker = drawn("lines thicker", 226)
    assert thicker[ink].all()
    assert np.count_nonzero(thicker) > 1.9 * np.count_nonzero(ink)
    assert np.array_equal(drawn("lines in white inside the bone", 255), edge(levels))


def test_a_kind_that_there_is_not_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(agreement, "images", lambda *_: [])
    monkeypatch.setattr(agreement, "measure", lambda *_: [])
    options = argparse.Namespace(picture=None, data=Path(), seed=0, kind=["lines in red"], out=None)

    assert agreement.run(options) == 2
    assert "lines in red" in capsys.readouterr().err
