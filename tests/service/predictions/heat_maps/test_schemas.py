from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from models.image.recipe import SIDE
from service.predictions.heat_maps.schemas import AGAINST, EXAMPLE, FOR, STRONGEST, HeatMap, paint
from service.web.templates import STATIC


def heat(*rows: tuple[float, ...]) -> HeatMap:
    return HeatMap.model_validate({**EXAMPLE, "rows": rows})


def pixels(found: HeatMap) -> np.ndarray:
    with Image.open(io.BytesIO(found.png())) as image:
        assert (image.mode, image.size) == ("RGBA", (SIDE, SIDE))
        return np.asarray(image)


def test_nothing_found_is_nothing_drawn() -> None:
    assert not pixels(heat((0.0, 0.0), (0.0, 0.0)))[..., 3].any()


def test_for_and_against_have_a_colour_each_and_between_them_it_is_clear() -> None:
    drawn = pixels(heat((-2.0, 0.0, 2.0)))
    row = drawn[SIDE // 2]
    assert tuple(row[0, :3]) == AGAINST
    assert tuple(row[-1, :3]) == FOR
    assert row[SIDE // 2, 3] <= 2
    assert row[0, 3] == row[-1, 3] == round(STRONGEST * 255)


def test_more_evidence_is_less_transparent() -> None:
    drawn = pixels(heat((0.0, 0.25, 0.5, 0.75, 1.0)))
    opacity = drawn[0, :, 3].astype(int)
    assert (np.diff(opacity) >= 0).all()
    assert opacity[0] == 0
    centres = opacity[np.linspace(SIDE / 10, SIDE * 0.9, 5).astype(int)]
    np.testing.assert_allclose(centres, np.linspace(0, STRONGEST * 255, 5), atol=3)


def test_bilinear_between_the_centres_of_the_cells() -> None:
    """A map of h×w cells covers the image evenly; no value is beyond its neighbours."""
    grid = np.zeros((4, 4), np.float32)
    grid[1, 2] = 1.0
    opacity = paint(grid)[..., 3].astype(int)
    cell = SIDE // 4
    assert np.unravel_index(opacity.argmax(), opacity.shape) == pytest.approx(
        (1.5 * cell, 2.5 * cell), abs=1.5
    )
    assert opacity[:, : cell + cell // 2 - 1].max() == 0
    assert opacity[int(1.5 * cell), 2 * cell] == pytest.approx(STRONGEST * 255 / 2, abs=3)


def test_each_map_is_scaled_by_its_own_strongest_value() -> None:
    np.testing.assert_array_equal(pixels(heat((0.0, 0.1, 0.2))), pixels(heat((0.0, 5.0, 10.0))))
    assert heat((0.0, -7.0, 2.0)).strongest == 7.0


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param((), id="no rows"),
        pytest.param(((),), id="empty row"),
        pytest.param(((1.0,), (1.0, 2.0)), id="ragged"),
        pytest.param(((float("nan"),),), id="nan"),
        pytest.param(((float("inf"),),), id="infinite"),
        pytest.param(((0.0,) * 225,), id="finer than the image"),
    ],
)
def test_what_is_no_map(rows: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(ValidationError):
        heat(*rows)


def test_the_legend_has_the_colours_of_the_map() -> None:
    tokens = (STATIC / "tokens.css").read_text()
    for name, colour in (("heat-for", FOR), ("heat-against", AGAINST)):
        assert f"--{name}: #{bytes(colour).hex()};" in tokens
