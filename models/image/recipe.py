"""The one way from a scan to the images that models see.

Training, evaluation, the front and the runners all come here; a model is stored with the ``NAME``
of the recipe that made its images and refuses images made by another. Change a pixel of an outcome
and the name must change with it: ``tests/models/image/test_recipe.py`` holds exact values.

``dxa-224/1``, the whole image (a *frame*), in which vertebrae are looked for:

1. Grey levels are stretched linearly so that the 0.5th percentile becomes black and the 99.5th
   white.
2. The image is resized to 224×224 with Pillow's area-aware bilinear filter, *without* keeping the
   aspect ratio, and rounded to uint8.

``spine-224/2``, what every other model judges: the bone at one scale and one sharpness, whatever
size, crop, turn or compression the image came with.

1. A scan whose longer side has more than :data:`LARGEST` pixels is reduced to that. Then it is
   resampled so that L1–L4 stand upright in the middle, one vertebra :data:`PITCH` pixels below the
   other and :data:`WIDTH` pixels wide. The two scales differ, because exports differ in aspect; the
   image is first reduced where it is finer than that.
2. It is smoothed by a Gaussian of :data:`SIGMA` pixels, which hides what resizing and compression
   change. Pixels under drawn graphics, at the image's rim and beyond it take no part: the sum is
   divided by the weight of those that do (normalised convolution, Knutsson and Westin, CVPR 1993),
   wider where too few are near.
3. Grey levels are stretched so that the :data:`BLACK_PERCENTILE` and :data:`WHITE_PERCENTILE` of
   the column's surroundings become :data:`BLACK` and :data:`WHITE`, and rounded to uint8. What lies
   elsewhere in the image changes nothing.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from models.image.scan import Scan
from models.vertebrae.geometry import Placement, Spine

NAME: Final = "spine-224/2"
FRAME: Final = "dxa-224/1"
SIDE: Final = 224
FRAME_PERCENTILES: Final = (0.5, 99.5)
WELL_FILLED: Final = 0.25
"""Share of the display range between those percentiles from which on 8 bits say enough."""

_BLOCK: Final = 1 << 20

LARGEST: Final = 1120
"""Pixels of the longer side to which a larger scan is reduced before its canonical image is made:
five times a frame's, and still more than a canonical image keeps."""

PITCH: Final = 36.0
WIDTH: Final = 68.0
"""Means of 110 public scans, so that canonical images look as those do."""

SIGMA: Final = 1.2
RIM: Final = 2.0
"""Pixels of a frame at the image's border that take no part: exports are often framed."""

COVERED: Final = 0.2
"""Share of a canonical pixel under graphics from which on it takes no part."""

WIDER: Final = (4.0, 10.0)
"""σ in pixels where the one before found less than :data:`SPARSE` of its weight."""

SPARSE: Final = 0.1
ENOUGH: Final = 0.25

ROWS: Final = slice(40, 184)
COLUMNS: Final = slice(48, 176)
"""L1–L4 with the soft tissue beside them, in the canonical image."""

BLACK_PERCENTILE: Final = 2.0
WHITE_PERCENTILE: Final = 98.0
BLACK: Final = 16.0
WHITE: Final = 240.0

BYTES: Final = SIDE * SIDE
"""Of one frame's or canonical image's pixels."""

Canonical = NDArray[np.uint8]
"""(224, 224) uint8, made by :func:`prepare`; also a frame, made by :func:`frame`."""

Floats = NDArray[np.float32]


class RecipeError(ValueError):
    """The bytes are not an image made by this recipe."""


def frame(scan: Scan) -> Canonical:
    """Return the whole of ``scan`` as a frame: (224, 224) uint8."""
    pixels = _eight_bits(scan)
    black, white = grey_range(pixels)
    # A constant image has no range; the reader refuses it, and here it stays all black.
    span = max(white - black, 1)
    # In place: a large scan is not held several times as floating point.
    stretched = pixels.astype(np.float32)
    stretched -= np.float32(black)
    stretched *= np.float32(255.0 / span)
    image = Image.fromarray(np.clip(stretched, 0.0, 255.0, out=stretched))
    del stretched
    if image.size != (SIDE, SIDE):
        image = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    framed: Canonical = np.clip(np.rint(np.asarray(image)), 0, 255).astype(np.uint8)
    return framed


def place(spine: Spine, width: int, height: int) -> Placement:
    """Return where the canonical image lies in an image of ``width`` × ``height`` pixels, whose
    frame shows ``spine``."""
    return Placement(spine.scaled(width / SIDE, height / SIDE), PITCH, WIDTH, SIDE)


