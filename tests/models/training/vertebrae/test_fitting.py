"""The network of vertebrae learns, from views whose truth moves with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import artifact
from models.dataset import graphics
from models.training import vertebrae
from models.training.runlog import RunLog
from models.training.vertebrae import Settings, writing
from models.training.vertebrae.views import view

TINY = Settings(
    phantoms=8, phantom_epochs=16, epochs=2, mixed=4, batch_size=4, widths=(4, 4, 8, 8, 8)
)


def test_phantoms_know_their_vertebrae() -> None:
    one, other = vertebrae.phantoms(2, 3)

    assert one.whole
    assert {1, 2, 3, 4} <= set(np.unique(one.levels))
    assert not np.array_equal(one.clean, other.clean)


def test_a_views_levels_move_with_its_image() -> None:
    example = vertebrae.phantoms(1, 3)[0]
    # Bone is white and all else black: what is bright must be what is labelled.
    bone = np.where(example.levels > 0, 255, 0).astype(np.uint8)
    rng = np.random.default_rng(6)

    shares = []
    for _ in range(12):
        seen = view(bone, example.levels, rng)
        bright = (seen.frame > 128) & ~seen.graphics
        labelled = (seen.levels > 0) & ~seen.graphics
        both = np.count_nonzero(bright & labelled)
        shares.append(2 * both / (np.count_nonzero(bright) + np.count_nonzero(labelled)))
    assert np.median(shares) > 0.9


def test_what_is_drawn_is_what_the_mask_says() -> None:
    example = vertebrae.phantoms(1, 4)[0]
    rng = np.random.default_rng(1)

    drawn = [graphics.draw(example.clean, example.levels, rng) for _ in range(20)]

    changed = [np.count_nonzero(one != example.clean) for one in drawn]
    assert sum(count > 0 for count in changed) > 10
    assert all(one.dtype == np.uint8 and one.shape == (224, 224) for one in drawn)


def test_a_few_epochs_lower_the_loss_and_the_artefact_says_what_it_outlines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    examples = vertebrae.phantoms(4, 9)
    log = RunLog(tmp_path / "run")

    fitted = vertebrae.fit(examples, TINY, 5, "scans", log)

    losses = [
        event["loss"]
        for event in log.lines()
        if event["event"] == "epoch" and event["part"] == "phantoms"
    ]
    assert min(losses[-3:]) < losses[0]
    written = vertebrae.write(tmp_path / "artifacts", fitted, examples, {"provenance": "Drawn."})
    loaded = artifact.load("vertebrae", tmp_path / "artifacts", written.version)
    assert loaded.manifest["outlined"]["images"] == 4
    assert {"keras-f32", "openvino-f32", "litert-f32"} <= loaded.manifest["runtimes"].keys()
    again = vertebrae.restored(loaded).network.get_weights()
    for one, other in zip(fitted.network.get_weights(), again, strict=True):
        assert np.array_equal(one, other)


def test_figures_count_overlap_lines_and_levels() -> None:
    truth = vertebrae.phantoms(1, 2)[0]
    lumbar = np.where(truth.levels <= 4, truth.levels, 0).astype(np.uint8)
    shifted = np.roll(lumbar, 36, 0)

    right = writing.outlined([lumbar], [truth])
    wrong = writing.outlined([shifted], [truth])

    assert right == {"images": 1, "dice": 1.0, "dice_lowest": 1.0, "lines": 1.0, "levels": 1.0}
    assert wrong["levels"] == 0.0
    assert wrong["dice"] < 0.9
