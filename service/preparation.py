"""From the bytes of a file to all that is known of it before a model looks at it.

Runs in a decoder's worker (:mod:`service.decoding`), which imports this and what it needs: keep
that small.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np

from models import quality, recipe
from models.errors import DecoderError, ScanError
from models.gate import Gate
from models.reading import Limits, read
from models.recipe import Canonical
from models.statistics import Statistic, describe
from service.prediction import Image, Quality
from service.timing import timed


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that is known of a file before a model looks at it."""

    image: Image
    quality: Quality
    canonical: Canonical
    png: bytes
    statistics: dict[Statistic, float]
    timings: dict[str, float]


ERRORS: Final[tuple[type[Exception], ...]] = (ScanError,)
"""What :func:`prepare` raises."""

KNOWN: Final[tuple[type, ...]] = (
    Prepared, Image, Quality, ScanError, DecoderError, *ScanError.__subclasses__(),
)  # fmt: skip
"""Types that what :func:`prepare` returns or raises is made of."""


def prepare(data: bytes, digest: str, limits: Limits) -> Prepared:
    """Read, judge the quality of and bring to canonical form one file."""
    timings: dict[str, float] = {}
    with timed(timings, "read"):
        scan = read(data, limits)
    with timed(timings, "prepare"):
        canonical = recipe.prepare(scan)
        verdict = quality.assess(scan, canonical, _gate())
        statistics = describe(canonical)
        png = recipe.encode(canonical)
    return Prepared(
        image=Image(sha256=digest, format=scan.format, width=scan.width, height=scan.height),
        quality=Quality(
            accepted=verdict.accepted, reasons=verdict.reasons, findings=verdict.findings
        ),
        canonical=canonical,
        png=png,
        statistics=statistics,
        timings=timings,
    )


def load() -> tuple[type[Exception], ...]:
    """Prepare an image once, so that what is only set up on first use is no person's wait."""
    rows, columns = np.indices((recipe.SIDE, recipe.SIDE))
    png = recipe.encode(((rows + columns) // 2).astype(np.uint8))
    prepare(png, "0" * 64, Limits())
    return ERRORS


@functools.cache
def _gate() -> Gate:
    return quality.served_gate()
