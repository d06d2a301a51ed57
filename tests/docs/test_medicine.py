"""The table of docs/medicine.md has every module of medicine, and leads to what tells of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from service.medicine.modalities.registry import MODALITIES

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/medicine.md").read_text()
_ROW = re.compile(r"^\| (\w+) \| (.+) \|$", re.MULTILINE)
ROWS = {name: cells.split(" | ") for name, cells in _ROW.findall(DOCUMENT) if name != "result"}
PLACES: Final = 7

NO_RESULT: Final = {"guidance", "modalities"}
"""Guidance takes results; each modality has a row of its own, DXA those of image and scanner."""

TELLS: Final = {
    "osteoporosis": r"\b(outcome|probability)\b",
    "vertebrae": r"\b(vertebrae|spine)\b",
    "scoliosis": r"\b(scoliosis|curve)\b",
    "progression": r"\b(progression|outlook)\b",
    "morphometry": r"\b(morphometry|heights)\b",
    "ct": r"\b(ct|modalities)\b",
    "ultrasound": r"\b(ultrasound|modalities)\b",
    "densitometer": r"\b(measured|Measured)\b",
}
"""By which words a file is known to speak of a result."""


def test_every_module_has_a_row() -> None:
    folders = {path.parent.name for path in (ROOT / "service/medicine").glob("*/__init__.py")}
    assert folders - NO_RESULT | {"densitometer", *MODALITIES} - {"dxa"} == ROWS.keys()
    assert TELLS.keys() == ROWS.keys()


@pytest.mark.parametrize("name", ROWS)
def test_what_tells_of_it_is_there_and_does(name: str) -> None:
    assert len(ROWS[name]) == PLACES
    named = [re.fullmatch(r"–|`([\w./-]+)`", cell) for cell in ROWS[name]]
    assert all(named)
    paths = [found[1] for found in named if found is not None and found[1]]
    assert paths
    for path in paths:
        assert re.search(TELLS[name], (ROOT / path).read_text()), path


def test_other_files_that_are_named_are_there() -> None:
    for path in re.findall(r"`([a-z]+/[\w./-]+)`", DOCUMENT):
        assert (ROOT / path).exists(), path
