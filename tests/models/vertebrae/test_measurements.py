"""What is measured of bone, where it is known what was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from models.inference.bone import Bone
from models.vertebrae.measurements import NAMES, measure


def levels() -> np.ndarray:
    made = np.zeros((224, 224), np.uint8)
    for number in range(4):
        made[40 + 36 * number : 76 + 36 * number, 78:146] = number + 1
    return made


def image(bone: float = 160.0, soft: float = 60.0, noise: float = 6.0, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    made = np.where(levels() > 0, bone, soft) + rng.normal(0, noise, (224, 224))
    return np.clip(made, 0, 255).astype(np.uint8)


def named(canonical: np.ndarray, of: np.ndarray | None = None) -> dict[str, float]:
    return dict(zip(NAMES, measure(canonical, levels() if of is None else of), strict=True))


def test_contrast_is_bone_above_soft_tissue_over_the_recipes_range() -> None:
    assert named(image(160, 60))["contrast"] == pytest.approx(100 / 224, abs=0.02)


def test_noise_lowers_bone_to_noise_and_raises_spread() -> None:
    quiet, loud = named(image(noise=4)), named(image(noise=16))

    assert loud["bone_to_noise"] < quiet["bone_to_noise"] / 2
    assert loud["soft_spread"] > 2 * quiet["soft_spread"]


def test_gain_and_offset_change_nothing_but_contrast() -> None:
    plain = image(160, 60, 5).astype(float)
    one, other = named(plain.astype(np.uint8)), named((plain * 0.7 + 30).astype(np.uint8))

    for name in NAMES[1:]:
        assert other[name] == pytest.approx(one[name], rel=0.12, abs=0.03), name


def test_a_level_that_is_denser_spreads_the_levels() -> None:
    denser = image()
    denser[112:148, 78:146] += 40

    assert named(denser)["levels_spread"] > named(image())["levels_spread"] + 0.1
    assert named(denser)["levels_slope"] > named(image())["levels_slope"] + 0.02


def test_where_nothing_is_outlined_the_recipes_own_places_are_measured() -> None:
    nothing = np.zeros((224, 224), np.uint8)

    assert measure(image(), nothing) == pytest.approx(measure(image(), levels()), rel=0.2, abs=0.1)


@pytest.mark.parametrize(
    "canonical", [np.zeros((224, 224), np.uint8), np.full((224, 224), 255, np.uint8)]
)
def test_any_pixels_give_finite_numbers(canonical: np.ndarray) -> None:
    assert np.isfinite(measure(canonical, levels())).all()
    assert np.isfinite(measure(canonical, np.zeros((224, 224), np.uint8))).all()


def test_contributions_sum_to_the_logit_and_end_at_three_standard_deviations() -> None:
    rng = np.random.default_rng(2)
    bone = Bone(rng.normal(size=16), rng.uniform(0.5, 2, 16), rng.normal(size=16), 0.3)
    seen = rng.normal(size=(5, 16))

    assert bone.contributions(seen).sum(1) + 0.3 == pytest.approx(bone.logits(seen))
    far = bone.contributions(np.full((1, 16), 1e9))
    assert far[0] == pytest.approx(3 * bone.weights)


def test_a_regression_over_other_measurements_is_refused() -> None:
    stored = Bone(*np.ones((3, 16)), 0.0).manifest()

    assert Bone.from_manifest(stored).manifest() == stored
    with pytest.raises(ValueError, match="other measurements"):
        Bone.from_manifest({**stored, "names": [*NAMES[:-1], "mood"]})
