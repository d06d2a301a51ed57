from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from pydicom import uid
from pydicom.datadict import keyword_for_tag

from models.image.errors import (
    CorruptFileError,
    InvalidTagError,
    MissingTagError,
    NoPixelDataError,
    TooManyPixelsError,
    UnsupportedSyntaxError,
)
from models.reading import SNIFFED, Limits, read, sniff
from models.reading.dataset import Dataset, parse
from models.reading.elements import Element, Source
from models.reading.syntaxes import SYNTAXES, UNSUPPORTED_NAMES
from models.reading.tags import Tag
from tests.models.reading import files
from tests.models.reading.encodings import ENCODINGS, pattern, wide
from tests.models.reading.refusals import refused

PICTURE = pattern()
WHOLE = files.grey_dicom(PICTURE)
LIMITS = Limits()


def dataset(tag: Tag, data: bytes) -> Dataset:
    return Dataset(Source(data), {tag: Element(tag, None, 0, len(data))})


class TestGetters:
    def test_absent_and_empty_are_alike(self) -> None:
        for data in (Dataset(Source(b""), {}), dataset(Tag.Rows, b"")):
            assert Tag.Rows not in data
            assert data.text(Tag.Rows) is None
            assert data.integer(Tag.Rows) is None
            assert data.decimal(Tag.Rows) is None
            assert data.decimals(Tag.Rows) == ()
            assert data.first_item(Tag.Rows) is None
            with refused(MissingTagError, match=r"Rows \(0028,0010\) is missing"):
                data.required(Tag.Rows)

    def test_values(self) -> None:
        assert dataset(Tag.Modality, b" BMD \0").text(Tag.Modality) == "BMD"
        assert dataset(Tag.Rows, b"\x00\x02").required(Tag.Rows) == 512
        assert dataset(Tag.LUTDescriptor, b"\xff\xff").integers(Tag.LUTDescriptor, signed=True) == (
            -1,
        )
        assert dataset(Tag.WindowCenter, b"40\\-1.5e2 ").decimals(Tag.WindowCenter) == (40, -150)

    @pytest.mark.parametrize("number", [b"\1", b"\1\2\3", b"\1\2\3\4"], ids=len)
    def test_a_number_of_wrong_length(self, number: bytes) -> None:
        with refused(InvalidTagError, match="Rows"):
            dataset(Tag.Rows, number).required(Tag.Rows)

    @pytest.mark.parametrize(
        ("written", "numbers"),
        [
            (b"12,5", (12.5,)),
            (b"-0,625\\+1,25e1 ", (-0.625, 12.5)),
            (b"1\\", (1, None)),
            (b"\\ 2 \0", (None, 2)),
            (b"\\", (None, None)),
            (b"1,024\\1024,0", (None, 1024)),
            (b".5\\5.", (0.5, 5)),
        ],
    )
    def test_numbers_as_writers_write_them(
        self, written: bytes, numbers: tuple[float | None, ...]
    ) -> None:
        assert dataset(Tag.WindowCenter, written).decimals(Tag.WindowCenter) == numbers
        assert dataset(Tag.WindowCenter, b"\\2").decimal(Tag.WindowCenter) is None

    @pytest.mark.parametrize(
        "number",
        [
            b"nan",
            b"inf",
            b"-inf",
            b"1e13",
            b"1e999",
            b"1,024",
            b"1_0",
            b"1 0",
            b"DOE^JANE",
            b"0x10",
        ],
    )
    def test_text_that_is_no_number(self, number: bytes) -> None:
        assert dataset(Tag.WindowCenter, number).decimals(Tag.WindowCenter) == (None,)
        with refused(InvalidTagError, match="finite"):
            dataset(Tag.WindowCenter, number).decimal(Tag.WindowCenter)


def test_tags_are_pydicoms() -> None:
    assert {tag.name for tag in Tag} == {keyword_for_tag(tag) for tag in Tag}


def test_transfer_syntaxes_are_pydicoms() -> None:
    for syntax in SYNTAXES.values():
        known = uid.UID(syntax.uid)
        assert known.is_transfer_syntax
        assert known.is_encapsulated == (syntax.codec != "native")
        assert known.is_deflated == syntax.deflated
        if not known.is_encapsulated:
            assert known.is_implicit_VR == (not syntax.explicit)
            assert known.is_little_endian == syntax.little


def test_every_image_syntax_that_pydicom_knows_is_read_or_named() -> None:
    of_images = {known for known in uid.AllTransferSyntaxes if "SMPTE" not in known.name}
    assert of_images <= set(SYNTAXES) | set(UNSUPPORTED_NAMES)


