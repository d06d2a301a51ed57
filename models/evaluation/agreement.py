"""How alike a scan and its altered copies are judged: a figure of first rank beside accuracy.

A copy differs from its scan in nothing that is bone. What a model says of it must not differ
either, whatever size, crop, turn, compression or drawn line it came with.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artifact import ArtifactError
from models.dataset import Dataset
from models.inference.calibration import OperatingPoint

KEY: Final = "agreement"


class AgreementError(ArtifactError):
    """A model judges copies of a scan too unlike the scan to be served."""


@dataclass(frozen=True)
class Limits:
    """The least share of outcomes alike, the most that a probability moves on the mean, and the
    most sensitivity that copies lose, over all copies out of fold."""

    alike: float
    moved: float
    lost: float


SERVED: Final = Limits(alike=0.86, moved=0.06, lost=0.06)
"""What the stack has to keep to be written."""

VOTING: Final = Limits(alike=0.70, moved=0.15, lost=0.12)
"""What each base model has to: it decides alone only where the others are missing."""


@dataclass(frozen=True)
class Agreement:
    """``alike``: share of copies with their scan's outcome (normal, indeterminate, osteoporosis);
    ``moved``: mean absolute change of the probability; sensitivity and specificity at the threshold
    of scans and of copies. None where there are no copies."""

    copies: int
    alike: float | None
    moved: float | None
    sensitivity: float | None
    specificity: float | None
    copies_sensitivity: float | None
    copies_specificity: float | None

    def manifest(self) -> dict[str, Any]:
        return asdict(self)

    def check(self, name: str, limits: Limits) -> None:
        """Raise :class:`AgreementError` where copies are judged more unlike than ``limits`` say."""
        if self.alike is None or self.moved is None:
            return
        lost = (self.sensitivity or 0.0) - (self.copies_sensitivity or 0.0)
        for what, found, holds, limit in (
            ("outcomes alike", self.alike, self.alike >= limits.alike, limits.alike),
            ("mean |Δp|", self.moved, self.moved <= limits.moved, limits.moved),
            ("sensitivity lost", lost, lost <= limits.lost, limits.lost),
        ):
            if not holds:
                raise AgreementError(
                    f"{name} is not served: copies of its scans have {what} {found:.3f}; "
                    f"the limit is {limit:.3f}"
                )


def of(probability: NDArray[np.float64], point: OperatingPoint, data: Dataset) -> Agreement:
    """Return the agreement of ``probability`` (n, 1 + k): of each scan, then of its copies."""
    scans, copies = probability[:, :1], probability[:, 1:]
    if not copies.size:
        return Agreement(0, None, None, None, None, None, None)
    ill = np.repeat(data.osteoporosis[:, None], copies.shape[1], 1)
    well = np.repeat((data.judged & ~data.osteoporosis)[:, None], copies.shape[1], 1)
    called = probability >= point.threshold
    first = called[:, 0]
    same = _outcome(copies, point) == _outcome(scans, point)
    apart = np.abs(copies - scans)
    return Agreement(
        copies=int(copies.size),
        alike=float(same.mean()),
        moved=float(apart.mean()),
        sensitivity=_share(first[data.osteoporosis]),
        specificity=_share(~first[data.judged & ~data.osteoporosis]),
        copies_sensitivity=_share(called[:, 1:][ill]),
        copies_specificity=_share(~called[:, 1:][well]),
    )


def _outcome(probability: NDArray[np.float64], point: OperatingPoint) -> NDArray[np.int_]:
    """Return −1 below the band, 0 within it, 1 above."""
    low, high = point.band
    return np.where(probability < low, -1, np.where(probability > high, 1, 0))


def _share(true: NDArray[np.bool_]) -> float | None:
    return float(true.mean()) if true.size else None
