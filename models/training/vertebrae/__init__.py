"""How the vertebrae network is trained.

::

    views           an image as another scanner, crop, size or compression would give it
    fitting         phantoms first, then the outlines that densitometers drew
    writing         the artefact: files that answer alike, and how well it outlines
"""

from __future__ import annotations

from models.training.vertebrae.fitting import NAME, Example, Settings, fit, phantoms
from models.training.vertebrae.writing import restored, write

__all__ = ["NAME", "Example", "Settings", "fit", "phantoms", "restored", "write"]
