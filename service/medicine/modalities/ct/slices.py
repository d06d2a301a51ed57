"""Reads one slice of a series: called in a decoder's worker, which imports this; keep it small."""

from __future__ import annotations

import hashlib
from typing import Any

from models.reading import Limits, ct
from service.exams import dicom


def of_slice(data: bytes, limits: Limits) -> dict[str, Any]:
    """Return the slice in ``data`` as numbers and texts, and as ``stored`` an array.

    Of who is in it only what ``texts`` hold, to be compared and let go. Raises
    :class:`models.image.errors.ScanError`.
    """
    found = ct.read(data, limits)
    return {
        "stored": found.stored,
        "rescale": found.rescale,
        "position": found.position,
        "spacing": found.spacing,
        "thickness": found.thickness,
        "voltage": found.voltage,
        "contrast": found.contrast,
        "kernel": found.kernel,
        "series": hashlib.sha256(found.series.encode()).hexdigest(),
        "texts": dicom.head(data),
    }
