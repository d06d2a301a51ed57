"""What the shipped models' maps may be taken for: two sanity checks (Adebayo et al., 2018)."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest, spearmanr

from models import artifact, networks, phantom, recipe
from models.base import BaseModel, ForestModel, NetworkModel, Scorer, load_model
from models.forest import FILE as FOREST_FILE
from models.forest import Forest
from models.phantom import HELD_OUT, Artefact
from models.runtime import KerasRuntime
from models.types import BASES

COUNT = 30


@cache
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Canonical images of phantoms without artefacts, and where their spines are."""
    rng = np.random.default_rng(5)
    made = [phantom.draw(rng, None, HELD_OUT, Artefact.NONE) for _ in range(COUNT)]
    images = np.stack([recipe.prepare(one.scan) for one in made])
    spines = np.stack([_resized(one.spine_mask.astype(np.float32)) > 0.5 for one in made])
    return images, spines


def _resized(values: np.ndarray) -> np.ndarray:
    side = (recipe.SIDE, recipe.SIDE)
    return np.asarray(Image.fromarray(values).resize(side, Image.Resampling.BILINEAR))


@pytest.mark.parametrize("name", BASES)
def test_evidence_lies_in_the_spine_more_than_chance(name: str) -> None:
    """Evidence either way: what speaks against osteoporosis lies in the spine too."""
    images, spines = drawn()
    votes = Scorer(artifact.load(name, artifact.FOLDER)).score(images, range(COUNT))

    inside = 0
    for vote, spine in zip(votes, spines, strict=True):
        assert vote.map is not None
        strength = np.abs(_resized(vote.map))
        inside += strength[spine].sum() / strength.sum() > spine.mean()

    assert binomtest(int(inside), COUNT, 0.5, alternative="greater").pvalue < 0.05


def untrained(name: str) -> BaseModel:
    """Return the shipped model with the network's weights drawn anew, the forest kept."""
    shipped = artifact.load(name, artifact.FOLDER)
    keras.utils.set_random_seed(9)
    runtime = KerasRuntime(networks.build(shipped.manifest["network"]))
    if FOREST_FILE not in shipped.manifest["files"]:
        return NetworkModel(runtime)
    return ForestModel(runtime, Forest.from_bytes(shipped.path(FOREST_FILE).read_bytes()))


@pytest.mark.parametrize("name", BASES)
def test_a_map_is_another_when_the_weights_are_random(name: str) -> None:
    images = drawn()[0][:6]
    trained = load_model(artifact.load(name, artifact.FOLDER), "keras")

    _, maps = trained.raw_logits(images, range(6))
    _, others = untrained(name).raw_logits(images, range(6))

    alike = [
        spearmanr(one.ravel(), other.ravel()).statistic
        for one, other in zip(maps, others, strict=True)
    ]
    # A map that is all one value has no ranks: that too is another map.
    assert np.abs(np.nan_to_num(alike)).mean() < 0.6
