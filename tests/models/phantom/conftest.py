from __future__ import annotations

import numpy as np
import pytest

from models.phantom import HELD_OUT, Artefact, Phantom, draw


@pytest.fixture(scope="session")
def clean() -> list[Phantom]:
    """Phantoms without artefacts, in turn of the training and the held-out ranges."""
    rng = np.random.default_rng(11)
    made = [draw(rng, artefact=Artefact.NONE) for _ in range(15)]
    return made + [draw(rng, nuisance=HELD_OUT, artefact=Artefact.NONE) for _ in range(15)]


@pytest.fixture(scope="session")
def spoilt() -> dict[Artefact, list[Phantom]]:
    rng = np.random.default_rng(12)
    return {artefact: [draw(rng, artefact=artefact) for _ in range(6)] for artefact in Artefact}
