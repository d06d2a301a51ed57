"""What lies around a scan in one grey level is cut off: borders of windows, letterboxes, slides.

Only where that is certain: two sides that face each other are even, of one grey level and at least
:data:`THICK`, and end along a straight edge behind which the image is another. Then the other sides
are cut off as far as they are even and of that level. The air beside a patient is even as well, but
a body has no straight edge. A frame within a frame is cut off too. What is not certain stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.image.scan import Scan

THICK: Final = 0.012
"""Share of a side that a frame has at least, and not less than :data:`FEWEST` pixels."""

FEWEST: Final = 3

EVEN: Final = (8 / 255, 2 / 255)
"""Shares of the display range within which a frame's pixels lie. The first is what lossy
compression leaves of it beside an edge; the second tells black from the dark beside a patient."""

STRAY: Final = 0.02
"""Share of a frame's line that may differ more."""

STRAIGHT: Final = 0.6
"""Share of the edge along which another grey level begins within :data:`EDGE` pixels: resizing
blurs an edge over one or two, and where tissue is as dark as a frame only grain differs."""

EDGE: Final = 4

RINGING: Final = 8
"""Pixels before an edge that compression and resizing spoil at most: a block of JPEG."""

FAINT: Final = 0.25
"""Share of the step from frame to image below which a line between them is spoilt frame."""

SAMPLES: Final = 512
"""Pixels of a line that are looked at, evenly spread, where there are more."""

ROUNDS: Final = 4
"""Frames within frames."""

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class Box:
    """Where the scan lies in the image as sent, in its pixels from the top left corner."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Cropped:
    """``scan`` is what ``box`` holds of the image, all of it where no frame is certain."""

    scan: Scan
    box: Box


def crop(scan: Scan) -> Cropped:
    """Return ``scan`` without a frame that is certain. Bit depth, spacing and tags stay."""
    top, bottom, left, right = 0, scan.height, 0, scan.width
    for _ in range(ROUNDS):
        above, below, before, behind = _sides(scan.pixels[top:bottom, left:right], scan.bits)
        if not (above or below or before or behind):
            break
        top, bottom, left, right = top + above, bottom - below, left + before, right - behind
    box = Box(left, top, right - left, bottom - top)
    if (box.width, box.height) == (scan.width, scan.height):
        return Cropped(scan, box)
    inside: Pixels = scan.pixels[top:bottom, left:right].copy()
    return Cropped(replace(scan, pixels=inside), box)


def _sides(pixels: Pixels, bits: int) -> tuple[int, int, int, int]:
    """Return how many lines of a frame lie above, below, left and right."""
    for share in EVEN:
        within = round(share * (2**bits - 1))
        above, below = (_Side.of(view, within) for view in (pixels, pixels[::-1]))
        before, behind = (_Side.of(view, within) for view in (pixels.T, pixels.T[::-1]))
        pairs = ((above, below), (before, behind))
        if not any(one.faces(other, within) for one, other in pairs):
            return 0, 0, 0, 0
        if any(one.lines + other.lines >= len(one.view) for one, other in pairs):
            continue  # nothing but frame
        for (one, other), (start, end) in zip(pairs, pairs[::-1], strict=True):
            # Straight between the corners, which are even in any case.
            if one.faces(other, within) and all(
                side.ends(start.lines, end.lines, within) for side in (one, other)
            ):
                first, second, third, fourth = (
                    side.lines if side.thick and abs(side.level - one.level) <= within else 0
                    for side in (above, below, before, behind)
                )
                return first, second, third, fourth
    return 0, 0, 0, 0


@dataclass(frozen=True, eq=False)
class _Side:
    """The image seen from one side: its first ``lines`` are of a grey ``level``."""

    view: Pixels
    level: int
    lines: int

    @classmethod
    def of(cls, view: Pixels, within: int) -> _Side:
        level = int(np.sort(view[0])[view.shape[1] // 2])
        lines = _even(view, level, within)
        if lines >= FEWEST:
            lines += _spoilt(view, level, lines)
        return cls(view, level, lines)

    @property
    def thick(self) -> bool:
        return self.lines >= max(FEWEST, round(THICK * len(self.view)))

    def faces(self, other: _Side, within: int) -> bool:
        """Return whether both sides may be of one frame."""
        return self.thick and other.thick and abs(self.level - other.level) <= within

    def ends(self, start: int, end: int, within: int) -> bool:
        """Return whether another image begins at a straight edge, without the ``start`` first
        and ``end`` last pixels of lines."""
        behind = self.view[self.lines : self.lines + EDGE, start : self.view.shape[1] - end]
        other = _other(behind, self.level, within).any(0)
        return bool(np.count_nonzero(other) >= STRAIGHT * other.size)


def _even(view: Pixels, level: int, within: int) -> int:
    """Return how many of the first lines are of a grey ``level``."""
    sampled = view[:, :: max(1, view.shape[1] // SAMPLES)]
    # Most images have no frame: a few lines tell, and the others are not read.
    first = 0
    for last in (FEWEST, 16 * FEWEST, len(view)):
        other = _other(sampled[first:last], level, within)
        uneven = np.count_nonzero(other, 1) > STRAY * other.shape[1]
        if uneven.any():
            return first + int(uneven.argmax())
        first = last
    return len(view)


def _spoilt(view: Pixels, level: int, count: int) -> int:
    """Return how many of the lines behind ``count`` even ones are frame that resizing or lossy
    compression spoilt: none where the last even line is as it was drawn."""
    if (view[count - 1] == level).all():
        return 0
    lines = view[count : count + RINGING + 1].astype(np.float32)
    apart = np.abs(lines - np.float32(level)).mean(1)
    if not len(apart):
        return 0
    return int((apart >= FAINT * apart[-1]).argmax())


def _other(pixels: Pixels, level: int, within: int) -> NDArray[np.bool_]:
    below, above = max(level - within, 0), level + within
    return np.asarray((pixels < below) | (pixels > above))
