from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import pytest
from pydicom import uid

from models.image.errors import InvalidTagError, MissingTagError, ScanError
from models.reading import read
from tests.models.reading import files
from tests.models.reading.encodings import ENCODINGS, pattern
from tests.models.reading.refusals import refused

PICTURE = pattern()


class TestSpacing:
    @pytest.mark.parametrize("tag", ["PixelSpacing", "ImagerPixelSpacing"])
    def test_row_then_column(self, tag: str) -> None:
        assert read(files.grey_dicom(PICTURE, **{tag: ["0.9", "0.45"]})).spacing == (0.9, 0.45)

    def test_at_the_patient_goes_before_at_the_detector(self) -> None:
        data = files.grey_dicom(
            PICTURE, PixelSpacing=["0.5", "0.5"], ImagerPixelSpacing=["0.6", "0.6"]
        )
        assert read(data).spacing == (0.5, 0.5)

    @pytest.mark.parametrize(
        "spacing",
        [["0", "0"], ["-1", "1"], ["", "1"], ["11", "1"], ["1", "1e9"], ["1", "1", "1"], ["1"], []],
        ids=str,
    )
    def test_implausible(self, spacing: list[str]) -> None:
        assert read(files.grey_dicom(PICTURE, PixelSpacing=spacing)).spacing is None

    def test_one_that_is_implausible_does_not_take_the_other_along(self) -> None:
        data = files.grey_dicom(PICTURE, PixelSpacing=["0", "0"], ImagerPixelSpacing=["0.6", "0.6"])
        assert read(data).spacing == (0.6, 0.6)

    def test_with_a_comma(self) -> None:
        data = files.grey_dicom(PICTURE, PixelSpacing=["0.5", "0.5"])
        assert read(data.replace(b"0.5\\0.5 ", b"0,5\\0,5 ")).spacing == (0.5, 0.5)

    @pytest.mark.parametrize("text", [b"nan\\nan ", b"inf\\1   ", b"a\\b     "])
    def test_no_numbers(self, text: bytes) -> None:
        data = files.grey_dicom(PICTURE, PixelSpacing=["0.5", "0.5"])
        assert data.count(b"0.5\\0.5 ") == 1
        assert read(data.replace(b"0.5\\0.5 ", text)).spacing is None

    def test_absent(self) -> None:
        assert read(files.grey_dicom(PICTURE)).spacing is None


class TestTags:
    def test_only_what_bears_on_the_pixels(self) -> None:
        data = files.grey_dicom(
            PICTURE,
            BodyPartExamined="LSPINE",
            ViewPosition="AP",
            BurnedInAnnotation="NO",
            LossyImageCompression="00",
            Manufacturer="HOLOGIC",
            AccessionNumber="12345",
            PatientBirthDate="19400101",
            ImageComments=files.PATIENT,
        )
        assert read(data).tags == {
            "SOPClassUID": uid.SecondaryCaptureImageStorage,
            "Modality": "BMD",
            "BodyPartExamined": "LSPINE",
            "ViewPosition": "AP",
            "PhotometricInterpretation": "MONOCHROME2",
            "BurnedInAnnotation": "NO",
            "LossyImageCompression": "00",
            "TransferSyntaxUID": uid.ExplicitVRLittleEndian,
        }

    @pytest.mark.parametrize("note", [b"DOE^JANE", b"Jane Doe", b"J\xc4NE DOE", b"A\nB     "])
    def test_what_does_not_look_like_a_code_is_left_out(self, note: bytes) -> None:
        data = files.grey_dicom(PICTURE, BodyPartExamined="XXXXXXXX")
        tags = read(data.replace(b"XXXXXXXX", note)).tags
        assert "BodyPartExamined" not in tags
        assert tags["Modality"] == "BMD"

    def test_what_is_too_long_is_left_out(self) -> None:
        data = files.grey_dicom(PICTURE, ViewPosition="A" * 16)
        assert read(data).tags["ViewPosition"] == "A" * 16
        start = data.index(b"\x18\x00\x01\x51CS")
        longer = data[: start + 6] + b"\x60\0" + b"A" * 96 + data[start + 24 :]
        assert "ViewPosition" not in read(longer).tags
        longest = data[: start + 6] + b"\x60\xea" + b"A" * 60_000 + data[start + 24 :]
        assert "ViewPosition" not in read(longest).tags

    @pytest.mark.parametrize("encoding", [name for name in ENCODINGS if name[:5] == "dicom"])
    def test_the_patient_stays_behind(self, encoding: str) -> None:
        scan = read(ENCODINGS[encoding](PICTURE))
        assert scan.tags["PhotometricInterpretation"]
        for secret in (files.PATIENT, "4711", "20240229", "Hospital", "1.2.3.4.5"):
            assert secret not in repr(scan.tags.values())


class TestLossy:
    @pytest.mark.parametrize(("said", "lossy"), [("01", True), ("00", False), (None, False)])
    def test_as_the_file_says(self, said: str | None, lossy: bool) -> None:
        assert read(files.grey_dicom(PICTURE, LossyImageCompression=said)).lossy == lossy

    def test_the_syntax_cannot_be_denied(self) -> None:
        data = ENCODINGS["dicom-jpeg-baseline"](PICTURE)
        assert read(data).lossy


