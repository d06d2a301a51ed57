"""Labels from drawn lines: on phantoms, with lines in a scanner's yellow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models import phantom
from models.dataset import drawn
from models.dataset.graphics import edge
from models.image.scan import Scan
from models.phantom import Artefact, Phantom
from models.reading import read

YELLOW = (255, 255, 0)


def lumbar(seed: int) -> tuple[Phantom, np.ndarray, np.ndarray]:
    """A phantom, its image and its levels at 224×224."""
    made = phantom.draw(np.random.default_rng(seed), artefact=Artefact.NONE, overlay=False)
    image = np.asarray(Image.fromarray(made.image).resize((224, 224)))
    mask = Image.fromarray(np.where(made.vertebrae <= 4, made.vertebrae, 0).astype(np.uint8))
    return made, image, np.asarray(mask.resize((224, 224), Image.Resampling.NEAREST))


def exported(folder: Path, image: np.ndarray, levels: np.ndarray) -> Path:
    """Write the image as a densitometer exports it: box, lines between levels, bone edge."""
    colour = np.repeat(image[..., None], 3, -1)
    rows, columns = np.nonzero(levels)
    top, bottom, left, right = rows.min(), rows.max(), columns.min() - 25, columns.max() + 25
    lines = edge(levels)
    for number in range(1, 5):
        if (levels == number).any():
            lines[np.nonzero(levels == number)[0].max(), left:right] = True
    lines[top, left:right] = True
    lines[top : bottom + 1, [left, right - 1]] = True
    colour[lines] = YELLOW
    path = folder / "scan.png"
    Image.fromarray(colour).save(path)
    return path


def found(path: Path) -> drawn.Drawn | None:
    return drawn.read(path, read(path.read_bytes()))


@pytest.mark.parametrize("seed", range(3))
def test_what_a_scanner_drew_is_read_back(tmp_path: Path, seed: int) -> None:
    _, image, levels = lumbar(seed)

    lines = found(exported(tmp_path, image, levels))

    assert lines is not None
    for number in range(1, 5):
        both = np.count_nonzero((lines.levels == number) & (levels == number))
        either = np.count_nonzero(lines.levels == number) + np.count_nonzero(levels == number)
        assert 2 * both / either > 0.85
    # Most of the ink, and nothing but ink: what is drawn anew lies where it was.
    yellow = np.asarray(Image.open(tmp_path / "scan.png"))[..., 2] == 0
    yellow &= np.any(np.asarray(Image.open(tmp_path / "scan.png")) != 0, -1)
    assert not (lines.ink & ~yellow).any()
    assert np.count_nonzero(lines.ink) > 0.9 * np.count_nonzero(yellow)
    # The lines are gone: what is left is the image, but for a few pixels' guess.
    assert np.abs(lines.clean.astype(int) - image).mean() < 3


def test_an_image_without_lines_says_nothing(tmp_path: Path) -> None:
    _, image, _ = lumbar(1)
    Image.fromarray(image).save(tmp_path / "scan.png")

    assert found(tmp_path / "scan.png") is None


def test_three_levels_are_not_guessed_into_four(tmp_path: Path) -> None:
    _, image, levels = lumbar(1)
    three = np.where(levels == 4, 0, levels).astype(np.uint8)
    path = exported(tmp_path, image, three)

    assert found(path) is None


def test_dicom_has_no_colour_to_look_for(tmp_path: Path) -> None:
    _, image, levels = lumbar(1)
    path = exported(tmp_path, image, levels)

    assert drawn.read(path, Scan(image, 8, "dicom")) is None
