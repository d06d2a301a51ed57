"""What is no whole lumbar spine from the front is not judged, or never called normal."""

from __future__ import annotations

import numpy as np
import pytest

from models import artifact, phantom
from models.gate.quality import Gate, assess, served_gate
from models.image.scan import Scan
from models.inference.base import Outliner
from models.inference.preparation import Outline, Prepared, prepare
from models.phantom import Artefact, elsewhere
from models.vertebrae.findings import QUESTIONING, findings
from models.vertebrae.report import describe

COUNT = 6


@pytest.fixture(scope="module")
def outline() -> Outline:
    return Outliner(artifact.load("vertebrae", artifact.FOLDER)).outline


@pytest.fixture(scope="module")
def gate() -> Gate:
    return served_gate()


def refused(scan: Scan, prepared: Prepared, gate: Gate) -> bool:
    if prepared.canonical is None:
        return True
    spine = prepared.outlined.spine
    return not assess(scan, prepared.cleaned, gate, prepared.canonical, spine).accepted


@pytest.mark.parametrize("region", ["hip", "forearm", "lateral"])
def test_another_region_is_refused(region: str, outline: Outline, gate: Gate) -> None:
    draw = elsewhere.DRAWN[region]
    scans = [Scan(draw(np.random.default_rng([7, n])), 8, "png") for n in range(COUNT)]

    let_in = [
        number
        for number, (scan, prepared) in enumerate(zip(scans, prepare(scans, outline), strict=True))
        if not refused(scan, prepared, gate)
    ]

    assert not let_in


def test_one_seed_draws_one_image() -> None:
    for draw in elsewhere.DRAWN.values():
        one, same, other = (draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)


def test_the_lower_half_of_a_spine_is_never_normal(outline: Outline, gate: Gate) -> None:
    """It is refused, or a finding makes a *normal* indeterminate."""
    whole = [
        phantom.draw(np.random.default_rng([9, n]), "normal", artefact=Artefact.NONE)
        for n in range(2 * COUNT)
    ]
    halves = []
    for one in whole:
        between = int(one.centres[1:3, 1].mean())
        halves.append(Scan(one.image[between:], 8, "png"))

    reassuring = []
    for number, (scan, prepared) in enumerate(zip(halves, prepare(halves, outline), strict=True)):
        spine = prepared.outlined.spine
        if refused(scan, prepared, gate) or spine is None or prepared.canonical is None:
            continue
        report = describe(spine, scan.width, scan.height, prepared.canonical)
        noticed = findings(
            spine, report, prepared.frame, prepared.cleaned, prepared.outlined.graphics
        )
        if not QUESTIONING & {found.code for found in noticed}:
            reassuring.append(number)

    assert not reassuring