def prepare(scan: Scan, spine: Spine, graphics: NDArray[np.bool_]) -> Canonical:
    """Return the canonical image of ``scan``, (224, 224) uint8.

    ``spine`` and ``graphics`` (224, 224) are what was found in its frame.
    """
    scan = reduced(scan)
    placement = place(spine, scan.width, scan.height)
    pixels, valid = _upright(scan.pixels, placement, graphics)
    smoothed = _smooth(pixels, valid)
    black, white = np.percentile(smoothed[ROWS, COLUMNS], (BLACK_PERCENTILE, WHITE_PERCENTILE))
    scale = (WHITE - BLACK) / max(float(white - black), 1e-6)
    levels = BLACK + (smoothed - np.float32(black)) * np.float32(scale)
    canonical: Canonical = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return canonical


def reduced(scan: Scan, longest: int = LARGEST) -> Scan:
    """Return ``scan`` with a longer side of ``longest`` pixels at most."""
    longer = max(scan.width, scan.height)
    if longer <= longest:
        return scan
    size = (
        max(1, round(scan.width * longest / longer)),
        max(1, round(scan.height * longest / longer)),
    )
    # By 8 or 16 bits as they are: floating point would hold a large scan four times.
    image = Image.fromarray(scan.pixels).resize(size, Image.Resampling.BOX)
    if scan.bits <= 8:
        return replace(scan, pixels=np.asarray(image, np.uint8))
    return replace(scan, pixels=np.asarray(image, np.uint16))


def cleaned(framed: Canonical, graphics: NDArray[np.bool_]) -> Canonical:
    """Return the frame with what lies under ``graphics`` (224, 224) filled from beside it."""
    if not graphics.any():
        return framed
    covered = widened(graphics)
    filled = _smooth(framed.astype(np.float32), ~covered)
    whole: Canonical = np.where(covered, np.clip(np.rint(filled), 0, 255), framed).astype(np.uint8)
    return whole


