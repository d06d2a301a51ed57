"""What is done with a file's pixels before any vote, in two steps, between which runners are asked.

::

    bytes            ── frame ──▶    Framed      the scan, its whole image at 224×224, cheap checks
    Framed, outlines ── prepare ──▶  Prepared    canonical image, gate, findings, picture

Both run in a decoder's worker (:mod:`service.decoding`), which imports this and what it needs: keep
that small.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.drift.statistics import Statistic, describe
from models.gate import Gate, quality, view
from models.gate.quality import Reason
from models.image import recipe
from models.image.cropping import Box, crop
from models.image.errors import DecoderError, ScanError
from models.image.recipe import Canonical
from models.image.scan import Scan
from models.reading import Limits, read
from models.vertebrae import curvature, findings, report
from models.vertebrae.geometry import LEVELS, Outlined, Spine
from models.vertebrae.nominal import nominal
from models.vertebrae.report import LevelReport, Report
from service.medicine import sent as sending
from service.medicine.schemas import Image, Quality
from service.medicine.sent import Kept, SentImage
from service.medicine.vertebrae.schemas import Finding, Level, Vertebrae
from service.timing import timed

FINE: Final = 2
"""Decimals of a coordinate that are told, and of a size."""

EXACT: Final = 6
"""Decimals of the placement's matrix: it is multiplied by hundreds of pixels."""


