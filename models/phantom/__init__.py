"""Synthetic AP lumbar spine DXA images with ground truth, drawn from a seed.

LOUD WARNING: synthetic. Scores on phantoms say nothing of clinical accuracy, and no phantom may
be presented as a patient's scan.

``draw`` makes one phantom; ``write`` fills a folder that training reads like one of real scans, and
``models.dataset.phantoms`` needs no folder. ``dicom.encode`` shows a phantom as scanners send it.
``HELD_OUT`` differs from ``TRAINING`` in its ranges: test on it, and under another seed.
"""

from __future__ import annotations

from models.phantom.artefact import Artefact
from models.phantom.drawing import draw
from models.phantom.folder import drawn, file_name, png, write
from models.phantom.nuisance import HELD_OUT, TRAINING, Nuisance
from models.phantom.person import Person, draw_person
from models.phantom.phantom import Phantom

__all__ = [
    "HELD_OUT",
    "TRAINING",
    "Artefact",
    "Nuisance",
    "Person",
    "Phantom",
    "draw",
    "draw_person",
    "drawn",
    "file_name",
    "png",
    "write",
]
