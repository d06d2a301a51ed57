"""From scans to canonical images, with the network that finds the vertebrae in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.image import recipe
from models.image.cropping import crop
from models.image.recipe import Canonical
from models.image.scan import Scan
from models.vertebrae import report
from models.vertebrae.findings import Finding, findings
from models.vertebrae.geometry import Outlined

Outline = Callable[[NDArray[np.uint8]], list[Outlined]]
"""(n, 224, 224) uint8 frames → what each shows: :meth:`models.inference.base.Outliner.outline`."""

TOGETHER: Final = 16
"""Frames outlined in one call."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """``scan`` is without a frame around it; ``canonical`` is None where too few vertebrae were
    found to know the scale."""

    scan: Scan
    frame: Canonical
    outlined: Outlined
    canonical: Canonical | None

    @property
    def cleaned(self) -> Canonical:
        """The frame without drawn graphics, which the gate looks at."""
        return recipe.cleaned(self.frame, self.outlined.graphics)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is noticed of the vertebrae; nothing where there is no canonical image."""
        scan, spine = self.scan, self.outlined.spine
        if spine is None or self.canonical is None:
            return ()
        found = report.describe(spine, scan.width, scan.height, self.canonical, scan.spacing)
        return findings(spine, found, self.frame, self.cleaned, self.outlined.graphics)


def prepare(scans: Iterable[Scan], outline: Outline) -> Iterator[Prepared]:
    """Yield the frame and canonical image of each of ``scans``."""
    waiting = iter(scans)
    while some := [crop(scan).scan for scan in islice(waiting, TOGETHER)]:
        frames = np.stack([recipe.frame(scan) for scan in some])
        for scan, framed, outlined in zip(some, frames, outline(frames), strict=True):
            spine = outlined.spine
            canonical = None if spine is None else recipe.prepare(scan, spine, outlined.graphics)
            yield Prepared(scan, framed, outlined, canonical)