@dataclass(frozen=True, eq=False)
class Framed:
    """A file that was read; ``reasons`` refuse it before anybody is asked,
    ``findings`` only tell. ``scan`` is reduced to what its canonical image is made of, and travels
    between processes; ``image`` says how large it came, ``box`` which part of that it was, and
    ``sent`` is what is kept of all of it."""

    image: Image
    box: Box
    scan: Scan
    frame: Canonical
    reasons: tuple[str, ...]
    findings: tuple[str, ...]
    timings: dict[str, float]
    sent: SentImage | None = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that is known of a file before a model votes.

    ``canonical`` and ``vertebrae`` are None where the image is refused: what its frame shows is
    ``png`` then, and ``recipe`` names which of the two that is. ``outlined_by`` is the version of
    the model that looked for vertebrae, None where it was not asked. ``sent`` is what is kept of
    the image as it came.
    """

    image: Image
    quality: Quality
    canonical: Canonical | None
    png: bytes
    recipe: str
    statistics: dict[Statistic, float]
    vertebrae: Vertebrae | None
    outlined_by: str | None
    timings: dict[str, float]
    sent: SentImage | None = None


NOTHING: Final = Kept()


def frame(data: bytes, digest: str, limits: Limits, kept: Kept = NOTHING) -> Framed:
    """Return the scan in ``data`` and its frame, and what is ``kept`` of it as it was sent.

    Raises :class:`models.image.errors.ScanError`.
    """
    timings: dict[str, float] = {}
    with timed(timings, "read"):
        sent = read(data, limits)
    with timed(timings, "frame"):
        cropped = crop(sent)
        scan, box = cropped.scan, cropped.box
        framed = recipe.frame(scan)
        checked = quality.check(scan)
    with timed(timings, "keep"):
        whole = sending.whole(sent, kept)
    return Framed(
        image=Image(
            sha256=digest,
            format=sent.format,
            width=sent.width,
            height=sent.height,
            cropped=None if scan is sent else (box.left, box.top, box.width, box.height),
        ),
        box=box,
        scan=recipe.reduced(scan),
        frame=framed,
        reasons=checked.reasons,
        findings=checked.findings,
        timings=timings,
        sent=whole,
    )


def refuse(framed: Framed) -> Prepared:
    """Return what is left to say of an image that is not worth asking about."""
    told = Quality(accepted=False, reasons=framed.reasons, findings=framed.findings)
    return _refused(framed, told, framed.frame, None)


def prepare(framed: Framed, outlined: Outlined, version: str, kept: Kept = NOTHING) -> Prepared:
    """Return the canonical image and all that is told beside votes; ``outlined`` is what model
    ``version`` found in the frame."""
    timings: dict[str, float] = {}
    with timed(timings, "prepare"):
        cleaned = recipe.cleaned(framed.frame, outlined.graphics)
        verdict = quality.judge(cleaned, _gate())
        reasons, spine = verdict.reasons, outlined.spine
        if spine is None:
            reasons = (*reasons, Reason.VERTEBRAE_NOT_FOUND.value)
        told = Quality(
            accepted=not reasons,
            reasons=reasons,
            findings=(*framed.findings, *verdict.findings),
        )
        if spine is None or reasons:
            prepared = _refused(framed, told, cleaned, version)
        else:
            canonical = recipe.prepare(framed.scan, spine, outlined.graphics)
            if view.is_lateral(canonical, spine):
                reason = Reason.LATERAL_VIEW.value
                told = told.model_copy(update={"accepted": False, "reasons": (reason,)})
                prepared = _refused(framed, told, cleaned, version)
            else:
                prepared = _accepted(
                    framed, told, spine, outlined, cleaned, canonical, version, kept
                )
    prepared.timings.update(timings)
    return prepared


def _refused(framed: Framed, told: Quality, shown: Canonical, version: str | None) -> Prepared:
    return Prepared(
        image=framed.image,
        quality=told,
        canonical=None,
        png=recipe.encode(shown, recipe.FRAME),
        recipe=recipe.FRAME,
        statistics={},
        vertebrae=None,
        outlined_by=version,
        timings=dict(framed.timings),
    )


def _accepted(
    framed: Framed,
    told: Quality,
    spine: Spine,
    outlined: Outlined,
    cleaned: Canonical,
    canonical: Canonical,
    version: str,
    kept: Kept,
) -> Prepared:
    found = report.describe(
        spine,
        framed.box.width,
        framed.box.height,
        canonical,
        framed.scan.spacing,
        (framed.box.left, framed.box.top),
    )
    noticed = findings.findings(spine, found, framed.frame, cleaned, outlined.graphics)
    return Prepared(
        image=framed.image,
        quality=told,
        canonical=canonical,
        png=recipe.encode(canonical),
        recipe=recipe.NAME,
        statistics=describe(canonical),
        vertebrae=vertebrae(found, noticed, version),
        outlined_by=version,
        timings=dict(framed.timings),
        sent=sending.column(framed.scan, framed.box, spine, outlined.graphics, kept),
    )


def vertebrae(found: Report, noticed: tuple[findings.Finding, ...], version: str) -> Vertebrae:
    """Return what is told of a spine, rounded."""
    first, second = (
        (round(a, EXACT), round(b, EXACT), round(c, EXACT)) for a, b, c in found.placement
    )
    return Vertebrae(
        source="model",
        version=version,
        levels=tuple(_level(one) for one in found.levels),
        axis_tilt=round(found.axis_tilt, FINE),
        curve=round(found.curve, FINE),
        curve_interval=_interval(found),
        iliac_crests_visible=None,
        findings=tuple(
            Finding(code=one.code, level=one.level, value=round(one.value, FINE), rule=one.rule)
            for one in noticed
        ),
        placement=(first, second),
    )


def _interval(found: Report) -> tuple[float, float] | None:
    if len(found.levels) < len(LEVELS):
        return None
    low, high = curvature.interval(found.curve, found.curve_half)
    return round(low, FINE), round(high, FINE)


def _level(found: LevelReport) -> Level:
    return Level(
        level=found.level,
        outline=tuple((round(x, FINE), round(y, FINE)) for x, y in found.outline),
        centre=(round(found.centre[0], FINE), round(found.centre[1], FINE)),
        height=round(found.height, FINE),
        width=round(found.width, FINE),
        height_mm=None if found.height_mm is None else round(found.height_mm, FINE),
        tilt=round(found.tilt, FINE),
        relative_density=round(found.relative_density, 3),
        confidence=round(found.confidence, 3),
    )


ERRORS: Final[tuple[type[Exception], ...]] = (ScanError,)
"""What :func:`frame` raises."""

KNOWN: Final[tuple[type, ...]] = (
    Framed, Prepared, Scan, Box, SentImage, Image, Quality, Vertebrae, Level, Finding,
    ScanError, DecoderError, *ScanError.__subclasses__(),
)  # fmt: skip
"""Types that what both steps return or raise is made of."""


def load() -> tuple[type[Exception], ...]:
    """Prepare an image once, so that what is only set up on first use is no person's wait."""
    rows, columns = np.indices((recipe.SIDE, recipe.SIDE))
    png = recipe.encode(((rows + columns) // 2).astype(np.uint8))
    outlined = Outlined(nominal(), np.eye(recipe.SIDE, dtype=bool))
    prepare(frame(png, "0" * 64, Limits()), outlined, "sha256:" + "0" * 64)
    return ERRORS


@functools.cache
def _gate() -> Gate:
    return quality.served_gate()
