"""Is this an image that the models may judge?

A refusal is a result, not an error: the file could be read, but an answer would be a guess. Each
reason is a stable code of :class:`~models.gate.Reason`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from models import artifact
from models.gate import Gate, Reason, declared, photograph, view
from models.image import recipe
from models.image.recipe import Canonical
from models.image.scan import Scan
from models.vertebrae.geometry import Spine

__all__ = ["Gate", "Quality", "Reason", "assess", "check", "judge", "served_gate"]

MIN_SIDE: Final = 144
"""Pixels. Below, a vertebra is under some 23 pixels high, two thirds of those in training: what an
image of half their size has lost changes one answer in five (domain.md §2.6)."""

MIN_GREY_LEVELS: Final = 24
"""Steps of grey between the recipe's percentiles; with fewer, stretching shows noise as bone."""

MAX_ASPECT: Final = 2.5
"""Longer side over shorter. Lumbar fields are about 11–18 × 20 cm (domain.md §2.1)."""


@dataclass(frozen=True)
class Quality:
    """``accepted`` exactly when there are no ``reasons``; ``findings`` are codes of suspicions
    that do not refuse: something for the reader of the scan to look at, never a diagnosis.
    """

    accepted: bool
    reasons: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


def served_gate() -> Gate:
    """Return the gate that is served, or the shipped one where only models were trained anew."""
    root = artifact.artifacts_folder()
    if "gate" not in artifact.served(root):
        root = artifact.FOLDER
    return Gate.from_artifact(artifact.load("gate", root))


def assess(
    scan: Scan,
    cleaned: Canonical,
    gate: Gate,
    canonical: Canonical | None = None,
    spine: Spine | None = None,
) -> Quality:
    """Return whether ``scan`` may be judged, and the codes of what speaks against it.

    ``cleaned`` is its frame without drawn graphics, ``canonical`` its canonical image and
    ``spine`` what was found in its frame, where that is known.
    """
    checked = check(scan)
    if not checked.accepted:
        return checked
    judged = judge(cleaned, gate)
    lateral = canonical is not None and spine is not None and view.is_lateral(canonical, spine)
    if judged.accepted and lateral:
        judged = replace(judged, accepted=False, reasons=(Reason.LATERAL_VIEW.value,))
    return replace(judged, findings=(*checked.findings, *judged.findings))


def check(scan: Scan) -> Quality:
    """Return what the file, the size, the shape, the grey levels and the finest pattern say,
    before all else."""
    said = declared.reasons(scan.tags)
    reasons = [reason for reason in said if reason.refuses]
    shorter, longer = sorted((scan.width, scan.height))
    if shorter < MIN_SIDE:
        reasons.append(Reason.TOO_SMALL)
    if longer > MAX_ASPECT * shorter:
        reasons.append(Reason.WRONG_SHAPE)
    black, white = recipe.grey_range(scan.pixels)
    if white - black < MIN_GREY_LEVELS:
        reasons.append(Reason.LOW_CONTRAST)
    if photograph.is_photograph(scan):
        reasons.append(Reason.PHOTOGRAPH)
    return Quality(
        accepted=not reasons,
        reasons=tuple(reason.value for reason in reasons),
        findings=tuple(reason.value for reason in said if not reason.refuses),
    )


def judge(cleaned: Canonical, gate: Gate) -> Quality:
    """Return what ``gate`` says of a frame without drawn graphics."""
    verdict = gate.judge(cleaned)
    return Quality(
        accepted=not verdict.reasons,
        reasons=tuple(reason.value for reason in verdict.reasons),
        findings=tuple(finding.value for finding in verdict.findings),
    )
