"""Is this an image that the models may judge?

A refusal is a result, not an error: the file could be read, but an answer would be a guess. Each
reason is a stable code; ``not_spine_dxa`` and its kin need a fitted gate and come with the models
issue. What is here needs no fitting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from models import recipe
from models.recipe import Canonical
from models.scan import Scan

MIN_SIDE: Final = 96
"""Pixels. Below, a vertebra is under 20 pixels high and its texture cannot be told."""

MIN_GREY_LEVELS: Final = 24
"""Steps of grey between the recipe's percentiles; with fewer, stretching shows noise as bone."""

MAX_ASPECT: Final = 2.5
"""Longer side over shorter. Lumbar fields are about 11–18 × 20 cm (DOMAIN §1.6)."""


@dataclass(frozen=True)
class Quality:
    accepted: bool
    reasons: tuple[str, ...] = ()


def assess(scan: Scan, canonical: Canonical) -> Quality:  # noqa: ARG001 - the fitted gate looks at it
    """Return whether ``scan`` may be judged, and the codes of what speaks against it."""
    reasons = []
    shorter, longer = sorted((scan.width, scan.height))
    if shorter < MIN_SIDE:
        reasons.append("too_small")
    if longer > MAX_ASPECT * shorter:
        reasons.append("wrong_shape")
    black, white = recipe.grey_range(scan.pixels)
    if white - black < MIN_GREY_LEVELS:
        reasons.append("low_contrast")
    return Quality(accepted=not reasons, reasons=tuple(reasons))