class TestSniff:
    def test_without_preamble(self) -> None:
        assert sniff(WHOLE[132:]) == "dicom"

    def test_without_meta_information(self) -> None:
        start = WHOLE.index(b"\x08\x00\x16\x00UI")
        assert sniff(WHOLE[start:]) == "dicom"
        np.testing.assert_array_equal(read(WHOLE[start:]).pixels, PICTURE)
        implicit = files.grey_dicom(PICTURE, syntax=uid.ImplicitVRLittleEndian)
        start = implicit.index(b"\x08\x00\x16\x00", 200)
        np.testing.assert_array_equal(read(implicit[start:]).pixels, PICTURE)

    def test_without_either_and_big_endian(self) -> None:
        swapped = files.grey_dicom(wide(PICTURE).byteswap(), syntax=uid.ExplicitVRBigEndian)
        start = swapped.index(b"\0\x08\0\x16UI")
        assert sniff(swapped[start:]) == "dicom"
        np.testing.assert_array_equal(read(swapped[start:]).pixels, wide(PICTURE))

    @pytest.mark.parametrize("start", [bytes(128), b"DICM"], ids=["no prefix", "no preamble"])
    def test_without_half_of_its_beginning(self, start: bytes) -> None:
        assert sniff(start + WHOLE[132:]) == "dicom"
        np.testing.assert_array_equal(read(start + WHOLE[132:]).pixels, PICTURE)

    def test_a_length_of_its_meta_information_that_is_wrong(self) -> None:
        for length in (0, 7, 9999, 0xFFFFFFFF):
            data = WHOLE[:140] + struct.pack("<I", length) + WHOLE[144:]
            np.testing.assert_array_equal(read(data).pixels, PICTURE)
        np.testing.assert_array_equal(read(WHOLE[:132] + WHOLE[144:]).pixels, PICTURE)

    def test_its_first_kilobytes_tell_as_much_as_all_of_it(self) -> None:
        for name, encode in ENCODINGS.items():
            data = encode(PICTURE)
            assert sniff(data[:SNIFFED]) == sniff(data), name

    @pytest.mark.parametrize(
        "head",
        [
            b"\x08\0\x05\0SQ\0\0\xff\xff\xff\xff",
            b"\x08\0\x05\0CS\xff\xff",
            b"\x08\0\x05\0\0\0\0\x01",
        ],
        ids=["a sequence", "a long value", "a long value without VR"],
    )
    def test_what_begins_with_much_is_not_gone_through(self, head: bytes) -> None:
        assert sniff(head + bytes(70_000) + b"\x08\0\x08\0CS\x02\0AB") is None

    def test_elements_out_of_order(self) -> None:
        second = b"\x08\0\x16\0UI\x02\0" + b"1\0"
        assert sniff(second + b"\x08\0\x18\0UI\x02\0" + b"1\0") == "dicom"
        assert sniff(second * 2) is None
        assert sniff(second + b"\x08\0\x18\0UI\x20\0" + b"1\0") is None

    def test_a_preamble_that_looks_like_tiff(self) -> None:
        np.testing.assert_array_equal(read(b"II*\0" + WHOLE[4:]).pixels, PICTURE)


OBJECTS_WITHOUT_PIXELS = {
    "nothing but a header": files.dicom(None),
    "an encapsulated PDF": files.dicom(
        None,
        SOPClassUID=uid.EncapsulatedPDFStorage,
        MIMETypeOfEncapsulatedDocument="application/pdf",
        EncapsulatedDocument=b"%PDF-1.7",
    ),
    "a structured report": files.dicom(
        None, SOPClassUID=uid.EnhancedSRStorage, ValueType="CONTAINER", ContentSequence=[]
    ),
    "floating-point pixels": files.dicom(None, FloatPixelData=bytes(16)),
}


@pytest.mark.parametrize("data", OBJECTS_WITHOUT_PIXELS.values(), ids=OBJECTS_WITHOUT_PIXELS)
def test_objects_without_pixels(data: bytes) -> None:
    with refused(NoPixelDataError, match=r"PixelData \(7FE0,0010\)"):
        read(data)


