"""How far angles are off, measured with the served network on a phantom."""

from __future__ import annotations

import numpy as np
import pytest

from models import artifact, phantom
from models.__main__ import main
from models.evaluation.geometry import TURNS, turns
from models.inference.base import Outliner
from models.phantom import Artefact


def test_a_turned_phantom_is_off_by_little() -> None:
    drawn = phantom.draw(np.random.default_rng(4), artefact=Artefact.NONE, overlay=False)
    outline = Outliner(artifact.load("vertebrae", artifact.FOLDER)).outline
    found = list(turns([drawn.scan], outline))
    assert len(found) == len(TURNS)
    assert np.mean(np.abs([one.tilt for one in found])) < 1
    assert all(one.curve is not None and abs(one.curve) < 4 for one in found)


def test_the_command_prints_a_row_a_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["geometry", "--phantoms", "3", "--seed", "1"]) == 0
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines()]
    cells = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}
    assert cells["all"][0] == "3"
    assert sum(int(cells[name][0]) for name in cells if name.endswith("°")) == 3
    assert cells["all"][4].endswith("%")
