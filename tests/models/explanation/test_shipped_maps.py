"""What the shipped models' maps may be taken for: two sanity checks (Adebayo et al., 2018)."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np
import pytest
from scipy.stats import spearmanr

from models import artifact, networks
from models.commands import maps
from models.explanation import location
from models.explanation.location import Location
from models.inference.base import BaseModel, ForestModel, NetworkModel, load_model
from models.inference.forest import FILE as FOREST_FILE
from models.inference.forest import Forest
from models.runtime import KerasRuntime
from models.types import MAPPED


@cache
def measured() -> dict[str, Location]:
    return maps.measure(artifact.FOLDER)


@pytest.mark.parametrize("name", MAPPED)
def test_what_is_told_of_the_shipped_maps_is_what_they_do(name: str) -> None:
    """The file is written by ``python -m models maps``; runtimes differ in the last digits."""
    told, found = location.read(artifact.FOLDER)[name], measured()[name]
    assert told.version == found.version
    for part in ("either", "speaks_for", "speaks_against"):
        written, now = getattr(told.phantoms, part), getattr(found.phantoms, part)
        assert now.inside == pytest.approx(written.inside, abs=1)
        assert now.images == pytest.approx(written.images, abs=1)
        assert now.ratio == pytest.approx(written.ratio, rel=0.05)


def test_evidence_as_it_is_shown_lies_in_the_spine_more_than_chance() -> None:
    """Opacity shows evidence either way. Each colour by itself need not: the page warns of it. A
    model whose evidence does not, on phantoms or on scans, has no map on the page."""
    told = location.read(artifact.FOLDER)
    shown = [name for name in MAPPED if told[name].either.beyond_chance]

    assert shown
    for name in shown:
        assert measured()[name].phantoms.either.beyond_chance
        assert told[name].scans is not None


def untrained(name: str) -> BaseModel:
    """Return the shipped model with the network's weights drawn anew, the forest kept."""
    shipped = artifact.load(name, artifact.FOLDER)
    keras.utils.set_random_seed(9)
    runtime = KerasRuntime(networks.build(shipped.manifest["network"]))
    if FOREST_FILE not in shipped.manifest["files"]:
        return NetworkModel(runtime)
    return ForestModel(runtime, Forest.from_bytes(shipped.path(FOREST_FILE).read_bytes()))


@pytest.mark.parametrize("name", MAPPED)
def test_a_map_is_another_when_the_weights_are_random(name: str) -> None:
    images = maps.drawn()[0][:6]
    trained = load_model(artifact.load(name, artifact.FOLDER), "keras")

    _, drawn = trained.raw_logits(images, range(6))
    _, others = untrained(name).raw_logits(images, range(6))

    alike = [
        spearmanr(one[(one != 0) | (other != 0)], other[(one != 0) | (other != 0)]).statistic
        for one, other in zip(drawn, others, strict=True)
    ]
    # A map that is all one value has no ranks: that too is another map.
    assert np.abs(np.nan_to_num(alike)).mean() < 0.6