class TestPalette:
    COLOURS = np.random.default_rng(6).integers(0, 256, (256, 3), np.uint8)
    EXPECTED = read(files.pillow(COLOURS[PICTURE], "PNG")).pixels

    def dicom(self, pixels: np.ndarray, bits: int, **changes: Any) -> bytes:
        elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
        for channel, name in enumerate(("Red", "Green", "Blue")):
            entries = self.COLOURS[:, channel]
            words = entries.astype("<u2") * 257 if bits == 16 else entries
            elements[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
            elements[f"{name}PaletteColorLookupTableData"] = words.tobytes()
        return files.grey_dicom(pixels, **(elements | changes))

    @pytest.mark.parametrize("bits", [8, 16])
    @pytest.mark.parametrize("container", [np.uint8, np.uint16])
    def test_is_expanded_exactly(self, bits: int, container: type) -> None:
        scan = read(self.dicom(PICTURE.astype(container), bits))
        assert scan.bits == 8
        np.testing.assert_array_equal(scan.pixels, self.EXPECTED)

    def test_may_start_above_zero(self) -> None:
        start = [256, 1000, 16]
        changes = {f"{name}PaletteColorLookupTableDescriptor": start for name in ("Red", "Green")}
        changes["BluePaletteColorLookupTableDescriptor"] = start
        scan = read(self.dicom(PICTURE.astype(np.uint16) + np.uint16(1000), 16, **changes))
        np.testing.assert_array_equal(scan.pixels, self.EXPECTED)

    @pytest.mark.parametrize(
        ("scale", "bits"), [(1, 16), (256, 16), (257, 8), (256, 8), (1, 12)], ids=str
    )
    def test_values_of_another_depth_than_they_say(self, scale: int, bits: int) -> None:
        changes: dict[str, Any] = {}
        for channel, name in enumerate(("Red", "Green", "Blue")):
            words = self.COLOURS[:, channel].astype(int) * scale
            changes[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
            changes[f"{name}PaletteColorLookupTableData"] = words.astype("<u2").tobytes()
        scan = read(self.dicom(PICTURE, 8, **changes))
        np.testing.assert_array_equal(scan.pixels, self.EXPECTED)

    def test_values_of_one_byte_that_say_two(self) -> None:
        changes: dict[str, Any] = {}
        for channel, name in enumerate(("Red", "Green", "Blue")):
            changes[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
            changes[f"{name}PaletteColorLookupTableData"] = self.COLOURS[:, channel].tobytes()
        scan = read(self.dicom(PICTURE, 8, **changes))
        np.testing.assert_array_equal(scan.pixels, self.EXPECTED)

    def test_65536_of_them(self) -> None:
        greys = (np.arange(65536) >> 8).astype(np.uint8)
        changes: dict[str, Any] = {}
        for name in ("Red", "Green", "Blue"):
            changes[f"{name}PaletteColorLookupTableDescriptor"] = [0, 0, 8]
            changes[f"{name}PaletteColorLookupTableData"] = greys.tobytes()
        scan = read(self.dicom(PICTURE.astype(np.uint16) << 8, 8, **changes))
        np.testing.assert_array_equal(scan.pixels, PICTURE)

    def test_tables_that_differ(self) -> None:
        change = {"BluePaletteColorLookupTableDescriptor": [256, 1, 8]}
        with refused(InvalidTagError, match="differ"):
            read(self.dicom(PICTURE, 8, **change))

    def test_a_table_that_is_missing(self) -> None:
        with refused(MissingTagError, match="GreenPaletteColorLookupTableData"):
            read(self.dicom(PICTURE, 8, GreenPaletteColorLookupTableData=None))

    def test_segmented_tables_are_not_read(self) -> None:
        changes = {f"{name}PaletteColorLookupTableData": None for name in ("Red", "Green", "Blue")}
        changes["SegmentedRedPaletteColorLookupTableData"] = bytes(8)
        with refused(MissingTagError):
            read(self.dicom(PICTURE, 8, **changes))


SECRETS = {
    "photometric interpretation": (b"MONOCHROME2 ", b"DOE^JANE    "),
    "transfer syntax": (b"1.2.840.10008.1.2.1\0", b"DOE^JANE            "),
    "rescale": (b"41.25000", b"DOE^JANE"),
    "function": (b"SIGMOID ", b"DOE^JANE"),
}


@pytest.mark.parametrize(("written", "secret"), SECRETS.values(), ids=SECRETS)
def test_messages_quote_nothing(written: bytes, secret: bytes) -> None:
    data = files.grey_dicom(
        PICTURE,
        WindowCenter="40",
        WindowWidth="80",
        VOILUTFunction="SIGMOID",
        RescaleSlope="1",
        RescaleIntercept="41.25000",
    )
    assert data.count(written) == 1
    with pytest.raises(ScanError) as caught:
        read(data.replace(written, secret))
    assert files.PATIENT not in "".join(traceback.format_exception(caught.value))
