"""What a DICOM file says of itself: body part, view, intent, burned-in text.

A file that calls itself a hip is refused even where its pixels pass for a spine: one of the two is
wrong, and nobody here can tell which. What it does not say, or says in words that are no defined
term (PS3.16 annex L), is not held against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.gate.reason import Reason

OTHER: Final = frozenset({
    "ANKLE", "ARM", "BREAST", "CALCANEUS", "CHEST", "CLAVICLE", "CSPINE", "COCCYX", "ELBOW",
    "EXTREMITY", "FEMUR", "FINGER", "FOOT", "FOREARM", "HAND", "HEAD", "HEEL", "HIP", "HUMERUS",
    "JAW", "KNEE", "LEG", "NECK", "PELVIS", "RADIUS", "RADIUSULNA", "SHOULDER", "SKULL", "SSPINE",
    "TIBIAFIBULA", "TOE", "TSPINE", "ULNA", "WHOLEBODY", "WRIST",
})  # fmt: skip
"""Terms for what does not show L1–L4, or too small."""

SIDEWAYS: Final = frozenset({"LL", "RL", "LLD", "RLD", "LAT", "LATERAL", "LLO", "RLO"})
"""View Position (0018,5101): lateral and oblique views, in which densities and outlines differ."""


def reasons(tags: Mapping[str, str]) -> tuple[Reason, ...]:
    """Return why ``tags`` (DICOM keyword → text) speak against an AP lumbar spine for display.

    Some refuse and some only warn; files that say nothing, such as PNG, have none.
    """
    part = tags.get("BodyPartExamined", "").strip().upper()
    found = []
    if part in OTHER or any(part.startswith(f"{term} ") for term in OTHER):
        found.append(Reason.OTHER_BODY_PART)
    if tags.get("ViewPosition", "").strip().upper() in SIDEWAYS:
        found.append(Reason.OTHER_VIEW)
    if tags.get("PresentationIntentType", "").strip().upper() == "FOR PROCESSING":
        found.append(Reason.FOR_PROCESSING)
    if tags.get("BurnedInAnnotation", "").strip().upper() == "YES":
        found.append(Reason.BURNED_IN_ANNOTATION)
    return tuple(found)
