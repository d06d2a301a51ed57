from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models import artifact, dataset, gate, phantom, quality, recipe
from models.gate import Gate
from models.phantom import HELD_OUT, Artefact
from models.reading import read
from models.scan import Scan
from models.training import gate as training

SHARED = Path(__file__).parents[3] / "shared" / "data"

needs_scans = pytest.mark.skipif(
    not SHARED.is_dir(), reason="real scans are not distributed; ../shared/data is absent"
)


@pytest.fixture(scope="module")
def shipped() -> Gate:
    return quality.served_gate()


def phantoms(count: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(77)
    for _ in range(count):
        drawn = phantom.draw(rng, nuisance=HELD_OUT, artefact=Artefact.NONE)
        yield recipe.prepare(drawn.scan)


def test_spines_drawn_another_way_than_in_training_pass(shipped: Gate) -> None:
    passed = [shipped.passes(image) for image in phantoms(40)]

    assert sum(passed) >= 38


@pytest.mark.parametrize("kind", training.INVENTIONS)
def test_what_is_no_radiograph_is_refused(shipped: Gate, kind: str) -> None:
    rng = np.random.default_rng(78)
    for _ in range(20):
        scan = Scan(training.INVENTIONS[kind](rng), 8, "png")
        assert "not_spine_dxa" in quality.assess(scan, recipe.prepare(scan), shipped).reasons


@pytest.mark.parametrize("kind", ["dxa, inverted", "dxa, on its side"])
def test_a_spine_shown_wrongly_is_refused(shipped: Gate, kind: str) -> None:
    refused = [not shipped.passes(training.SPOILED[kind](image)) for image in phantoms(20)]

    assert all(refused)


@needs_scans
@pytest.mark.parametrize("kind", ["knee_xray", "pelvis_xray"])
def test_other_radiographs_are_refused(shipped: Gate, kind: str) -> None:
    paths = sorted((SHARED / "ood" / kind).iterdir())

    passed = [p.name for p in paths if shipped.passes(recipe.prepare(read(p.read_bytes())))]

    assert len(passed) <= 0.05 * len(paths)


@needs_scans
def test_real_spines_pass(shipped: Gate) -> None:
    data = dataset.load(SHARED / "dxa_spine")

    refused = [
        n for n, image in zip(data.names, data.images, strict=True) if not shipped.passes(image)
    ]

    assert len(refused) <= 0.02 * len(data)


def test_the_card_tells_what_was_refused_of_each_kind() -> None:
    manifest = artifact.load("gate", artifact.FOLDER).manifest

    assert manifest["refused"]["dxa"] <= training.REFUSED_TARGET
    assert manifest["refused"].keys() == manifest["data"]["counts"].keys()


def test_features_do_not_depend_on_the_window() -> None:
    image = next(phantoms(1))
    faint = (image // 2 + 40).astype(np.uint8)

    change = np.abs(gate.features(image) - gate.features(faint))

    assert change.mean() < 0.02


def test_features_of_a_black_image_are_finite() -> None:
    assert np.isfinite(gate.features(np.zeros((224, 224), np.uint8))).all()
