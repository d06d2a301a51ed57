"""What a result is composed of: the objects that were judged, and what was said of each."""

from __future__ import annotations

import io
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.filereader import _read_file_meta_info

from service.integration.dicom import head
from service.predictions.schemas import Prediction

PREAMBLE = 132
"""Bytes before the file meta information."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An object's head, complete and valid, and the prediction on it."""

    source: Dataset
    prediction: Prediction


def judged(data: bytes, prediction: Prediction) -> Judged:
    """Return the file ``data``, which the listener wrote, with the prediction on it."""
    file = io.BytesIO(data)
    file.seek(PREAMBLE)
    syntax = str(_read_file_meta_info(file).TransferSyntaxUID)
    return Judged(source=head.source(data[file.tell() :], syntax), prediction=prediction)
