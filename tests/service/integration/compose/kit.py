"""What messages are composed of: phantoms that were judged."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from service.exams.measurements import LeftOut, Measured, Measurement
from service.exams.parts import Scanner
from service.exams.schemas import Exam
from service.integration.compose import document
from service.integration.compose.source import Judged, Made, judged
from service.integration.compose.uids import Origin
from service.predictions.schemas import EXAMPLE, Prediction
from tests.service.integration.kit import file, image
from tests.service.kit.images import png, waves

CASE = UUID("6c6f2d0e-8a8c-4e0a-9a4c-0b6a6f0f2d11")
AT = datetime(2026, 2, 3, 10, 0, tzinfo=UTC)
REFUSED = {
    "outcome": "refused", "probability": None, "threshold": None, "band": None, "models": {},
    "version": None, "vertebrae": None,
    "quality": {"accepted": False, "reasons": ["not_spine_dxa"], "findings": []},
}  # fmt: skip


def prediction(**changes: Any) -> Prediction:
    return Prediction.model_validate({**EXAMPLE, **changes})


def part(said: Prediction | None = None, exam: Exam | None = None, **tags: Any) -> Judged:
    """Return an image with ``tags``, of which ``said`` was said."""
    return judged(file(image(**tags)), said or prediction(), exam)


def exam(*reports: Measured, **facts: Any) -> Exam:
    return Exam(prediction_id=UUID(EXAMPLE["id"]), measured=reports, **facts)


def told(*values: Measurement, **changes: Any) -> Measured:
    """Return what a scanner's report told: ``values``, or the spine, L4 and both hips."""
    fields: dict[str, Any] = {
        "source": "Enhanced SR",
        "scanner": Scanner(vendor="Hologic & Co", serial="DX-0417"),
        "model": "Horizon <A>",
        "acquired_on": "2026-01-30",
        "values": values or MEASURED,
        "left_out": (LeftOut(region="L3", quantity="t_score", reason="range"),),
    }
    return Measured(**{**fields, **changes})


MEASURED = (
    Measurement(region="L4", vertebrae=("L4",), bmd_g_cm2=0.9, t_score=-1.4),
    Measurement(
        region="lumbar_spine", vertebrae=("L1", "L2", "L4"), bmd_g_cm2=0.873, t_score=-1.8,
        z_score=-0.4,
    ),
    Measurement(region="femoral_neck", side="left", bmd_g_cm2=0.631, t_score=-2.0),
    Measurement(region="total_hip", side="right", bmd_g_cm2=0.8, t_score=-1.0, z_score=0.1),
    Measurement(region="one_third_radius", bmd_g_cm2=0.6),
)  # fmt: skip


def made(*parts: Judged, **changes: Any) -> Made:
    parts = parts or (part(PatientName="Doe^Jane", PatientID="4711", AccessionNumber="A1"),)
    origin = Origin(
        study_uid=str(parts[0].source.StudyInstanceUID),
        hashes=tuple("ab"[number % 2] * 64 for number in range(len(parts))),
        versions=tuple(one.prediction.version or "" for one in parts),
        revision=0,
    )
    values = {"case_id": CASE, "site": "default", "parts": parts, "origin": origin, "at": AT}
    return Made(**{**values, **changes})


@cache
def sheet() -> bytes:
    return document.sheet(part(), png(waves(224, 224)))


STUDIES = {
    "one": made(),
    "refused": made(part(), part(prediction(**REFUSED))),
    "bare": made(part(AccessionNumber="", StudyDate="", StudyTime="", Modality="", PatientName="")),
    "markup": made(part(PatientID="<b>&1", IssuerOfPatientID="H & Co")),
    "sheet": made(sheets=(b"%PDF-1.4 a sheet",)),
    "measured": made(part(PatientID="4711", exam=exam(told()))),
}
