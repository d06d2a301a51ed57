"""A spine from the side is told from one from the front by its two sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models import artifact, phantom
from models.gate import view
from models.gate.quality import assess, served_gate
from models.image.recipe import SIDE
from models.image.scan import Scan
from models.inference.base import Outliner
from models.inference.preparation import Outline, prepare
from models.phantom import HELD_OUT, elsewhere, lateral

COUNT = 10


def images(kind: str) -> list[Scan]:
    found = []
    for number in range(COUNT):
        rng = np.random.default_rng([32, number])
        if kind == "frontal":
            found.append(phantom.draw(rng, nuisance=HELD_OUT).scan)
        elif kind == "curved":
            ranges = replace(HELD_OUT, curvature=(15.0, 30.0))
            found.append(phantom.draw(rng, nuisance=ranges).scan)
        elif kind == "lateral":
            found.append(Scan(elsewhere.lateral(rng), 8, "png"))
        else:
            found.append(Scan(lateral.draw(rng, lateral.some(rng)).image, 8, "png"))
    return found


@pytest.fixture(scope="module")
def outline() -> Outline:
    return Outliner(artifact.load("vertebrae", artifact.FOLDER)).outline


@pytest.mark.parametrize("kind", ["frontal", "curved"])
def test_a_spine_from_the_front_is_let_in(kind: str, outline: Outline) -> None:
    told = [
        view.is_lateral(one.canonical, one.outlined.spine)
        for one in prepare(images(kind), outline)
        if one.canonical is not None and one.outlined.spine is not None
    ]
    assert len(told) > COUNT / 2
    assert not any(told)


@pytest.mark.parametrize("kind", ["lateral", "fractured"])
def test_a_spine_from_the_side_is_not(kind: str, outline: Outline) -> None:
    gate = served_gate()
    let_in = [
        number
        for number, one in enumerate(prepare(images(kind), outline))
        if one.canonical is not None
        and assess(one.scan, one.cleaned, gate, one.canonical, one.outlined.spine).accepted
    ]
    assert not let_in


def test_what_is_all_one_grey_is_alike() -> None:
    assert view.symmetry(np.full((SIDE, SIDE), 90, np.uint8)) == 1.0


def test_a_mirror_image_is_as_alike_as_it_was() -> None:
    drawn = np.random.default_rng(1).integers(0, 255, (SIDE, SIDE)).astype(np.uint8)
    assert view.symmetry(drawn) == pytest.approx(view.symmetry(drawn[:, ::-1]))
