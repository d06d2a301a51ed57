"""What messages are composed of: phantoms that were judged."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from service.exams.measurements import LeftOut, Measured, Measurement
from service.exams.parts import Scanner
from service.exams.schemas import Exam
from service.integration.compose import document
from service.integration.compose.source import Judged, Made, judged
from service.integration.compose.uids import Origin
from service.medicine.modalities.entered import Entered
from service.medicine.morphometry.kept import KeptPoints
from service.medicine.morphometry.schemas import EXAMPLE as POINTS
from service.medicine.progression.place import Place, place
from service.medicine.progression.precision import Precision
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


ENTERED = Entered.model_validate_json("""{
    "ct": {
        "region": {"slice": 3, "x": 40.0, "y": 50.0, "radius_x_mm": 12.0, "radius_y_mm": 8.0},
        "mean_hu": 96.4, "sd_hu": 21.5, "se_hu": 1.2, "low_hu": 30.0, "high_hu": 160.0,
        "pixels": 320, "area_mm2": 301.0, "contrast": "unknown",
        "scan": {
            "vendor": "Siemens & Co", "model": "Force", "acquired_on": "2026-01-12",
            "voltage_kv": 120.0
        }
    },
    "ct_entry": {"by": "Reader <B>", "at": "2026-01-31T09:30:00Z"},
    "ultrasound": {
        "device": "achilles", "serial": "A-7", "side": "left", "measured_on": "2026-01-20",
        "sos_m_s": 1531.2, "bua_db_mhz": 108.4, "stiffness_index": 81.4
    },
    "ultrasound_entry": {"by": null, "at": "2026-01-31T10:00:00Z"}
}""")
"""CT that somebody measured, and ultrasound of which nobody is named."""


def points(number: int = 1, **changes: Any) -> KeptPoints:
    """Return points of T12 to L2 as a reader kept them, T12's as they were proposed."""
    vertebrae = [{**one, "as_proposed": one["level"] == "T12"} for one in POINTS["vertebrae"]]
    fields = {
        "number": number, "kept_at": "2026-02-03T12:00:00Z", "by": "Reader <B>", "person_id": None,
        "vertebrae": vertebrae, "pixel_aspect": 1.0,
    }  # fmt: skip
    return KeptPoints.model_validate({**fields, **changes})


def lateral(*kept: KeptPoints, **changes: Any) -> Judged:
    """Return a lateral image, which was refused, with every version of its points."""
    one = part(prediction(**{**REFUSED, **changes}), PatientID="4711")
    return dataclasses.replace(one, points=kept or (points(),))


def course(*bmd: float, **facts: Any) -> tuple[Exam, Place]:
    """Return the newest of a woman's exams, a year apart, with these values, and its place."""
    told = {
        "scanner": Scanner(vendor="Hologic", serial="DX-1"), "t_score": -1.7,
        "vertebrae": ("L1", "L2", "L3", "L4"), "sex": "female", "age_years": 66, **facts,
    }  # fmt: skip
    exams = [
        Exam(
            prediction_id=uuid4(),
            acquired_on=date(2026 - len(bmd) + number, 1, 30),
            bmd_g_cm2=value,
            **told,
        )
        for number, value in enumerate(bmd, 1)
    ]
    newest = exams[-1]
    return newest, place(exams, newest.prediction_id, Precision())


def placed(*bmd: float, **tags: Any) -> Judged:
    """Return the image of the newest exam of such a course."""
    newest, where = course(*bmd)
    return dataclasses.replace(part(exam=newest, **tags), place=where)


STUDIES = {
    "one": made(),
    "refused": made(part(), part(prediction(**REFUSED))),
    "bare": made(part(AccessionNumber="", StudyDate="", StudyTime="", Modality="", PatientName="")),
    "markup": made(part(PatientID="<b>&1", IssuerOfPatientID="H & Co")),
    "sheet": made(sheets=(b"%PDF-1.4 a sheet",)),
    "measured": made(part(PatientID="4711", exam=exam(told()))),
    "entered": made(part(PatientID="4711", exam=exam(modalities=ENTERED))),
    "heights": made(lateral()),
    "course": made(placed(0.9, 0.88, 0.83, PatientID="4711")),
}
