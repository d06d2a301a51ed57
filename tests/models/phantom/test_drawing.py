from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.image import recipe
from models.phantom import HELD_OUT, TRAINING, Artefact, Nuisance, Phantom, draw, draw_person
from models.phantom.reference import GATES, VERTEBRAE
from models.types import LABELS, Label


def test_density_adds_up_to_the_drawn_bmd(clean: list[Phantom]) -> None:
    for phantom in clean:
        pixel = phantom.spacing**2 / 100.0
        for index in range(4):
            density = phantom.density[phantom.vertebrae == index + 1].astype(np.float64)
            assert density.mean() == pytest.approx(phantom.clean_bmd[index], rel=1e-5)
            assert density.sum() * pixel == pytest.approx(phantom.bmc[index], rel=1e-9)
            assert density.size * pixel == pytest.approx(phantom.area[index], rel=1e-9)
        total = phantom.bmc.sum() / phantom.area.sum()
        assert total == pytest.approx(phantom.person.bmd, rel=1e-5)
        assert phantom.measured_t_score == pytest.approx(phantom.t_score, abs=1e-3)
        assert phantom.valid.all()


def test_vertebrae_keep_the_persons_ratios(clean: list[Phantom]) -> None:
    for phantom in clean:
        ratio = phantom.clean_bmd / phantom.person.ratios
        assert np.allclose(ratio, ratio[0])


@pytest.mark.parametrize("label", LABELS)
def test_label_asked_for_is_drawn(label: Label) -> None:
    phantom = draw(np.random.default_rng(1), label)
    assert phantom.label == label


def test_a_person_of_another_class_is_refused() -> None:
    rng = np.random.default_rng(2)
    person = draw_person(rng, "normal")
    with pytest.raises(ValueError, match="label is osteoporosis; the given person is normal"):
        draw(rng, "osteoporosis", person=person)


@pytest.mark.parametrize("nuisance", [TRAINING, HELD_OUT], ids=["training", "held out"])
def test_same_seed_same_phantom(nuisance: Nuisance) -> None:
    one, two = (draw(np.random.default_rng(3), "osteopenia", nuisance) for _ in range(2))
    other = draw(np.random.default_rng(4), "osteopenia", nuisance)
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.density, two.density)
    assert np.array_equal(one.bmd, two.bmd)
    assert not np.array_equal(one.image, other.image)


def test_truth_of_a_seed_stays_as_it_was() -> None:
    # A change of the generator changes every model trained on it: it must be meant.
    phantom = draw(np.random.default_rng(2024), "osteoporosis", artefact=Artefact.NONE)
    truth = (phantom.sex, phantom.age, phantom.vendor, phantom.image.shape)
    assert truth == ("female", 48, "ge", (367, 208))
    assert phantom.t_score == pytest.approx(-2.9473, abs=1e-3)
    assert phantom.image.mean() == pytest.approx(66.36, abs=0.5)


def test_one_person_seen_twice_has_the_same_bone_in_another_image() -> None:
    rng = np.random.default_rng(5)
    person = draw_person(rng)
    one, two = (draw(rng, person=person, artefact=Artefact.NONE) for _ in range(2))
    assert one.image.shape != two.image.shape or not np.array_equal(one.image, two.image)
    assert np.allclose(one.clean_bmd, two.clean_bmd, rtol=0.01)
    assert np.allclose(one.area, two.area, rtol=0.03)
    assert one.t_score == two.t_score


def test_everything_is_plausible(clean: list[Phantom]) -> None:
    for phantom in clean:
        found = {
            "bmd": float(phantom.bmc.sum() / phantom.area.sum()),
            "bmc": float(phantom.bmc.sum()),
            "area": float(phantom.area.sum()),
        }
        areas = zip(VERTEBRAE, phantom.area, strict=True)
        found |= {f"area_{name.lower()}": float(area) for name, area in areas}
        for key, value in found.items():
            assert GATES[key][0] <= value <= GATES[key][1], key
        rows, columns = phantom.image.shape
        assert 180 <= columns <= 320
        assert 290 <= rows <= 450
        assert phantom.image.dtype == np.uint8
        assert phantom.density.dtype == np.float32
        assert phantom.density.min() >= 0.0
        assert phantom.image.max() > 200


def test_typical_areas_of_women() -> None:
    rng = np.random.default_rng(6)
    women = replace(TRAINING, women=1.0)
    area = np.mean([draw(rng, None, women, Artefact.NONE).area for _ in range(20)], axis=0)
    assert area == pytest.approx([12.0, 13.0, 14.5, 16.0], rel=0.08)


def test_all_of_l1_to_l4_lies_in_the_field(clean: list[Phantom]) -> None:
    for phantom in clean:
        lumbar = (phantom.vertebrae > 0) & (phantom.vertebrae < 5)
        edge = np.concatenate([lumbar[0], lumbar[-1], lumbar[:, 0], lumbar[:, -1]])
        assert not edge.any()
        assert (phantom.vertebrae[0] == 5).any(), "T12 or T11 reaches the upper edge"
        assert phantom.spine_mask.sum() > lumbar.sum()


def test_overlay_is_drawn_on_request_and_over_the_same_pixels() -> None:
    plain, drawn = (
        draw(np.random.default_rng(7), artefact=Artefact.NONE, overlay=overlay)
        for overlay in (False, True)
    )
    assert (plain.overlay, drawn.overlay) == (False, True)
    changed = plain.image != drawn.image
    assert 0.005 < changed.mean() < 0.08
    assert (drawn.image[changed] >= 225).mean() > 0.6
    assert np.array_equal(plain.density, drawn.density)


def test_a_phantom_goes_through_the_recipe(clean: list[Phantom]) -> None:
    scan = clean[0].scan
    assert scan.spacing == (clean[0].spacing, clean[0].spacing)
    assert recipe.frame(scan).shape == (recipe.SIDE, recipe.SIDE)
