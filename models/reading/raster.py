"""PNG, JPEG and TIFF to a scan: Pillow decodes what the header modules let through."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from models.image.errors import CorruptFileError, TransparencyError, UnsupportedColourError
from models.image.scan import Format, Scan
from models.reading import jpeg, png, tiff
from models.reading.colour import luma
from models.reading.guard import decoder_errors
from models.reading.header import Header
from models.reading.limits import Limits
from models.reading.lookup import through
from models.reading.types import Pixels

PARSERS: Final[Mapping[Format, Callable[[bytes, Limits], Header]]] = {
    "png": png.parse,
    "jpeg": jpeg.parse,
    "tiff": tiff.parse,
}
# Image.open would compare the size with a limit that is global to the process, and warn; the
# header modules have held it against ours already.
PLUGINS: Final[Mapping[Format, Callable[[io.BytesIO], ImageFile]]] = {
    "png": PngImageFile,
    "jpeg": JpegImageFile,
    "tiff": TiffImageFile,
}


def read(data: bytes, kind: Format, limits: Limits) -> Scan:
    """Return the scan in ``data``, a PNG, JPEG or TIFF as ``kind`` says.

    Grey of up to 8 bits and all colour become (height, width) uint8, of 16 bits uint16. Colour is
    reduced to luma, palettes are expanded first, EXIF orientation is carried out, and WhiteIsZero
    is inverted. A resolution in dots per inch speaks of paper: ``spacing`` stays None.

    Raises :class:`~models.image.errors.ScanError` as the modules :mod:`~models.reading.png`,
    :mod:`~models.reading.jpeg` and :mod:`~models.reading.tiff` do, and
    :class:`TransparencyError` when any pixel lets a background through.
    """
    header = PARSERS[kind](data, limits)
    samples, mode = decode(header, kind)
    grey = _grey(samples, mode, header)
    if header.white_is_zero:
        grey = ~grey
    pixels = orient(grey, header.orientation)
    return Scan(
        pixels=pixels if pixels.flags.c_contiguous else pixels.copy(),
        bits=8 * grey.dtype.itemsize,
        format=kind,
        lossy=header.lossy,
    )


def decode(header: Header, kind: Format) -> tuple[Pixels, str]:
    """Return the decoded samples and Pillow's name for what they are.

    Raises :class:`CorruptFileError` for whatever goes wrong on the way.
    """
    with decoder_errors(kind.upper()), PLUGINS[kind](io.BytesIO(header.sanitised)) as image:
        samples, mode = np.array(image), image.mode
    for other in header.others:
        with decoder_errors(kind.upper()), PLUGINS[kind](io.BytesIO(other)) as image:
            if not np.array_equal(samples, np.asarray(image)):
                raise CorruptFileError(f"The {kind.upper()} is truncated: pixels are missing.")
    if samples.shape[:2] != (header.height, header.width):
        raise CorruptFileError(f"The {kind.upper()} does not hold the size that it claims.")
    return samples, mode


def orient(pixels: Pixels, orientation: int) -> Pixels:
    """Return ``pixels`` the right way up for an EXIF orientation of 1 to 8 (CIPA DC-008 4.6.4)."""
    if orientation >= 5:
        pixels = pixels.T
        orientation = {5: 1, 6: 2, 7: 3, 8: 4}[orientation]
    flipped = {1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1]}
    return flipped[orientation]


def _grey(samples: Pixels, mode: str, header: Header) -> Pixels:
    match mode:
        case "1":
            return samples.astype(np.uint8) * np.uint8(255)
        case "P" if header.palette is not None:
            return _expand(samples, header.palette, header.palette_alpha)
        case "L" | "I;16" | "I;16B" | "RGB":
            _refuse_transparent(samples, header.transparent)
        case "LA" | "RGBA":
            if samples[..., -1].min() < 255:
                raise TransparencyError(_TRANSPARENT)
            samples = samples[..., 0] if mode == "LA" else samples[..., :3]
        case _:
            raise UnsupportedColourError(
                "The image is of a kind of colour that is not read; grey, RGB and palettes are."
            )
    if samples.ndim == 3:
        return luma(np.ascontiguousarray(samples, np.uint8))
    return samples if samples.dtype == np.uint8 else samples.astype(np.uint16)


def _expand(indices: Pixels, palette: NDArray[np.uint8], alpha: NDArray[np.uint8] | None) -> Pixels:
    """Return the grey of each index: of a palette's few colours, and not of every pixel's."""
    if indices.max() >= len(palette):
        raise CorruptFileError(
            f"A pixel asks for colour {indices.max()} of a palette of {len(palette)}."
        )
    if alpha is not None:
        opacity = np.full(256, 255, np.uint8)
        opacity[: len(alpha)] = alpha[:256]
        if through(opacity, indices).min() < 255:
            raise TransparencyError(_TRANSPARENT)
    return through(luma(palette[np.newaxis])[0], indices)


def _refuse_transparent(samples: Pixels, colour: tuple[int, ...] | None) -> None:
    if colour is None:
        return
    same = samples == (colour[0] if samples.ndim == 2 else np.array(colour))
    if (same if samples.ndim == 2 else same.all(axis=2)).any():
        raise TransparencyError(_TRANSPARENT)


_TRANSPARENT: Final = (
    "Parts of the image are transparent, so what it shows depends on a background; "
    "save it without transparency."
)
