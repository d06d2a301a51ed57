from __future__ import annotations

import numpy as np
import pytest

from models import phantom
from models.gate import Gate, Reason, quality
from models.gate.quality import Quality
from models.image import recipe
from models.image.scan import Scan
from models.phantom import Artefact
from models.training.gate import compositing, stranger


@pytest.fixture(scope="module")
def gate() -> Gate:
    return quality.served_gate()


def spine(height: int = 320, width: int = 256) -> Scan:
    drawn = phantom.draw(np.random.default_rng(5), artefact=Artefact.NONE)
    rows = np.linspace(0, drawn.image.shape[0] - 1, height).astype(int)
    columns = np.linspace(0, drawn.image.shape[1] - 1, width).astype(int)
    return Scan(drawn.image[np.ix_(rows, columns)], 8, "png")


def assess(scan: Scan, gate: Gate) -> Quality:
    return quality.assess(scan, recipe.frame(scan), gate)


def test_a_good_scan_is_accepted(gate: Gate) -> None:
    assert assess(spine(), gate) == Quality(accepted=True)


@pytest.mark.parametrize(
    ("height", "width", "reasons"),
    [
        (90, 90, ("too_small",)),
        (144, 144, ()),
        (112, 112, ("too_small",)),
        (600, 200, ("wrong_shape",)),
        (200, 600, ("wrong_shape",)),
        (4000, 144, ("wrong_shape",)),
        (250, 90, ("too_small", "wrong_shape")),
    ],
)
def test_size_and_shape(gate: Gate, height: int, width: int, reasons: tuple[str, ...]) -> None:
    assert assess(spine(height, width), gate).reasons == reasons


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_blank_image_has_no_contrast(gate: Gate, level: int) -> None:
    blank = Scan(np.full((300, 240), level, np.uint8), 8, "png")

    assert assess(blank, gate) == Quality(accepted=False, reasons=("low_contrast",))


def test_a_faint_image_has_no_contrast(gate: Gate) -> None:
    faint = Scan((spine().pixels // 12).astype(np.uint8), 8, "png")

    assert assess(faint, gate).reasons == ("low_contrast",)


def test_a_report_sheet_is_called_one(gate: Gate) -> None:
    sheet = stranger.sheet(recipe.frame(spine()), np.random.default_rng(1))

    verdict = assess(Scan(sheet, 8, "png"), gate)

    assert not verdict.accepted
    assert "burned_in_sheet" in verdict.reasons


def test_metal_refuses(gate: Gate) -> None:
    clean = recipe.frame(spine())
    rng = np.random.default_rng(2)
    metal = compositing.implant(clean, rng, compositing.TRAINING)

    assert "implant" in assess(Scan(metal, 8, "png"), gate).reasons


def test_codes_are_plain_text_of_the_enumeration(gate: Gate) -> None:
    verdict = assess(Scan(stranger.noise(np.random.default_rng(3)), 8, "png"), gate)

    assert verdict.reasons
    assert all(type(code) is str for code in verdict.reasons)
    assert set(verdict.reasons) <= {reason.value for reason in Reason}


def test_every_code_stands_in_the_table() -> None:
    table = Reason.__doc__ or ""

    for reason in Reason:
        row = next(line for line in table.splitlines() if f"``{reason.value}``" in line)
        assert ("refuse" in row) == reason.refuses