def _upright(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    placement: Placement,
    graphics: NDArray[np.bool_],
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the image in canonical coordinates, and which pixels of it are bone or tissue."""
    height, width = pixels.shape
    image = Image.fromarray(pixels.astype(np.float32))
    # Pillow's transform takes single pixels; what is finer must be averaged before.
    reduced = (
        max(8, round(width * min(1.0, 1.0 / placement.across))),
        max(8, round(height * min(1.0, 1.0 / placement.along))),
    )
    if reduced != image.size:
        image = image.resize(reduced, Image.Resampling.BILINEAR)
    to_source = placement.matrix
    matrix = to_source * np.array([[reduced[0] / width], [reduced[1] / height]])
    moved = image.transform(
        (SIDE, SIDE), Image.Transform.AFFINE, tuple(matrix.ravel()), Image.Resampling.BICUBIC
    )
    to_frame = to_source * np.array([[SIDE / width], [SIDE / height]])
    covered = Image.fromarray(widened(graphics).astype(np.float32)).transform(
        (SIDE, SIDE), Image.Transform.AFFINE, tuple(to_frame.ravel()), Image.Resampling.BILINEAR
    )
    middles = np.arange(SIDE) + 0.5
    inside = np.ones((SIDE, SIDE), bool)
    for across, down, offset in to_frame:
        at = across * middles[None] + down * middles[:, None] + offset
        inside &= (at > RIM) & (at < SIDE - RIM)
    return np.asarray(moved), inside & (np.asarray(covered) < COVERED)


def _smooth(pixels: Floats, valid: NDArray[np.bool_]) -> Floats:
    """Return ``pixels`` smoothed over those that are ``valid``, filled in where none is near."""
    weights = valid.astype(np.float32)
    known = pixels * weights
    smoothed, share = _blurred(known, weights, SIGMA)
    for sigma in WIDER:
        lacking = np.clip((ENOUGH - share) / (ENOUGH - SPARSE), 0, 1)
        if not lacking.any():
            break
        wider, covers = _blurred(known, weights, sigma)
        smoothed = smoothed * (1 - lacking) + wider * lacking
        share = np.where(lacking > 0, covers, share)
    return smoothed


def _blurred(known: Floats, weights: Floats, sigma: float) -> tuple[Floats, Floats]:
    """Return the weighted mean under a Gaussian, and the share of its weight that was there."""
    kernel = _gaussian(sigma)
    total = np.asarray(kernel @ weights @ kernel.T, np.float32)
    mean = (kernel @ known @ kernel.T) / np.maximum(total, np.float32(1e-6))
    return np.asarray(mean, np.float32), total


@cache
def _gaussian(sigma: float) -> Floats:
    """Return (224, 224), whose rows are Gaussians that sum to one inside the image."""
    apart = np.subtract.outer(np.arange(SIDE), np.arange(SIDE)) / sigma
    kernel = np.where(np.abs(apart) < 4, np.exp(-0.5 * apart**2), 0)
    return np.asarray(kernel / kernel.sum(1, keepdims=True), np.float32)


def widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return ``mask`` and its eight neighbours: a drawn line's rim is grey."""
    rows = mask.copy()
    rows[1:] |= mask[:-1]
    rows[:-1] |= mask[1:]
    both = rows.copy()
    both[:, 1:] |= rows[:, :-1]
    both[:, :-1] |= rows[:, 1:]
    return both


def _eight_bits(scan: Scan) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return the scan's pixels in 8 bits where they fill at least a quarter of their range, so that
    a 12-bit and an 8-bit export of one scan have one frame."""
    if scan.bits <= 8:
        return scan.pixels
    full = 2**scan.bits - 1
    black, white = grey_range(scan.pixels)
    if white - black < WELL_FILLED * full:
        return scan.pixels
    # What each grey level becomes, not each pixel: a large scan is not held as floating point.
    levels = np.rint(np.arange(full + 1, dtype=np.uint16) * np.float32(255 / full))
    rounded: NDArray[np.uint8] = levels.astype(np.uint8)[scan.pixels]
    return rounded


def grey_range(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> tuple[int, int]:
    """Return the grey levels at the frame's two percentiles of ``pixels`` (nearest rank)."""
    cumulative = np.cumsum(_histogram(pixels.ravel()))
    total = int(cumulative[-1])
    low, high = FRAME_PERCENTILES
    black = int(np.searchsorted(cumulative, total * low / 100.0, side="right"))
    white = int(np.searchsorted(cumulative, total * high / 100.0, side="left"))
    return black, white


def _histogram(values: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return how often each value occurs; in blocks, since numpy makes eight bytes of each."""
    if values.itemsize == 1:
        # Pillow counts bytes as they are, several times as fast.
        return np.array(Image.fromarray(values[None]).histogram(), np.int64)
    counts = np.zeros(1 << 8 * values.itemsize, np.int64)
    for start in range(0, len(values), _BLOCK):
        counts += np.bincount(values[start : start + _BLOCK], minlength=len(counts))
    return counts


def encode(canonical: Canonical, made_by: str = NAME) -> bytes:
    """Return ``canonical`` as a lossless PNG that names the recipe in its text chunk."""
    info = PngInfo()
    info.add_text("recipe", made_by)
    buffer = io.BytesIO()
    # Scans hold few repeats to look for: a quarter faster than level 1, and a tenth smaller.
    Image.fromarray(canonical).save(buffer, "PNG", pnginfo=info, compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def decode(data: bytes) -> Canonical:
    """Return the canonical image in ``data``, a PNG made by :func:`encode`.

    Raises :class:`RecipeError` when it is no PNG, has another size, depth or channel count, or was
    made by another recipe: scoring it would be a confident answer from a broken path.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.size != (SIDE, SIDE) or image.mode != "L":
                raise RecipeError(
                    f"canonical image is {image.width}×{image.height} {image.mode}; "
                    f"{SIDE}×{SIDE} L is allowed"
                )
            # Text chunks may stand behind the pixels, so the pixels are read first.
            canonical = np.asarray(image).copy()
            made_by = getattr(image, "text", {}).get("recipe")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, RecipeError):
            raise
        raise RecipeError("canonical image is not a readable PNG") from error
    if made_by != NAME:
        raise RecipeError(f"canonical image was made by another recipe; {NAME} is allowed")
    return canonical


def pack(images: Sequence[Canonical]) -> bytes:
    """Return the pixels of ``images`` one after another, for a runner."""
    return b"".join(np.ascontiguousarray(image).tobytes() for image in images)


def unpack(data: bytes, made_by: str, most: int, wanted: str = NAME) -> NDArray[np.uint8]:
    """Return the images that :func:`pack` joined, (n, 224, 224) uint8, read-only.

    Raises :class:`RecipeError` when they are not 1…``most`` whole images or were not ``made_by``
    the recipe that is ``wanted``.
    """
    if made_by != wanted:
        raise RecipeError(f"images were made by another recipe or by none; {wanted} is allowed")
    count, rest = divmod(len(data), BYTES)
    if rest or not 1 <= count <= most:
        raise RecipeError(
            f"{len(data)} bytes came; 1 to {most} images of {BYTES} bytes are allowed"
        )
    return np.frombuffer(data, np.uint8).reshape(count, SIDE, SIDE)
