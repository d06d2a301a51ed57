"""Decoders, held against pydicom's on its own files, and against files that lie."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pydicom.data
import pytest
from pydicom import uid

from models.image.errors import CorruptFileError, UnsupportedSyntaxError
from models.reading import Limits, codecs, dataset, frame, read
from tests.models.reading import files, lossless_encoder
from tests.models.reading.encodings import (
    ENCODINGS,
    encapsulated,
    jpeg_2000_frame,
    jpeg_ls_frame,
    pattern,
    rgb,
    rle_frame,
    scaled,
    wide,
)
from tests.models.reading.refusals import refused

PICTURE = pattern()
COLOURS = np.dstack([PICTURE, PICTURE[::-1], 255 - PICTURE])
LIMITS = Limits(min_side=2)
BROUGHT_ALONG = Path(pydicom.data.__file__).parent / "test_files"


def decoded(data: bytes) -> tuple[frame.Frame, np.ndarray]:
    file = dataset.parse(data, LIMITS)
    described = frame.describe(file.dataset, LIMITS)
    return described, codecs.decode(file, described)


class TestColour:
    EXPECTED = read(files.pillow(COLOURS, "PNG")).pixels

    @pytest.mark.parametrize(
        ("stream", "syntax"),
        [
            (rle_frame(COLOURS), uid.RLELossless),
            (lossless_encoder.encode(COLOURS, 8), uid.JPEGLosslessSV1),
            (jpeg_ls_frame(COLOURS, 8), uid.JPEGLSLossless),
            (jpeg_2000_frame(COLOURS, 8), uid.JPEG2000Lossless),
            (jpeg_2000_frame(COLOURS, 8, use_mct=False), uid.JPEG2000Lossless),
        ],
        ids=["rle", "jpeg lossless", "jpeg-ls", "jpeg 2000 transformed", "jpeg 2000 plain"],
    )
    def test_channels_keep_their_places(self, stream: bytes, syntax: str) -> None:
        found = read(encapsulated(stream, COLOURS, syntax)).pixels
        np.testing.assert_array_equal(found, self.EXPECTED)

    @pytest.mark.parametrize(
        ("options", "photometric"),
        [({}, "YBR_FULL_422"), ({"keep_rgb": True}, "RGB")],
        ids=["ybr", "rgb"],
    )
    def test_jpeg_is_what_it_says_of_itself(self, options: Any, photometric: str) -> None:
        jpeg = files.pillow(COLOURS, "JPEG", quality=100, subsampling=0, **options)
        data = encapsulated(
            jpeg, COLOURS, uid.JPEGBaseline8Bit, PhotometricInterpretation=photometric
        )
        assert np.abs(read(data).pixels.astype(int) - self.EXPECTED).max() <= 3

    def test_jpeg_that_says_nothing_is_what_the_file_says(self) -> None:
        jpeg = files.pillow(COLOURS, "JPEG", quality=100, subsampling=0, keep_rgb=True)
        start = jpeg.index(b"\xff\xee")
        silent = jpeg[:start] + jpeg[start + 16 :]
        silent = silent.replace(b"\x03R\x11\0G\x11\0B\x11\0", b"\x03\1\x11\0\2\x11\0\3\x11\0")
        silent = silent.replace(b"\x03R\0G\0B\0", b"\x03\1\0\2\0\3\0")
        data = encapsulated(silent, COLOURS, uid.JPEGBaseline8Bit)
        assert np.abs(read(data).pixels.astype(int) - self.EXPECTED).max() <= 3

    def test_ybr_full(self) -> None:
        ybr = np.asarray(files.Image.fromarray(COLOURS).convert("YCbCr"))
        data = files.colour_dicom(
            ybr.tobytes(), PICTURE.shape, PhotometricInterpretation="YBR_FULL"
        )
        # Through YBR and back at 8 bits.
        assert np.abs(read(data).pixels.astype(int) - self.EXPECTED).max() <= 2

    def test_ybr_full_422_needs_pairs(self) -> None:
        pixels = bytes(64 * 33 * 2)
        with refused(CorruptFileError, match="even number of columns"):
            read(files.colour_dicom(pixels, (64, 33), PhotometricInterpretation="YBR_FULL_422"))


class TestLength:
    @pytest.mark.parametrize("change", [-PICTURE.size, -66, -2])
    def test_native_pixels_must_fill_the_frame(self, change: int) -> None:
        with refused(CorruptFileError, match="bytes long"):
            read(files.dicom(PICTURE.tobytes()[: PICTURE.size + change], Rows=53, Columns=66))

    @pytest.mark.parametrize("spare", [1, 2, 66, 598, 4096, 100_000])
    @pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian])
    def test_padding_of_any_length(self, spare: int, syntax: str) -> None:
        for pixels in (PICTURE, wide(PICTURE), np.ascontiguousarray(PICTURE[:, :65])):
            claims = {"Rows": 53, "Columns": pixels.shape[1]}
            bits = 8 * pixels.dtype.itemsize
            claims |= {"BitsAllocated": bits, "BitsStored": bits}
            for padding in (bytes(spare), b"\xa5" * spare):
                data = files.dicom(pixels.tobytes() + padding, syntax=syntax, **claims)
                np.testing.assert_array_equal(read(data).pixels, pixels)

    @pytest.mark.parametrize("octet", [b"\0", b"\xff"])
    def test_padding_as_long_as_the_frame(self, octet: bytes) -> None:
        data = files.dicom(PICTURE.tobytes() + octet * PICTURE.size, Rows=53, Columns=66)
        np.testing.assert_array_equal(read(data).pixels, PICTURE)

    @pytest.mark.parametrize("times", [1.5, 2, 3, 4])
    def test_what_may_be_wider_pixels_or_more_of_them(self, times: float) -> None:
        pixels = (PICTURE.tobytes() * 4)[: int(times * PICTURE.size)]
        size = len(pixels) + len(pixels) % 2
        with refused(CorruptFileError, match=f"is {size} bytes long; 66×53 .* need 3498"):
            read(files.dicom(pixels, Rows=53, Columns=66))

    def test_colour_in_full_that_claims_half(self) -> None:
        data = files.colour_dicom(
            rgb(PICTURE).tobytes(), PICTURE.shape, PhotometricInterpretation="YBR_FULL_422"
        )
        with refused(CorruptFileError, match="is 10494 bytes long; .* need 6996"):
            read(data)

    def test_an_odd_frame_is_padded(self) -> None:
        odd = np.ascontiguousarray(PICTURE[:, :65])
        data = files.grey_dicom(odd)
        np.testing.assert_array_equal(read(data).pixels, odd)
        big = files.grey_dicom(odd, syntax=uid.ExplicitVRBigEndian)
        np.testing.assert_array_equal(read(big).pixels, odd)

    def test_big_endian_words_of_8_bit_pixels(self) -> None:
        swapped = PICTURE.reshape(-1, 2)[:, ::-1].reshape(PICTURE.shape)
        data = files.grey_dicom(swapped, syntax=uid.ExplicitVRBigEndian)
        start = data.index(b"\x7f\xe0\x00\x10OB")
        data = data[: start + 4] + b"OW" + data[start + 6 :]
        np.testing.assert_array_equal(read(data).pixels, PICTURE)


COMPRESSED = [name for name in ENCODINGS if name.startswith(("dicom-jpeg", "dicom-rle"))]


# RLE does not know its own shape, only its length.
OTHER_SIZES = [
    (encoding, rows, columns)
    for encoding in COMPRESSED
    for rows, columns in ((53, 67), (54, 66), (66, 53), (2300, 2600))
    if rows * columns != PICTURE.size or "rle" not in encoding
]


@pytest.mark.parametrize(("encoding", "rows", "columns"), OTHER_SIZES)
def test_a_codestream_of_another_size(encoding: str, rows: int, columns: int) -> None:
    data = ENCODINGS[encoding](PICTURE)
    for tag, value in ((b"\x28\0\x10\0US\2\0", rows), (b"\x28\0\x11\0US\2\0", columns)):
        start = data.index(tag) + 8
        data = data[:start] + value.to_bytes(2, "little") + data[start + 2 :]
    with refused(CorruptFileError):
        read(data)


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_codestream_tells_its_kind_by_itself(encoding: str) -> None:
    """Whatever transfer syntax was announced, that of pixels in one piece among them."""
    data = ENCODINGS[encoding](PICTURE)
    expected = read(data)
    for syntax in (
        uid.ExplicitVRLittleEndian,
        uid.RLELossless,
        uid.JPEGBaseline8Bit,
        uid.JPEGLosslessSV1,
        uid.JPEGLSLossless,
        uid.JPEG2000Lossless,
    ):
        scan = read(files.relabelled(data, syntax))
        np.testing.assert_array_equal(scan.pixels, expected.pixels)
        if dataset.parse(data, LIMITS).codec == "jpeg":
            assert scan.lossy


@pytest.mark.parametrize(("marker", "name"), [(0xC9, "arithmetic-coded"), (0xC5, "hierarchical")])
@pytest.mark.parametrize("syntax", [uid.JPEGBaseline8Bit, uid.JPEGLosslessSV1, uid.JPEGLSLossless])
def test_jpeg_of_a_process_that_is_not_read_is_named(syntax: str, marker: int, name: str) -> None:
    jpeg = files.pillow(PICTURE, "JPEG").replace(b"\xff\xc0", bytes((0xFF, marker)), 1)
    with refused(UnsupportedSyntaxError, match=f"JPEG is {name}, which is not read"):
        read(encapsulated(jpeg, PICTURE, syntax))


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_codestream_of_another_number_of_samples(encoding: str) -> None:
    data = ENCODINGS[encoding](PICTURE)
    grey = dataset.parse(data, LIMITS).dataset.required(dataset.Tag.SamplesPerPixel) == 1
    stream = dataset.parse(data, LIMITS).pixels
    syntax = dataset.parse(data, LIMITS).syntax.uid
    with refused(CorruptFileError):
        read(encapsulated(stream, rgb(PICTURE) if grey else PICTURE, syntax))


class TestPrecision:
    """Encoders store twelve bits as sixteen, and the other way round."""

    @pytest.mark.parametrize("precision", [12, 14, 16])
    @pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
    def test_of_the_codestream_may_differ(self, precision: int, signed: bool) -> None:
        levels = scaled(PICTURE, 12).astype(np.int32) - (2048 if signed else 0)
        pixels = levels.astype(np.int16 if signed else np.uint16)
        codes = (levels & ((1 << precision) - 1)).astype(np.uint16)
        for stream, syntax in (
            (lossless_encoder.encode(codes, precision), uid.JPEGLosslessSV1),
            (jpeg_ls_frame(codes, precision), uid.JPEGLSLossless),
            (jpeg_2000_frame(pixels, precision), uid.JPEG2000Lossless),
            (jpeg_2000_frame(codes, precision), uid.JPEG2000Lossless),
        ):
            scan = read(encapsulated(stream, pixels, syntax, BitsStored=12))
            np.testing.assert_array_equal(scan.pixels, scaled(PICTURE, 12))

    def test_below_the_bits_stored(self) -> None:
        codes = scaled(PICTURE, 12)
        stream = lossless_encoder.encode(codes, 12)
        scan = read(encapsulated(stream, codes, uid.JPEGLosslessSV1))
        assert scan.bits == 16
        np.testing.assert_array_equal(scan.pixels, codes)

    def test_values_that_do_not_fit_the_bits_stored(self) -> None:
        codes = scaled(PICTURE, 14)
        stream = lossless_encoder.encode(codes, 14)
        with refused(CorruptFileError, match="do not fit in its 12 bits"):
            read(encapsulated(stream, codes, uid.JPEGLosslessSV1, BitsStored=12))


def test_lossy_jpeg_of_12_bits() -> None:
    with refused(UnsupportedSyntaxError, match="12 bits; 8 are read"):
        read((BROUGHT_ALONG / "JPGExtended.dcm").read_bytes())


def test_a_damaged_end_mark_of_jpeg_ls_does_not_stop_the_clock() -> None:
    """CharLS counts zeros behind it for five seconds, interpreter and all."""
    data = ENCODINGS["dicom-jpeg-ls"](PICTURE)
    stream = bytearray(dataset.parse(data, LIMITS).pixels)
    for end in range(len(stream) - 40, len(stream), 4):
        damaged = bytes(stream[:end]) + b"\0" * 8
        with refused(CorruptFileError):
            read(encapsulated(damaged, PICTURE, uid.JPEGLSLossless))


def rle(*segments: bytes, count: int | None = None, starts: tuple[int, ...] = ()) -> bytes:
    starts = starts or tuple(64 + sum(map(len, segments[:i])) for i in range(len(segments)))
    header = struct.pack(f"<{1 + len(starts)}I", len(starts) if count is None else count, *starts)
    return header.ljust(64, b"\0") + b"".join(segments)


class TestRunLengths:
    """RLE of 4×6 pixels, of one byte each."""

    PIXELS = np.zeros((4, 6), np.uint8)

    def decoded(self, stream: bytes, pixels: np.ndarray = PIXELS) -> bytes:
        return decoded(encapsulated(stream, pixels, uid.RLELossless))[1].tobytes()

    def test_runs_and_literals(self) -> None:
        """The example of Apple's Technical Note 1023, from which PackBits came."""
        packed = bytes.fromhex("FE AA 02 80 00 2A FD AA 03 80 00 2A 22 F7 AA")
        unpacked = bytes.fromhex("AA AA AA 80 00 2A AA AA AA AA 80 00 2A 22" + "AA" * 10)
        assert self.decoded(rle(packed)) == unpacked

    def test_a_head_of_128_does_nothing(self) -> None:
        assert self.decoded(rle(b"\x80\x00a\x80\xeab\x80")) == b"a" + b"b" * 23

    def test_padding_is_ignored(self) -> None:
        assert self.decoded(rle(b"\xe9a\x00\x00\x05")) == b"a" * 24

    def test_the_upper_byte_comes_first(self) -> None:
        stream = rle(b"\xe9\x01", b"\xe9\x02")
        assert self.decoded(stream, self.PIXELS.astype(np.uint16)) == b"\x02\x01" * 24

    BROKEN: ClassVar = {
        "half a header": b"\1\0\0\0",
        "another number of segments": rle(b"\xe9a", b"\xe9a"),
        "more segments than there can be": rle(b"\xe9a", count=16),
        "a segment within the header": rle(b"\xe9abc", starts=(60,)),
        "a segment beyond the end": rle(b"\xe9abc", starts=(9999,)),
        "too few bytes": rle(b"\xeaa"),
        "a literal cut short": rle(b"\x17" + b"a" * 23),
        "a run without its byte": rle(b"\x80\xe9"),
        "an empty segment": rle(b""),
    }

    @pytest.mark.parametrize("stream", BROKEN.values(), ids=BROKEN)
    def test_broken(self, stream: bytes) -> None:
        with refused(CorruptFileError, match="RLE"):
            self.decoded(stream)

    def test_segments_out_of_order(self) -> None:
        with refused(CorruptFileError, match="2 segments"):
            self.decoded(rle(b"\xe9a", b"\xe9b", starts=(66, 64)), self.PIXELS.astype(np.uint16))

    def test_a_segment_is_not_unfolded_beyond_the_frame(self) -> None:
        tracemalloc.start()
        try:
            assert self.decoded(rle(b"\x81a" * 500_000)) == b"a" * 24
            assert tracemalloc.get_traced_memory()[1] < 8_000_000
        finally:
            tracemalloc.stop()
