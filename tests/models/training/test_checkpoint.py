"""What is finished stays finished; what was cut short was never there."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import pytest

from models import networks
from models.training import ensemble
from models.training.checkpoint import PARTS, Checkpoint, run_key
from models.training.forest import fit
from models.training.trainer import Fitted

CONFIG = {"name": "cnn", "widths": [4, 8]}


def fitted(*, forest: bool) -> Fitted:
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    trees = fit(rng.random((12, 3), np.float32), rng.random(12, np.float32), 1)
    return Fitted(CONFIG, networks.build(CONFIG), trees if forest else None)


def test_scores_come_back_to_the_last_bit(tmp_path: Path) -> None:
    scores = np.random.default_rng(1).normal(size=7)
    Checkpoint(tmp_path).keep_scores("cnn-fold-0", scores)

    again = Checkpoint(tmp_path)

    found = again.scores("cnn-fold-0")
    assert found is not None
    assert np.array_equal(found, scores)
    assert again.scores("cnn-fold-1") is None
    assert again.finished == ("cnn-fold-0",)


@pytest.mark.parametrize("forest", [False, True], ids=["network", "with a forest"])
def test_a_fitted_model_comes_back_whole(tmp_path: Path, forest: bool) -> None:
    before = fitted(forest=forest)
    Checkpoint(tmp_path).keep_fitted("cnn-all", before)

    after = Checkpoint(tmp_path).fitted("cnn-all")

    assert after is not None
    assert after.config == before.config
    for one, other in zip(before.network.get_weights(), after.network.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert (after.forest is not None) == forest
    if before.forest is not None and after.forest is not None:
        rows = np.random.default_rng(2).random((5, 3), np.float32)
        assert np.array_equal(before.forest.severity(rows), after.forest.severity(rows))


def test_a_model_cut_short_while_it_was_written_is_not_there(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path)
    (tmp_path / PARTS / ".cnn-all").mkdir()
    (tmp_path / PARTS / ".cnn-all" / "weights.safetensors").write_bytes(b"half")

    assert kept.fitted("cnn-all") is None
    assert kept.finished == ()
    kept.keep_fitted("cnn-all", fitted(forest=False))
    assert kept.finished == ("cnn-all",)


def test_another_seed_other_data_or_other_settings_are_another_run() -> None:
    settings = asdict(ensemble.QUICK)
    key = run_key("sha256:1", settings)

    assert key == run_key("sha256:1", asdict(ensemble.QUICK))
    assert key != run_key("sha256:2", settings)
    assert key != run_key("sha256:1", {**settings, "seed": 21})