def test_pixels_of_an_icon_are_not_the_images() -> None:
    icon = files.Dataset()
    icon.Rows, icon.Columns, icon.PixelData = 4, 4, bytes(16)
    icon["PixelData"].VR = "OB"
    scan = read(files.grey_dicom(PICTURE, IconImageSequence=[icon]))
    np.testing.assert_array_equal(scan.pixels, PICTURE)


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        (uid.MPEG2MPML, "MPEG-2"),
        (uid.MPEG4HP41, "H.264"),
        (uid.HEVCMP51, "HEVC"),
        ("1.2.840.10008.1.2.4.110", "JPEG XL"),
        (uid.JPEG2000MC, "Part 2"),
        ("1.2.840.10008.1.2.4.55", "JPEG of a retired process"),
        ("1.2.840.113619.5.2", "GE's own"),
        ("1.2.3.4.5.6", "something unknown"),
    ],
)
def test_transfer_syntaxes_that_are_not_read(syntax: str, name: str) -> None:
    with refused(UnsupportedSyntaxError, match=name):
        read(files.relabelled(ENCODINGS["dicom-rle"](PICTURE), syntax))


def test_pixels_that_are_not_encoded_as_announced() -> None:
    with refused(CorruptFileError, match="in one piece; its transfer syntax has it in fragments"):
        read(files.relabelled(WHOLE, uid.RLELossless))
    fragments = files.dicom(PICTURE.tobytes(), encoded=True, Rows=53, Columns=66)
    with refused(CorruptFileError, match="in fragments; its transfer syntax has it in one piece"):
        read(fragments)


def test_encapsulated_pixels_without_a_fragment() -> None:
    with refused(CorruptFileError):
        read(
            files.relabelled(WHOLE[: WHOLE.index(b"\xe0\x7f\x10\0")], uid.RLELossless)
            + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF)
            + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        )


def test_a_frame_in_several_fragments() -> None:
    whole = ENCODINGS["dicom-jpeg-ls"](PICTURE)
    frame = parse(whole, LIMITS).pixels
    parts = (frame[:100], frame[100:102], frame[102:])
    fragments = b"".join(
        struct.pack("<HHI", 0xFFFE, 0xE000, len(part)) + part for part in (b"", *parts)
    )
    start = whole.rindex(b"\xfe\xff\x00\xe0", 0, whole.rindex(b"\xfe\xff\x00\xe0"))
    data = whole[:start] + fragments + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    np.testing.assert_array_equal(read(data).pixels, PICTURE)


ENCODED = [name for name in ENCODINGS if name.startswith(("dicom-jpeg", "dicom-rle"))]
ITEM, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0" + bytes(4)


@pytest.mark.parametrize("encoding", ENCODED)
class TestFragments:
    """What holds the fragments together says nothing of pixels, and may be wrong."""

    def expected(self, encoding: str) -> np.ndarray:
        return read(ENCODINGS[encoding](PICTURE)).pixels

    def pieces(self, encoding: str) -> tuple[bytes, bytes]:
        """Return the file up to where its fragments begin, and them."""
        whole = ENCODINGS[encoding](PICTURE)
        start = whole.rindex(ITEM, 0, whole.rindex(ITEM))
        return whole[:start], whole[start:].removesuffix(SEQUENCE_END)

    @pytest.mark.parametrize("end", [b"", SEQUENCE_END[:6], bytes(2), SEQUENCE_END * 2])
    def test_their_end_is_missing(self, encoding: str, end: bytes) -> None:
        found = read(b"".join(self.pieces(encoding)) + end).pixels
        np.testing.assert_array_equal(found, self.expected(encoding))

    def test_their_offset_table_is_missing(self, encoding: str) -> None:
        head, fragments = self.pieces(encoding)
        (table,) = struct.unpack("<I", fragments[4:8])
        found = read(head + fragments[8 + table :] + SEQUENCE_END).pixels
        np.testing.assert_array_equal(found, self.expected(encoding))

    def test_their_length_is_told(self, encoding: str) -> None:
        head, fragments = self.pieces(encoding)
        for end in (b"", SEQUENCE_END):
            size = struct.pack("<I", len(fragments + end))
            found = read(head[:-4] + size + fragments + end).pixels
            np.testing.assert_array_equal(found, self.expected(encoding))

    def test_pixels_that_are_missing_are_not_made_up(self, encoding: str) -> None:
        whole = b"".join(self.pieces(encoding))
        for cut in range(20, 400, 37):
            with refused(CorruptFileError):
                read(whole[:-cut])


def test_odd_pixels_without_their_padding() -> None:
    odd = np.ascontiguousarray(PICTURE[:, :65])
    whole = files.grey_dicom(odd)
    np.testing.assert_array_equal(read(whole[:-1]).pixels, odd)
    with refused(CorruptFileError, match="3444 bytes long; 65×53 pixels of 1×8 bits need 3445"):
        read(whole[:-2])


