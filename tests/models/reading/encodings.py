"""The same picture in every way that it may arrive.

``ENCODINGS[name](pixels)`` takes (height, width) uint8 and returns the bytes of a file; every file
not in ``LOSSY`` shows exactly these grey levels once it is read and scaled to 0…1 (a rounding of
half a level at 12 bits). Sides of 32 pixels and more, please, and an even width for YBR_FULL_422.

Real encoders: Pillow, pydicom, OpenJPEG, CharLS; a plain one of our own for JPEG lossless, which
none of them writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import jpeg_ls  # type: ignore[import-untyped]  # comes without types
import numpy as np
import openjpeg.utils
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import get_frame
from pydicom.pixels import compress

from tests.models.reading import files, lossless_encoder

Grey = NDArray[np.uint8]
Encoder = Callable[[Grey], bytes]


def pattern(height: int = 53, width: int = 66) -> Grey:
    """Return a picture of waves, edges and every grey level: (height, width) uint8."""
    y, x = np.mgrid[0:height, 0:width]
    waves = 127.5 + 80 * np.sin(x / 7) + 47 * np.cos(y / 5)
    picture = np.clip(np.rint(waves + (x * 31 + y * 17) % 7 - 3), 0, 255).astype(np.uint8)
    picture[:4].flat[:256] = np.arange(256)[: 4 * width]
    picture[5:9, 3:20], picture[5:9, 20:37] = 0, 255
    return picture


KNOWN_POINTS: Final = {
    (0, 0): 0,
    (0, 65): 65,
    (1, 0): 66,
    (3, 57): 255,
    (6, 10): 0,
    (6, 30): 255,
    (20, 20): 117,
    (52, 65): 110,
}
"""Grey levels of ``pattern()`` at (row, column), as any decoder must give them."""


def wide(pixels: Grey) -> NDArray[np.uint16]:
    """Return 8 bits as 16: 255 becomes 65535."""
    return pixels.astype(np.uint16) * np.uint16(257)


def scaled(pixels: Grey, bits: int) -> NDArray[np.uint16]:
    """Return 8 bits as ``bits``, rounded: 255 becomes 2**bits - 1."""
    return np.rint(pixels * (((1 << bits) - 1) / 255)).astype(np.uint16)


def rgb(pixels: Grey) -> Grey:
    return np.repeat(pixels[..., np.newaxis], 3, axis=2)


def palette(pixels: Grey) -> Image.Image:
    """Return a palette image that shows ``pixels`` through a shuffled palette."""
    colours = np.arange(256, dtype=np.uint8)[::-1]
    image = Image.fromarray(255 - pixels).convert("L")
    image.putpalette(np.repeat(colours, 3).tobytes())
    return image


def with_alpha(pixels: Grey) -> Grey:
    return np.dstack([rgb(pixels), np.full_like(pixels, 255)])


def _tiff16(pixels: Grey, order: str, photometric: int) -> bytes:
    values = wide(pixels) if photometric else ~wide(pixels)
    tags = files.tiff_tags(pixels.shape[1], pixels.shape[0], 16, photometric)
    return files.tiff(values.astype(f"{order}u2").tobytes(), tags, order=order)


def _tiff_tiles(pixels: Grey) -> bytes:
    height, width = pixels.shape
    down, across = -(-height // 32), -(-width // 32)
    padded = np.pad(pixels, ((0, down * 32 - height), (0, across * 32 - width)))
    tiles = padded.reshape(down, 32, across, 32).swapaxes(1, 2).tobytes()
    tags: dict[int, Any] = files.tiff_tags(width, height) | {322: 32, 323: 32}
    tags[324] = [8 + 1024 * index for index in range(down * across)]
    tags[325] = [1024] * (down * across)
    return files.tiff(tiles, tags | {278: height})


def _tiff_planes(pixels: Grey) -> bytes:
    height, width = pixels.shape
    tags: dict[int, Any] = files.tiff_tags(width, height, photometric=2)
    tags |= {258: [8, 8, 8], 277: 3, 284: 2}
    tags |= {273: [8 + pixels.size * plane for plane in range(3)], 279: [pixels.size] * 3}
    return files.tiff(pixels.tobytes() * 3, tags)


def _png_rgb16(pixels: Grey) -> bytes:
    lines = (line.astype(">u2").tobytes() for line in np.repeat(wide(pixels), 3, axis=1))
    return files.png(pixels.shape[::-1], 16, 2, lines)


def _signed(pixels: Grey, bits: int) -> NDArray[np.int16]:
    return (scaled(pixels, bits).astype(np.int32) - (1 << bits - 1)).astype(np.int16)


def _palette_dicom(pixels: Grey) -> bytes:
    entries = np.repeat(np.arange(256, dtype="<u2")[::-1] * 257, 1).tobytes()
    colours = {}
    for name in ("Red", "Green", "Blue"):
        colours[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        colours[f"{name}PaletteColorLookupTableData"] = entries
    return files.grey_dicom(255 - pixels, PhotometricInterpretation="PALETTE COLOR", **colours)


def encapsulated(frame: bytes, pixels: files.Pixels, syntax: str, **elements: Any) -> bytes:
    """Return an encoded ``frame`` as DICOM that claims what ``pixels`` are."""
    bits = 8 * pixels.dtype.itemsize
    claims: dict[str, Any] = {
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": bits,
        "BitsStored": bits,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
    }
    if pixels.ndim == 3:
        claims |= {"SamplesPerPixel": 3, "PlanarConfiguration": 0}
        claims |= {"PhotometricInterpretation": "RGB"}
    return files.dicom(frame, syntax=syntax, encoded=True, **(claims | elements))


def rle_frame(pixels: files.Pixels) -> bytes:
    """Return what pydicom makes of ``pixels``."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.SOPInstanceUID = "1.2.3.4.5"
    bits = 8 * pixels.dtype.itemsize
    dataset.set_pixel_data(pixels, "MONOCHROME2" if pixels.ndim == 2 else "RGB", bits)
    compress(dataset, uid.RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    return get_frame(dataset.PixelData, 0, number_of_frames=1)


def jpeg_ls_frame(pixels: files.Pixels, bits: int, error: int = 0) -> bytes:
    samples = 1 if pixels.ndim == 2 else 3
    container = np.uint8 if bits <= 8 else np.uint16
    codes = (pixels.astype(np.int32) & ((1 << bits) - 1)).astype(container)
    height, width = pixels.shape[:2]
    encoded = jpeg_ls.encode_buffer(
        codes.tobytes(), height, width, samples, bits, error, 0 if samples == 1 else 2
    )
    return bytes(encoded)


def jpeg_2000_frame(pixels: files.Pixels, bits: int, **options: Any) -> bytes:
    height, width = pixels.shape[:2]
    samples = 1 if pixels.ndim == 2 else 3
    return openjpeg.utils.encode_buffer(
        pixels.tobytes(),
        width,
        height,
        samples,
        bits,
        pixels.dtype.kind == "i",
        photometric_interpretation=1 if samples == 3 else 2,
        **options,
    )


def jpeg_lossless_frame(pixels: files.Pixels, bits: int, predictor: int = 1) -> bytes:
    codes = pixels.astype(np.int32) & ((1 << bits) - 1)
    return lossless_encoder.encode(codes.astype(np.uint16), bits, predictor=predictor)


ENCODINGS: Final[Mapping[str, Encoder]] = {
    # PNG
    "png8": lambda p: files.pillow(p, "PNG"),
    "png16": lambda p: files.pillow(wide(p), "PNG"),
    "png-rgb": lambda p: files.pillow(rgb(p), "PNG"),
    "png-rgb16": _png_rgb16,
    "png-palette": lambda p: files.saved(palette(p), "PNG"),
    "png-opaque-alpha": lambda p: files.pillow(with_alpha(p), "PNG"),
    "png-grey-opaque-alpha": lambda p: files.pillow(p, "PNG", "LA"),
    # JPEG
    "jpeg-grey": lambda p: files.pillow(p, "JPEG", quality=100),
    "jpeg-rgb": lambda p: files.pillow(rgb(p), "JPEG", quality=100, subsampling=0),
    "jpeg-progressive": lambda p: files.pillow(p, "JPEG", quality=100, progressive=True),
    # TIFF
    "tiff8": lambda p: files.pillow(p, "TIFF"),
    "tiff8-lzw": lambda p: files.pillow(p, "TIFF", compression="tiff_lzw"),
    "tiff8-deflate": lambda p: files.pillow(p, "TIFF", compression="tiff_adobe_deflate"),
    "tiff8-packbits": lambda p: files.pillow(p, "TIFF", compression="packbits"),
    "tiff8-tiles": _tiff_tiles,
    "tiff8-white-is-zero": lambda p: files.tiff(
        (255 - p).tobytes(), files.tiff_tags(p.shape[1], p.shape[0], photometric=0)
    ),
    "tiff16": lambda p: files.pillow(wide(p), "TIFF"),
    "tiff16-lzw": lambda p: files.pillow(wide(p), "TIFF", compression="tiff_lzw"),
    "tiff16-big-endian": lambda p: _tiff16(p, ">", 1),
    "tiff16-white-is-zero": lambda p: _tiff16(p, "<", 0),
    "tiff16-big-endian-white-is-zero": lambda p: _tiff16(p, ">", 0),
    "tiff-rgb": lambda p: files.pillow(rgb(p), "TIFF"),
    "tiff-rgb-planes": _tiff_planes,
    "tiff-rgb-lzw": lambda p: files.pillow(rgb(p), "TIFF", compression="tiff_lzw"),
    "tiff-palette": lambda p: files.saved(palette(p), "TIFF"),
    "tiff-opaque-alpha": lambda p: files.pillow(with_alpha(p), "TIFF"),
    "tiff-jpeg": lambda p: files.pillow(p, "TIFF", compression="jpeg", quality=100),
    # DICOM, uncompressed
    "dicom-monochrome2-8bit": files.grey_dicom,
    "dicom-monochrome1-8bit": lambda p: files.grey_dicom(
        255 - p, PhotometricInterpretation="MONOCHROME1"
    ),
    "dicom-monochrome1-inverse": lambda p: files.grey_dicom(
        255 - p, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE"
    ),
    "dicom-monochrome2-inverse": lambda p: files.grey_dicom(
        255 - p, PresentationLUTShape="INVERSE"
    ),
    "dicom-8bit-in-16": lambda p: files.grey_dicom(p.astype(np.uint16), BitsStored=8),
    "dicom-monochrome2-12bit": lambda p: files.grey_dicom(scaled(p, 12), BitsStored=12),
    "dicom-monochrome1-12bit": lambda p: files.grey_dicom(
        4095 - scaled(p, 12), BitsStored=12, PhotometricInterpretation="MONOCHROME1"
    ),
    "dicom-monochrome2-16bit": lambda p: files.grey_dicom(wide(p)),
    "dicom-monochrome1-16bit": lambda p: files.grey_dicom(
        ~wide(p), PhotometricInterpretation="MONOCHROME1"
    ),
    "dicom-signed-12bit": lambda p: files.grey_dicom(_signed(p, 12), BitsStored=12),
    "dicom-signed-16bit-rescaled": lambda p: files.grey_dicom(
        _signed(p, 16), RescaleSlope="1", RescaleIntercept="32768", RescaleType="US"
    ),
    "dicom-window-of-everything": lambda p: files.grey_dicom(
        p, WindowCenter="128", WindowWidth="256"
    ),
    "dicom-implicit": lambda p: files.grey_dicom(p, syntax=uid.ImplicitVRLittleEndian),
    "dicom-big-endian-8bit": lambda p: files.grey_dicom(p, syntax=uid.ExplicitVRBigEndian),
    "dicom-big-endian-16bit": lambda p: files.grey_dicom(
        wide(p).byteswap(), syntax=uid.ExplicitVRBigEndian
    ),
    "dicom-deflated": lambda p: files.grey_dicom(p, syntax=uid.DeflatedExplicitVRLittleEndian),
    "dicom-no-preamble": lambda p: files.grey_dicom(p)[132:],
    "dicom-rgb": lambda p: files.colour_dicom(rgb(p).tobytes(), p.shape),
    "dicom-rgb-planes": lambda p: files.colour_dicom(
        p.tobytes() * 3, p.shape, PlanarConfiguration=1
    ),
    "dicom-ybr-full": lambda p: files.colour_dicom(
        np.dstack([p, np.full_like(p, 128), np.full_like(p, 128)]).tobytes(),
        p.shape,
        PhotometricInterpretation="YBR_FULL",
    ),
    "dicom-ybr-full-422": lambda p: files.colour_dicom(
        np.insert(p.reshape(-1, 2), [2, 2], 128, axis=1).tobytes(),
        p.shape,
        PhotometricInterpretation="YBR_FULL_422",
    ),
    "dicom-palette": _palette_dicom,
    # DICOM, compressed
    "dicom-rle": lambda p: encapsulated(rle_frame(p), p, uid.RLELossless),
    "dicom-rle-16bit": lambda p: encapsulated(rle_frame(wide(p)), wide(p), uid.RLELossless),
    "dicom-rle-rgb": lambda p: encapsulated(rle_frame(rgb(p)), rgb(p), uid.RLELossless),
    "dicom-jpeg-baseline": lambda p: encapsulated(
        files.pillow(p, "JPEG", quality=100), p, uid.JPEGBaseline8Bit
    ),
    "dicom-jpeg-baseline-rgb": lambda p: encapsulated(
        files.pillow(rgb(p), "JPEG", quality=100, subsampling=0),
        rgb(p),
        uid.JPEGBaseline8Bit,
        PhotometricInterpretation="YBR_FULL_422",
    ),
    "dicom-jpeg-extended-8bit": lambda p: encapsulated(
        files.pillow(p, "JPEG", quality=100), p, uid.JPEGExtended12Bit
    ),
    "dicom-jpeg-lossless": lambda p: encapsulated(
        jpeg_lossless_frame(p, 8), p, uid.JPEGLosslessSV1
    ),
    "dicom-jpeg-lossless-process-14": lambda p: encapsulated(
        jpeg_lossless_frame(p, 8, predictor=4), p, uid.JPEGLossless
    ),
    "dicom-jpeg-lossless-12bit": lambda p: encapsulated(
        jpeg_lossless_frame(scaled(p, 12), 12), scaled(p, 12), uid.JPEGLosslessSV1, BitsStored=12
    ),
    "dicom-jpeg-lossless-16bit": lambda p: encapsulated(
        jpeg_lossless_frame(wide(p), 16), wide(p), uid.JPEGLosslessSV1
    ),
    "dicom-jpeg-lossless-signed": lambda p: encapsulated(
        jpeg_lossless_frame(_signed(p, 16), 16), _signed(p, 16), uid.JPEGLosslessSV1
    ),
    "dicom-jpeg-lossless-rgb": lambda p: encapsulated(
        jpeg_lossless_frame(rgb(p), 8), rgb(p), uid.JPEGLosslessSV1
    ),
    "dicom-jpeg-ls": lambda p: encapsulated(jpeg_ls_frame(p, 8), p, uid.JPEGLSLossless),
    "dicom-jpeg-ls-12bit": lambda p: encapsulated(
        jpeg_ls_frame(scaled(p, 12), 12), scaled(p, 12), uid.JPEGLSLossless, BitsStored=12
    ),
    "dicom-jpeg-ls-signed": lambda p: encapsulated(
        jpeg_ls_frame(_signed(p, 12), 12), _signed(p, 12), uid.JPEGLSLossless, BitsStored=12
    ),
    "dicom-jpeg-ls-rgb": lambda p: encapsulated(
        jpeg_ls_frame(rgb(p), 8), rgb(p), uid.JPEGLSLossless
    ),
    "dicom-jpeg-ls-near-lossless": lambda p: encapsulated(
        jpeg_ls_frame(p, 8, error=2), p, uid.JPEGLSNearLossless
    ),
    "dicom-jpeg-2000": lambda p: encapsulated(jpeg_2000_frame(p, 8), p, uid.JPEG2000Lossless),
    "dicom-jpeg-2000-12bit": lambda p: encapsulated(
        jpeg_2000_frame(scaled(p, 12), 12), scaled(p, 12), uid.JPEG2000Lossless, BitsStored=12
    ),
    "dicom-jpeg-2000-signed": lambda p: encapsulated(
        jpeg_2000_frame(_signed(p, 12), 12), _signed(p, 12), uid.JPEG2000Lossless, BitsStored=12
    ),
    "dicom-jpeg-2000-rgb": lambda p: encapsulated(
        jpeg_2000_frame(rgb(p), 8),
        rgb(p),
        uid.JPEG2000Lossless,
        PhotometricInterpretation="YBR_RCT",
    ),
    "dicom-jpeg-2000-lossy": lambda p: encapsulated(
        jpeg_2000_frame(p, 8, compression_ratios=[2]), p, uid.JPEG2000
    ),
}

LOSSY: Final = frozenset(
    {
        "jpeg-grey",
        "jpeg-rgb",
        "jpeg-progressive",
        "tiff-jpeg",
        "dicom-jpeg-baseline",
        "dicom-jpeg-baseline-rgb",
        "dicom-jpeg-extended-8bit",
        "dicom-jpeg-ls-near-lossless",
        "dicom-jpeg-2000-lossy",
    }
)
"""Encodings whose grey levels may differ a little, and whose scan says so."""
