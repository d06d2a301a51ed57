"""Decoders for DICOM Pixel Data (PS3.5 section 8 and annex A): one for each kind of syntax.

Each compares what the codestream says of itself with what the data set says, before it decodes:
a decoder that trusts the one and is given room by the other writes past its end.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Mapping
from typing import Final

import jpeg_ls  # type: ignore[import-untyped]  # comes without types
import numpy as np
from numpy.typing import NDArray
from openjpeg.utils import decode_pixel_data as decode_jpeg_2000
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from models.image.errors import CorruptFileError, MissingTagError, UnsupportedSyntaxError
from models.reading import jpeg, jpeg2000, lossless
from models.reading.colour import from_ybr
from models.reading.dataset import File
from models.reading.frame import Frame
from models.reading.guard import decoder_errors
from models.reading.syntaxes import Codec
from models.reading.tags import Tag
from models.reading.types import Pixels


def decode(file: File, frame: Frame) -> Pixels:
    """Return the stored values of ``file``: (rows, columns), or (rows, columns, 3) uint8 RGB.

    They are bit patterns, ``frame.bits`` wide: two's complement stays as it is, for the display
    table is looked up by pattern. Raises
    :class:`CorruptFileError` when the pixels are damaged or of another size than ``frame``, and
    :class:`UnsupportedSyntaxError` for 12-bit lossy JPEG, which no decoder here takes.
    """
    codes = DECODERS[file.codec](file, frame)
    if frame.samples == 1:
        return codes
    colour = codes.astype(np.uint8, copy=False)
    # YBR_RCT and YBR_ICT are JPEG 2000's own, undone by its decoder; so is all YBR by JPEG's.
    is_ybr = frame.photometric.startswith("YBR_FULL") and file.codec != "jpeg"
    return from_ybr(colour) if is_ybr else colour


def _native(file: File, frame: Frame) -> Pixels:
    """Decode PS3.5 8.1: containers side by side, colour by pixel or by plane."""
    _check_length(file.pixels, frame)
    _check_order(file, frame)
    order = file.dataset.order
    octets = np.frombuffer(file.pixels, np.uint8)
    if order == ">" and file.vr == "OW" and frame.allocated == 8 and not len(octets) % 2:
        # 8-bit pixels in 16-bit words: big-endian words put the second pixel first.
        octets = octets.reshape(-1, 2)[:, ::-1].reshape(-1)
    octets = octets[: frame.length + frame.length % 2]
    if frame.photometric == "YBR_FULL_422":
        return _spread_chrominance(octets[: frame.length], frame)
    if frame.samples > 1 and frame.by_plane is None:
        raise MissingTagError(f"{Tag.PlanarConfiguration} is missing; colour needs it.")
    codes = _shape(octets, frame, frame.allocated, by_plane=bool(frame.by_plane), order=order)
    return _masked(codes, frame.bits)


def _check_order(file: File, frame: Frame) -> None:
    """Check that it is known which byte comes first in pixels of two."""
    if frame.allocated == 16 and file.dataset.little != file.syntax.little:
        told, found = ("little", "big")[:: 1 if file.syntax.little else -1]
        raise CorruptFileError(
            f"The DICOM file's transfer syntax is {told}-endian and its elements are "
            f"{found}-endian; which of them its 16-bit pixels are, nothing says."
        )


def _check_length(pixels: bytes, frame: Frame) -> None:
    """Check that there are as many bytes as the frame needs.

    Writers pad to blocks of any size; but so and so many bytes for each pixel, unless all are the
    same, may be another frame or wider pixels.
    """
    length, area = len(pixels), frame.rows * frame.columns
    spare = pixels[frame.length :]
    by_pixel = any(2 * (length - odd) % area == 0 for odd in (0, 1))
    if length < frame.length or (by_pixel and len(spare) > 1 and spare.strip(spare[:1])):
        raise CorruptFileError(
            f"Pixel Data is {length} bytes long; {frame.columns}×{frame.rows} pixels "
            f"of {frame.samples}×{frame.allocated} bits need {frame.length}."
        )


def _rle(file: File, frame: Frame) -> Pixels:
    """Decode PS3.5 annex G: PackBits, one segment for each byte of each sample.

    Pillow unpacks a segment as TIFF's one-line image of it, and stops when the line is full, where
    pydicom would first unfold a segment to 64 times its size.
    """
    data, width = file.pixels, frame.allocated // 8
    count = frame.samples * width
    starts = [int.from_bytes(data[i : i + 4], "little") for i in range(4, 4 + 4 * count, 4)]
    bounds = [*starts, len(data)]
    if int.from_bytes(data[:4], "little") != count or bounds != sorted(bounds) or starts[0] < 64:
        raise CorruptFileError(f"The RLE data do not have the {count} segments they need.")
    line = (frame.rows * frame.columns, 1)
    with decoder_errors("RLE"):
        planes = [
            Image.frombytes("L", line, data[start:stop], "packbits", "L").tobytes()
            for start, stop in itertools.pairwise(bounds)
        ]
    octets = np.frombuffer(b"".join(planes), np.uint8)
    if width == 2:
        # The upper bytes come first, all of them: back to little-endian pairs.
        octets = octets.reshape(frame.samples, 2, -1)[:, ::-1].swapaxes(1, 2).reshape(-1)
    return _masked(_shape(octets, frame, frame.allocated, by_plane=True), frame.bits)


def _jpeg(file: File, frame: Frame) -> Pixels:
    """Decode JPEG processes 1, 2 and 4 (PS3.5 A.4.1) to grey or RGB."""
    found = list(jpeg.segments(file.pixels))
    header = jpeg.frame_of(found)
    _check_size(header.width, header.height, len(header.components), frame)
    _check_process(header, jpeg.DCT_FRAMES)
    if header.precision != 8:
        raise UnsupportedSyntaxError(
            f"The DICOM file is lossy JPEG of {header.precision} bits; 8 are read."
        )
    transform = jpeg.transform_of(found, header, "rgb" if frame.photometric == "RGB" else "ybr")
    codes, *others = [_lossy(stream) for stream in jpeg.streams(found, header, transform)]
    if any(not np.array_equal(codes, other) for other in others):
        raise CorruptFileError("The JPEG data are truncated: pixels are missing.")
    return _fitted(codes, 8, frame)


def _lossy(stream: bytes) -> NDArray[np.uint8]:
    with decoder_errors("JPEG"), JpegImageFile(io.BytesIO(stream)) as image:
        return np.array(image)


def _jpeg_lossless(file: File, frame: Frame) -> Pixels:
    """Decode JPEG process 14 (PS3.5 A.4.2)."""
    found = list(jpeg.segments(file.pixels))
    header = jpeg.frame_of(found)
    _check_size(header.width, header.height, len(header.components), frame)
    _check_process(header, (jpeg.LOSSLESS,))
    return _fitted(lossless.decode(found, header), header.precision, frame)


def _jpeg_ls(file: File, frame: Frame) -> Pixels:
    """Decode JPEG-LS, lossless and near-lossless (PS3.5 A.4.3)."""
    header = jpeg.frame_of(list(jpeg.segments_before_scan(file.pixels)))
    _check_size(header.width, header.height, len(header.components), frame)
    _check_process(header, (jpeg.JPEG_LS,))
    # Where the end mark is damaged CharLS counts zero bits beyond it, 2³¹ of them, and the
    # interpreter stands still for five seconds. A mark of our own stops it.
    with decoder_errors("JPEG-LS"):
        pixels, found = jpeg_ls.decode_pixel_data(file.pixels + b"\xff\xd9")
    by_plane = frame.samples > 1 and found["interleave_mode"] == 0
    codes = _shape(
        np.frombuffer(pixels, np.uint8), frame, _container(header.precision), by_plane=by_plane
    )
    return _fitted(codes, header.precision, frame)


def _jpeg_2000(file: File, frame: Frame) -> Pixels:
    """Decode JPEG 2000 and HTJ2K (PS3.5 A.4.4); OpenJPEG undoes YBR_RCT and YBR_ICT."""
    stream, has_end = jpeg2000.codestream(file.pixels)
    header = jpeg2000.parse(stream, has_end=has_end)
    _check_size(header.width, header.height, header.components, frame)
    with decoder_errors("JPEG 2000"):
        pixels = decode_jpeg_2000(stream, version=2)
    codes = _shape(
        np.frombuffer(pixels, np.uint8), frame, _container(header.precision), by_plane=False
    )
    return _fitted(_masked(codes, header.precision), header.precision, frame)


DECODERS: Final[Mapping[Codec, Callable[[File, Frame], Pixels]]] = {
    "native": _native,
    "rle": _rle,
    "jpeg": _jpeg,
    "jpeg-lossless": _jpeg_lossless,
    "jpeg-ls": _jpeg_ls,
    "jpeg-2000": _jpeg_2000,
}


def _check_size(width: int, height: int, components: int, frame: Frame) -> None:
    if (width, height, components) != (frame.columns, frame.rows, frame.samples):
        raise CorruptFileError(
            f"The DICOM file claims {frame.columns}×{frame.rows} pixels of {frame.samples} "
            f"samples; its codestream holds {width}×{height} of {components}."
        )


def _check_process(header: jpeg.Frame, read: tuple[int, ...]) -> None:
    if header.marker not in read:
        raise UnsupportedSyntaxError(
            f"The DICOM file's JPEG is {jpeg.PROCESSES.get(header.marker, 'of another process')}, "
            "which is not read; "
            "baseline, extended, progressive and lossless JPEG and JPEG-LS are."
        )


def _container(precision: int) -> int:
    return 8 if precision <= 8 else 16


def _shape(
    octets: NDArray[np.uint8],
    frame: Frame,
    allocated: int,
    *,
    by_plane: bool,
    order: str = "<",
) -> Pixels:
    """Return ``octets`` as (rows, columns) or (rows, columns, 3) of ``allocated`` bits."""
    count = frame.rows * frame.columns * frame.samples
    if len(octets) < count * allocated // 8:
        raise CorruptFileError("The DICOM file's pixels do not fill its rows and columns.")
    codes: Pixels = octets[: count * allocated // 8]
    if allocated == 16:
        codes = codes.view(f"{order}u2").astype(np.uint16, copy=False)
    if frame.samples == 1:
        return codes.reshape(frame.rows, frame.columns)
    if by_plane:
        return codes.reshape(frame.samples, frame.rows, frame.columns).transpose(1, 2, 0)
    return codes.reshape(frame.rows, frame.columns, frame.samples)


def _masked(codes: Pixels, bits: int) -> Pixels:
    """Return ``codes`` without what else is in their containers: overlays once lived there."""
    if bits == 8 * codes.dtype.itemsize:
        return codes
    masked: Pixels = codes & codes.dtype.type((1 << bits) - 1)
    return masked


def _fitted(codes: Pixels, precision: int, frame: Frame) -> Pixels:
    """Return ``codes`` of a codestream's ``precision`` as codes of the frame's bits.

    Encoders store twelve bits as sixteen and the other way round; what counts is that each value
    fits. Signed values come as two's complement in ``precision`` bits, whether the codestream
    knows of signs (JPEG 2000) or not.
    """
    if precision == frame.bits:
        return codes
    values = codes.astype(np.int32)
    low, high = 0, (1 << frame.bits) - 1
    if frame.signed:
        values = (values ^ 1 << precision - 1) - (1 << precision - 1)
        low, high = -(1 << frame.bits - 1), (1 << frame.bits - 1) - 1
    if values.min() < low or values.max() > high:
        raise CorruptFileError(f"The DICOM file's pixels do not fit in its {frame.bits} bits.")
    rescaled: NDArray[np.uint16] = (values & (1 << frame.bits) - 1).astype(np.uint16)
    return rescaled


def _spread_chrominance(pixels: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    """Return YBR_FULL_422, of which two pixels share Cb and Cr, as (rows, columns, 3)."""
    if frame.columns % 2:
        raise CorruptFileError("YBR_FULL_422 needs an even number of columns.")
    pairs = pixels.reshape(-1, 4)
    return pairs[:, [0, 2, 3, 1, 2, 3]].reshape(frame.rows, frame.columns, 3)