def test_elements_behind_those_of_pixels_do_not_end_the_walk() -> None:
    start = WHOLE.index(b"\xe0\x7f\x10\0")
    stray = struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, 4) + bytes(4)
    np.testing.assert_array_equal(read(WHOLE[:start] + stray + WHOLE[start:]).pixels, PICTURE)


class TestDeflated:
    HEAD = files.grey_dicom(PICTURE, syntax=uid.DeflatedExplicitVRLittleEndian)

    def inflated(self) -> tuple[bytes, bytes]:
        length = struct.unpack("<I", self.HEAD[140:144])[0]
        start = 144 + length
        return self.HEAD[:start], zlib.decompress(self.HEAD[start:], -zlib.MAX_WBITS)

    def deflated(self, data: bytes) -> bytes:
        deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return deflater.compress(data) + deflater.flush()

    def test_padding_behind_the_end(self) -> None:
        np.testing.assert_array_equal(read(self.HEAD + b"\0").pixels, PICTURE)

    def test_a_bomb(self) -> None:
        head, data = self.inflated()
        limits = Limits(max_samples=1_000_000)
        with refused(TooManyPixelsError, match="inflates to more than 3048576 bytes"):
            read(head + self.deflated(data + bytes(20_000_000)), limits)

    def test_damage(self) -> None:
        head, data = self.inflated()
        with refused(CorruptFileError, match="bytes long"):
            read(head + self.deflated(data)[:-20])
        with refused(CorruptFileError, match="damaged"):
            read(head + b"\xff" * 100)

    def test_an_end_that_is_missing(self) -> None:
        head, data = self.inflated()
        deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        flushed = deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)
        np.testing.assert_array_equal(read(head + flushed).pixels, PICTURE)

    def test_as_writers_understand_it(self) -> None:
        """With zlib's own header and checksum before and behind it, or not deflated at all."""
        head, data = self.inflated()
        np.testing.assert_array_equal(read(head + zlib.compress(data)).pixels, PICTURE)
        np.testing.assert_array_equal(read(head + data).pixels, PICTURE)


class TestByteOrder:
    """Elements tell by themselves which byte comes first, whatever was announced."""

    LABELS = (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian)

    @pytest.mark.parametrize("announced", LABELS)
    @pytest.mark.parametrize("written", LABELS)
    def test_of_elements(self, written: str, announced: str) -> None:
        data = files.relabelled(files.grey_dicom(PICTURE, syntax=written), announced)
        np.testing.assert_array_equal(read(data).pixels, PICTURE)

    def test_of_wide_pixels_is_not_guessed(self) -> None:
        wider = wide(PICTURE)
        little = files.grey_dicom(wider)
        big = files.grey_dicom(wider.byteswap(), syntax=uid.ExplicitVRBigEndian)
        with refused(CorruptFileError, match="is big-endian and its elements are little-endian"):
            read(files.relabelled(little, uid.ExplicitVRBigEndian))
        with refused(CorruptFileError, match="is little-endian and its elements are big-endian"):
            read(files.relabelled(big, uid.ExplicitVRLittleEndian))


@pytest.mark.parametrize(
    ("vr", "value"),
    [(b"UL", b"\x35\0\0\0"), (b"SL", b"\x35\0\0\0"), (b"SS", b"\x35\0"), (b"IS", b"53"),
     (b"DS", b"53.0")],
)  # fmt: skip
def test_whole_numbers_of_another_vr(vr: bytes, value: bytes) -> None:
    rows = b"\x28\0\x10\0US\2\0\x35\0"
    assert WHOLE.count(rows) == 1
    other = b"\x28\0\x10\0" + vr + struct.pack("<H", len(value)) + value
    np.testing.assert_array_equal(read(WHOLE.replace(rows, other)).pixels, PICTURE)


@pytest.mark.parametrize(("vr", "value"), [(b"IS", b"53\\53 "), (b"DS", b"53.5"), (b"IS", b"many")])
def test_no_whole_number(vr: bytes, value: bytes) -> None:
    rows = b"\x28\0\x10\0US\2\0\x35\0"
    other = b"\x28\0\x10\0" + vr + struct.pack("<H", len(value)) + value
    with refused(InvalidTagError, match="Rows .* something else than one whole number"):
        read(WHOLE.replace(rows, other))


@pytest.mark.parametrize("tag", [Tag.FloatPixelData, Tag.DoubleFloatPixelData])
def test_pixels_that_are_no_picture(tag: Tag) -> None:
    start = WHOLE.index(b"\xe0\x7f\x10\0")
    element = struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"OW", 0, 8) + bytes(8)
    with refused(NoPixelDataError, match=f"it has {tag.name} .* which is no picture"):
        read(WHOLE[:start] + element)
