"""What a result is composed of: the objects that were judged, and what was said of each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydicom.dataset import Dataset
from pydicom.filereader import _read_file_meta_info

from service.exams.schemas import Exam
from service.integration.compose.uids import Origin
from service.integration.dicom import head
from service.integration.orders import Order
from service.medicine.morphometry.kept import KeptPoints
from service.medicine.osteoporosis.view import told
from service.medicine.progression.place import Place
from service.predictions.schemas import Prediction
from service.types import Outcome

PREAMBLE = 132
"""Bytes before the file meta information."""


Standing = Literal["preliminary", "final", "corrected"]
"""Final: a clinician has signed or overridden it; corrected: has done so again."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An object's head, complete and valid, and the prediction on it."""

    source: Dataset
    prediction: Prediction
    exam: Exam | None = None
    """What is known of the exam, the scanner's own numbers among it; None where nothing is."""
    place: Place | None = None
    """Where it stands in its patient's course; None where that is not looked up, or not known."""

    points: tuple[KeptPoints, ...] = ()
    """Every version of those that a reader has kept of a lateral image; the last counts."""

    @property
    def standing(self) -> Standing:
        review = self.prediction.review
        if review is None:
            return "preliminary"
        return "final" if review.number == 1 else "corrected"

    @property
    def outcome(self) -> Outcome:
        """The clinician's word where there is one, else the models' as it is told."""
        review = self.prediction.review
        return told(self.prediction) if review is None else review.outcome


def standing(parts: Sequence[Judged]) -> Standing:
    """Return how a result on all of ``parts`` stands: as the least certain of them."""
    found = {one.standing for one in parts}
    for one in ("preliminary", "corrected"):
        if one in found:
            return one
    return "final"


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a message about a study is composed of."""

    case_id: UUID
    site: str
    parts: tuple[Judged, ...]
    origin: Origin
    at: datetime
    """When it is composed."""
    order: Order | None = None
    """That the images answer, where a feed or a worklist has told of it."""
    sheets: tuple[bytes, ...] = field(default=(), repr=False)
    """A PDF of each part, or none."""

    @property
    def source(self) -> Dataset:
        """The head of the first object: whose study it is, and which."""
        return self.parts[0].source

    @property
    def accession(self) -> str:
        """The study's accession number: the image's, else its order's; empty: there is none."""
        ordered = "" if self.order is None else self.order.accession
        return head.text(self.source, "AccessionNumber") or ordered

    @property
    def standing(self) -> Standing:
        return standing(self.parts)


def judged(
    data: bytes,
    prediction: Prediction,
    exam: Exam | None = None,
    place: Place | None = None,
    points: tuple[KeptPoints, ...] = (),
) -> Judged:
    """Return the file ``data``, which the listener wrote, with the prediction on it."""
    file = io.BytesIO(data)
    file.seek(PREAMBLE)
    syntax = str(_read_file_meta_info(file).TransferSyntaxUID)
    source = head.source(data[file.tell() :], syntax)
    return Judged(source=source, prediction=prediction, exam=exam, place=place, points=points)
