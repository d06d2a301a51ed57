from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from pydicom import uid
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset as PydicomDataset
from pydicom.tag import BaseTag

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
from models.reading.syntaxes import SYNTAXES, UNSUPPORTED_NAMES
from models.reading.tags import Tag
from tests.models.reading import files
from tests.models.reading.encodings import ENCODINGS, pattern
from tests.models.reading.refusals import refused

PICTURE = pattern()
WHOLE = files.grey_dicom(PICTURE)
LIMITS = Limits()


def dataset(tag: Tag, data: bytes) -> Dataset:
    element = RawDataElement(BaseTag(tag), None, len(data), data, 0, True, True)
    return Dataset(PydicomDataset({element.tag: element}), little=True)


class TestGetters:
    def test_absent_and_empty_are_alike(self) -> None:
        for data in (Dataset(PydicomDataset(), little=True), dataset(Tag.Rows, b"")):
            assert Tag.Rows not in data
            assert data.text(Tag.Rows) is None
            assert data.integer(Tag.Rows) is None
            assert data.decimal(Tag.Rows) is None
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
        "number", [b"nan", b"inf", b"-inf", b"1e13", b"12,5", b"DOE^JANE", b"1\\", b"0x10"]
    )
    def test_text_that_is_no_number(self, number: bytes) -> None:
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
        ("1.2.840.10008.1.2.4.55", "something unknown"),
        ("1.2.3.4.5.6", "something unknown"),
    ],
)
def test_transfer_syntaxes_that_are_not_read(syntax: str, name: str) -> None:
    with refused(UnsupportedSyntaxError, match=name):
        read(files.relabelled(ENCODINGS["dicom-rle"](PICTURE), syntax))


def test_pixels_that_are_not_encoded_as_announced() -> None:
    with refused(CorruptFileError, match="transfer syntax"):
        read(files.relabelled(WHOLE, uid.RLELossless))
    with refused(CorruptFileError, match="transfer syntax"):
        read(files.relabelled(ENCODINGS["dicom-rle"](PICTURE), uid.ExplicitVRLittleEndian))


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
        with refused(CorruptFileError, match="truncated"):
            read(head + self.deflated(data)[:-20])
        with refused(CorruptFileError, match="damaged"):
            read(head + b"\xff" * 100)
