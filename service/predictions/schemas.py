"""The answer about one image: what is stored, sent as JSON and drawn as a page."""

from __future__ import annotations

from typing import Any, Final, Literal, Self, get_args

from pydantic import Field

from models.image import recipe
from service.errors import CodedError
from service.language.locale import N_
from service.medicine.osteoporosis.schemas import Analysis
from service.reviews.schemas import Review

DeletionReason = Literal["duplicate", "quality", "wrong_patient", "test", "erasure", "retention"]
"""Why a result is deleted: one of a few, since the trail keeps it for good and no name with it."""

DELETION_REASONS: Final[tuple[DeletionReason, ...]] = get_args(DeletionReason)


class SignedError(CodedError):
    """What a clinician has signed is not deleted."""

    code = "result_signed"

    def __init__(self) -> None:
        super().__init__(N_("The result is signed or overridden: it cannot be deleted."))


class NoReasonError(CodedError):
    """Where people sign in nothing is deleted without a reason."""

    code = "invalid_request"

    def __init__(self) -> None:
        super().__init__(f"query.reason: one of {', '.join(DELETION_REASONS)} is needed.")


class Prediction(Analysis):
    """One judged image. Research use only: not a diagnosis, not for rule-out."""

    review: Review | None = Field(
        default=None,
        description="A clinician's last word; the answer is preliminary while it is null.",
    )

    @classmethod
    def of(cls, analysis: Analysis) -> Self:
        """Return what is kept of ``analysis``, which nobody has reviewed yet."""
        return cls(**dict(analysis))

    def document(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def _vote(probability: float, contribution: float, version: str) -> dict[str, Any]:
    return {
        "probability": probability,
        "contribution": contribution,
        "version": "sha256:" + version * 32,
        "measurements": None,
    }


def _level(name: str, middle: float, tilt: float, density: float) -> dict[str, Any]:
    """Return an upright block around (156, ``middle``); a real outline has some eighty points."""
    left, right, top, bottom = 109.0, 203.0, middle - 26.0, middle + 26.0
    return {
        "level": name,
        "outline": [[left, top], [right, top], [right, bottom], [left, bottom]],
        "centre": [156.0, middle],
        "height": 52.0,
        "width": 94.0,
        "height_mm": 31.2,
        "tilt": tilt,
        "relative_density": density,
        "confidence": 0.97,
    }


_VERTEBRAE: Final[dict[str, Any]] = {
    "source": "model",
    "version": "sha256:" + "5a" * 32,
    "levels": [
        _level("L1", 101.0, 0.4, 0.86),
        _level("L2", 163.5, -0.2, 0.88),
        _level("L3", 226.0, 0.3, 1.24),
        _level("L4", 288.5, 0.6, 0.98),
    ],
    "axis_tilt": 0.0,
    "curve": 0.2,
    "curve_interval": [0.0, 2.9],
    "iliac_crests_visible": None,
    "findings": [
        {
            "code": "denser_than_neighbours",
            "level": "L3",
            "value": 1.33,
            "rule": "1.25 times its neighbours or more, above soft tissue",
        }
    ],
    "placement": [[1.382353, 0.0, 1.176471], [0.0, 1.736111, 0.305556]],
}

EXAMPLE: Final[dict[str, Any]] = {
    "id": "7f9c24e8-3b12-4c5d-9a77-2f1e0d6b8c43",
    "created_at": "2026-02-03T09:41:07.215000Z",
    "outcome": "osteoporosis",
    "probability": 0.83,
    "threshold": 0.41,
    "band": [0.35, 0.48],
    "degraded": False,
    "missing": [],
    "models": {
        "cnn": _vote(0.79, 0.61, "1c"),
        "vgg16": _vote(0.88, 0.94, "5e"),
        "resnet": _vote(0.71, 0.33, "a4"),
        "bone": {
            **_vote(0.76, 0.42, "b0"),
            "measurements": [
                {"name": "bone_to_noise", "value": 2.14, "contribution": 0.58},
                {"name": "levels_spread", "value": 0.21, "contribution": -0.17},
            ],
        },
    },
    "quality": {"accepted": True, "reasons": [], "findings": []},
    "image": {"sha256": "9b" * 32, "format": "dicom", "width": 312, "height": 389, "cropped": None},
    "recipe": recipe.NAME,
    "version": "sha256:" + "d7" * 32,
    "vertebrae": _VERTEBRAE,
    "intended_use": "research",
    "timings_ms": {
        "read": 6.1,
        "frame": 1.4,
        "keep": 2.3,
        "vertebrae": 18.9,
        "prepare": 11.2,
        "cnn": 14.8,
        "vgg16": 38.5,
        "resnet": 21.7,
        "bone": 17.5,
        "stack": 4.4,
        "total": 81.3,
    },
    "review": None,
}
"""A full answer, shown in the API documentation; a test holds it against real ones."""
