"""From a file to what models see: a frame around a scan changes nothing but where things are."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image

from models import phantom
from models.phantom import Artefact
from models.reading import Limits
from models.vertebrae.geometry import Outlined
from models.vertebrae.nominal import nominal
from service.medicine import preparation
from service.medicine.preparation import Prepared
from service.medicine.vertebrae.view import proportions

LEFT, TOP, RIGHT, BOTTOM = 37, 12, 20, 55
VERSION: Final = "sha256:" + "0" * 64


def prepared(image: np.ndarray) -> Prepared:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    framed = preparation.frame(file.getvalue(), "0" * 64, Limits())
    outlined = Outlined(nominal(), np.zeros((224, 224), bool))
    return preparation.prepare(framed, outlined, VERSION)


def test_a_frame_around_a_scan_only_moves_what_is_told() -> None:
    drawn = phantom.draw(np.random.default_rng(8), artefact=Artefact.NONE, overlay=False)
    bare = prepared(drawn.image)
    framed = prepared(
        np.pad(drawn.image, ((TOP, BOTTOM), (LEFT, RIGHT)), constant_values=128),
    )
    height, width = drawn.image.shape
    assert bare.image.cropped is None
    assert framed.image.cropped == (LEFT, TOP, width, height)
    assert (framed.image.width, framed.image.height) == (width + 57, height + 67)
    assert framed.canonical is not None
    assert np.array_equal(framed.canonical, bare.canonical)
    assert framed.quality == bare.quality
    one, other = bare.vertebrae, framed.vertebrae
    assert one is not None
    assert other is not None
    assert other.findings == one.findings
    assert (other.axis_tilt, other.curve) == (one.axis_tilt, one.curve)
    for level, moved in zip(one.levels, other.levels, strict=True):
        apart = np.subtract(moved.outline, level.outline)
        assert np.allclose(apart, (LEFT, TOP), atol=0.011)
        assert np.allclose(np.subtract(moved.centre, level.centre), (LEFT, TOP), atol=0.011)
        assert (moved.height, moved.width) == (level.height, level.width)
        assert moved.relative_density == level.relative_density
    apart = np.subtract(other.placement, one.placement)
    assert np.allclose(apart, [[0, 0, LEFT], [0, 0, TOP]], atol=1e-5)


def test_a_refused_scan_is_shown_without_its_frame() -> None:
    grain = np.random.default_rng(2).integers(0, 255, (300, 260), dtype=np.uint8)
    found = prepared(np.pad(grain, 40, constant_values=0))
    assert not found.quality.accepted
    assert found.image.cropped == (40, 40, 260, 300)
    assert proportions(found.image, None) == 300 / 260


def test_what_is_left_without_the_frame_must_be_large_enough() -> None:
    small = np.random.default_rng(2).integers(0, 255, (120, 120), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.pad(small, 200, constant_values=255)).save(file, "PNG")
    assert "too_small" in preparation.frame(file.getvalue(), "0" * 64, Limits()).reasons
