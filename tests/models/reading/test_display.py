"""Modality LUT, then VOI LUT, then inversion: each by itself, and in that order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from models.image.errors import InvalidTagError, MissingTagError
from models.reading import read
from models.reading.display import window
from tests.models.reading import files
from tests.models.reading.encodings import pattern, scaled
from tests.models.reading.refusals import refused
from tests.models.reading.test_lookup import INVERTING, table

PICTURE = pattern()
RAMP = np.tile(np.arange(256, dtype=np.uint8), (40, 1))
RAMP12 = np.tile(np.arange(4096, dtype=np.uint16), (40, 1))


def shown(pixels: np.ndarray, **elements: Any) -> list[int]:
    """Return the first line as it is shown."""
    line: list[int] = read(files.grey_dicom(pixels, **elements)).pixels[0].tolist()
    return line


class TestWithoutAnything:
    def test_the_full_range_is_shown_not_what_the_image_uses(self) -> None:
        dim = np.clip(PICTURE, 50, 100)
        np.testing.assert_array_equal(read(files.grey_dicom(dim)).pixels, dim)

    def test_signed_values_start_at_their_lowest(self) -> None:
        line = np.tile(np.array([-2048, -1, 0, 2047], np.int16), (40, 10))
        assert shown(line, BitsStored=12)[:4] == [0, 2047, 2048, 4095]

    def test_bits_above_those_stored_are_left_alone(self) -> None:
        """Overlays were once kept there (PS3.5 8.1.2)."""
        with_overlay = RAMP12 | 0xA000
        assert shown(with_overlay, BitsStored=12) == list(range(4096))
        negative = (np.tile(np.array([-1, -2048], np.int16), (40, 20)) & 0x0FFF).astype(np.int16)
        assert shown(negative, BitsStored=12)[:2] == [2047, 0]


class TestModality:
    @pytest.mark.parametrize(
        ("slope", "intercept"), [("1", "0"), ("0.5", "-1000"), ("257", "3"), ("1e-6", "12.5")]
    )
    def test_rescaling_moves_the_range_along(self, slope: str, intercept: str) -> None:
        found = shown(RAMP, RescaleSlope=slope, RescaleIntercept=intercept)
        assert found == list(range(256))

    def test_a_negative_slope_turns_it_over(self) -> None:
        found = shown(RAMP, RescaleSlope="-1", RescaleIntercept="255")
        assert found == list(range(255, -1, -1))

    @pytest.mark.parametrize("slope", ["0", "1e-10", "-1e10"])
    def test_slopes_that_cannot_be(self, slope: str) -> None:
        with refused(InvalidTagError, match="RescaleSlope"):
            shown(RAMP, RescaleSlope=slope, RescaleIntercept="0")

    @pytest.mark.parametrize("missing", [None, ""], ids=["absent", "blank"])
    @pytest.mark.parametrize(
        "given",
        [
            {"RescaleSlope": "1"},
            {"RescaleSlope": "2.5"},
            {"RescaleIntercept": "-1024"},
            {"RescaleSlope": "1", "WindowCenter": "128", "WindowWidth": "256"},
            {"RescaleIntercept": "0", "WindowCenter": "128", "WindowWidth": "256"},
        ],
        ids=str,
    )
    def test_half_of_it_that_makes_no_difference(
        self, given: dict[str, str], missing: str | None
    ) -> None:
        half = {"RescaleSlope": missing, "RescaleIntercept": missing}
        assert shown(RAMP, **(half | given)) == list(range(256))

    @pytest.mark.parametrize(
        "given",
        [
            {"RescaleSlope": "-1"},
            {"RescaleSlope": "2", "WindowCenter": "128", "WindowWidth": "256"},
            {"RescaleIntercept": "-100", "WindowCenter": "128", "WindowWidth": "256"},
            {"RescaleIntercept": "1", "VOILUTSequence": [table(INVERTING, [256, 0, 8])]},
        ],
        ids=str,
    )
    def test_half_of_it_that_makes_one(self, given: dict[str, Any]) -> None:
        with refused(MissingTagError, match="one without the other"):
            shown(RAMP, **given)

    def test_an_intercept_that_is_none(self) -> None:
        data = files.grey_dicom(RAMP, RescaleSlope="1", RescaleIntercept="1.2345")
        data = data.replace(b"1.2345", b"??????")
        assert read(data).pixels[0].tolist() == list(range(256))
        shown_in = {"WindowCenter": "128", "WindowWidth": "256"}
        data = files.grey_dicom(RAMP, RescaleSlope="1", RescaleIntercept="1.2345", **shown_in)
        with refused(InvalidTagError, match="RescaleIntercept .* finite"):
            read(data.replace(b"1.2345", b"??????"))

    def test_a_slope_that_is_none(self) -> None:
        data = files.grey_dicom(RAMP, RescaleSlope="1.2345", RescaleIntercept="0")
        with refused(InvalidTagError, match="RescaleSlope .* finite"):
            read(data.replace(b"1.2345", b"??????"))

    def test_an_empty_item_is_no_lookup_table(self) -> None:
        assert shown(RAMP, ModalityLUTSequence=[files.Dataset()]) == list(range(256))
        assert shown(RAMP, VOILUTSequence=[files.Dataset()]) == list(range(256))

    def test_a_lookup_table(self) -> None:
        item = table((INVERTING.astype(int) * 16).astype("<u2"), [256, 0, 12])
        scan = read(files.grey_dicom(PICTURE, ModalityLUTSequence=[item]))
        assert scan.bits == 12
        np.testing.assert_array_equal(scan.pixels, (255 - PICTURE.astype(int)) * 16)

    def test_a_lookup_table_goes_before_rescaling(self) -> None:
        item = table(INVERTING, [256, 0, 8])
        elements = {"RescaleSlope": "2", "RescaleIntercept": "7"}
        assert shown(RAMP, ModalityLUTSequence=[item], **elements) == list(range(255, -1, -1))


class TestWindow:
    """PS3.3 C.11.2.1.2.1 gives these numbers for its examples."""

    def test_linear_as_in_the_standard(self) -> None:
        values = np.array([-1.0, 0, 1, 1023, 2047, 2048, 4094, 4095, 4096])
        found = window(values, 2048, 4096, "LINEAR")
        expected = [0, 0, 1 / 4095, 1023 / 4095, 2047 / 4095, 2048 / 4095, 4094 / 4095, 1, 1]
        np.testing.assert_allclose(found, expected, atol=1e-12)

    def test_linear_of_width_1_is_a_threshold(self) -> None:
        found = window(np.array([-1.0, -0.6, -0.5, -0.4, 0, 1]), 0, 1, "LINEAR")
        assert found.tolist() == [0, 0, 0, 1, 1, 1]

    def test_linear_exact(self) -> None:
        values = np.array([-1.0, 0, 1024, 2048, 4096, 5000])
        found = window(values, 2048, 4096, "LINEAR_EXACT")
        np.testing.assert_allclose(found, [0, 0, 0.25, 0.5, 1, 1])

    def test_sigmoid(self) -> None:
        found = window(np.array([-1e12, 0.0, 100, 200, 1e12]), 100, 50, "SIGMOID")
        outer = 1 / (1 + math.exp(8))
        np.testing.assert_allclose(found, [0, outer, 0.5, 1 - outer, 1], atol=1e-12)

    @pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
    def test_is_applied_to_files(self, function: str) -> None:
        found = shown(
            RAMP12, BitsStored=12, WindowCenter="1000", WindowWidth="500", VOILUTFunction=function
        )
        expected = window(np.arange(4096.0), 1000, 500, function) * 4095
        np.testing.assert_array_equal(found, np.rint(expected))

    def test_the_first_of_several_holds(self) -> None:
        elements = {"WindowCenter": ["100", "900"], "WindowWidth": ["50", "9"]}
        found = shown(RAMP, **elements)
        np.testing.assert_array_equal(
            found, np.rint(window(np.arange(256.0), 100, 50, "LINEAR") * 255)
        )

    @pytest.mark.parametrize(
        "elements",
        [
            {"WindowWidth": "0"},
            {"WindowWidth": "0", "WindowCenter": "0"},
            {"WindowWidth": "0.5"},
            {"WindowWidth": "-50"},
            {"WindowWidth": "0", "VOILUTFunction": "LINEAR_EXACT"},
            {"WindowWidth": "-1", "VOILUTFunction": "SIGMOID"},
            {"WindowWidth": None},
            {"WindowCenter": None},
            {"WindowCenter": ""},
            {"WindowCenter": "", "WindowWidth": ""},
            {"WindowWidth": "", "VOILUTFunction": "CUBIC"},
        ],
        ids=str,
    )
    def test_what_is_no_window_is_as_good_as_none(self, elements: dict[str, str | None]) -> None:
        given: dict[str, Any] = {"WindowCenter": "40", "WindowWidth": "80"} | elements
        assert shown(RAMP, **given) == list(range(256))

    @pytest.mark.parametrize("written", ["??????", "DOE^JA", "1,0240", "nan   "])
    def test_so_is_one_of_no_numbers(self, written: str) -> None:
        data = files.grey_dicom(RAMP, WindowCenter="40.125", WindowWidth="80")
        data = data.replace(b"40.125", written.encode())
        expected = window(np.arange(256.0), 1.024, 80, "LINEAR") * 255
        if written[0] != "1":
            expected = np.arange(256.0)
        np.testing.assert_array_equal(read(data).pixels[0], np.rint(expected))

    def test_the_first_that_is_one_holds(self) -> None:
        given = {"WindowCenter": ["40", "100", "9"], "WindowWidth": ["0", "50", "9"]}
        expected = np.rint(window(np.arange(256.0), 100, 50, "LINEAR") * 255)
        np.testing.assert_array_equal(shown(RAMP, **given), expected)

    def test_decimals_with_a_comma(self) -> None:
        data = files.grey_dicom(RAMP, WindowCenter="128.0", WindowWidth="256.0")
        assert data.count(b"128.0") == data.count(b"256.0") == 1
        data = data.replace(b"128.0", b"128,0").replace(b"256.0", b"256,0")
        assert read(data).pixels[0].tolist() == list(range(256))

    def test_a_function_that_is_not_known(self) -> None:
        given = {"WindowCenter": "40", "WindowWidth": "80", "VOILUTFunction": "CUBIC"}
        with refused(InvalidTagError, match="LINEAR, LINEAR_EXACT and SIGMOID"):
            shown(RAMP, **given)

    @pytest.mark.parametrize("written", ["linear exact", "Linear_Exact"])
    def test_a_function_as_writers_write_it(self, written: str) -> None:
        data = files.grey_dicom(
            RAMP, WindowCenter="100", WindowWidth="50", VOILUTFunction="LINEAR_EXACT"
        )
        expected = np.rint(window(np.arange(256.0), 100, 50, "LINEAR_EXACT") * 255)
        found = read(data.replace(b"LINEAR_EXACT", written.encode())).pixels[0]
        np.testing.assert_array_equal(found, expected)

    def test_a_lookup_table_goes_before_a_window(self) -> None:
        elements = {"WindowCenter": "10", "WindowWidth": "3"}
        found = shown(RAMP, VOILUTSequence=[table(INVERTING, [256, 0, 8])], **elements)
        assert found == list(range(255, -1, -1))

    def test_colour_has_none(self) -> None:
        colours = np.repeat(RAMP, 3).tobytes()
        elements = {"WindowCenter": "10", "WindowWidth": "3", "RescaleSlope": "0"}
        found = read(files.colour_dicom(colours, RAMP.shape, **elements)).pixels
        np.testing.assert_array_equal(found, RAMP)


class TestInversion:
    @pytest.mark.parametrize(
        ("photometric", "shape", "inverted"),
        [
            ("MONOCHROME2", None, False),
            ("MONOCHROME2", "IDENTITY", False),
            ("MONOCHROME2", "INVERSE", True),
            ("MONOCHROME1", None, True),
            ("MONOCHROME1", "IDENTITY", True),
            ("MONOCHROME1", "INVERSE", True),
        ],
    )
    def test_once_or_not_at_all(self, photometric: str, shape: str | None, inverted: bool) -> None:
        found = shown(RAMP, PhotometricInterpretation=photometric, PresentationLUTShape=shape)
        assert found == list(range(255, -1, -1) if inverted else range(256))

    def test_is_over_the_full_range_not_the_images(self) -> None:
        dim = np.clip(PICTURE, 50, 100)
        scan = read(files.grey_dicom(dim, PhotometricInterpretation="MONOCHROME1"))
        np.testing.assert_array_equal(scan.pixels, 255 - dim)


class TestOrder:
    def test_rescale_before_window(self) -> None:
        """The window is in rescaled units: 1000 is the middle of 0…4095 halved."""
        found = shown(
            RAMP12,
            BitsStored=12,
            RescaleSlope="0.5",
            RescaleIntercept="-24",
            WindowCenter="1000",
            WindowWidth="401",
        )
        assert found[: 2 * 824] == sorted(found[: 2 * 824])
        low, middle, high = 2 * (799 + 24), 2 * (1000 + 24) - 1, 2 * (1200 + 24)
        assert (found[low], found[high]) == (0, 4095)
        assert abs(found[middle] - 2047.5) <= 0.5
        assert found[low + 2] > 0
        assert found[high - 2] < 4095

    def test_window_before_inversion(self) -> None:
        """Dark below the window turns white; inverted first, the window would lie elsewhere."""
        found = shown(
            RAMP, PhotometricInterpretation="MONOCHROME1", WindowCenter="50", WindowWidth="21"
        )
        assert found[:40] == [255] * 40
        assert found[60:] == [0] * 196
        assert found[40:60] == sorted(found[40:60], reverse=True)

    def test_all_three(self) -> None:
        item = table(INVERTING, [256, 0, 8])
        found = shown(
            RAMP,
            ModalityLUTSequence=[item],
            WindowCenter="128",
            WindowWidth="256",
            PhotometricInterpretation="MONOCHROME1",
        )
        assert found == list(range(256))

    def test_twins_of_either_photometric_interpretation(self) -> None:
        """What the scanner meant is one picture; which way it counts grey does not show."""
        for bits in (8, 12, 16):
            levels = scaled(PICTURE, bits)
            white = (1 << bits) - 1
            one = files.grey_dicom(
                white - levels,
                BitsStored=bits,
                PhotometricInterpretation="MONOCHROME1",
                WindowCenter=str((white + 1) / 2),
                WindowWidth=str((white + 1) / 2),
            )
            two = files.grey_dicom(
                levels,
                BitsStored=bits,
                WindowCenter=str((white + 1) / 2),
                WindowWidth=str((white + 1) / 2),
            )
            np.testing.assert_array_equal(read(one).pixels, read(two).pixels)
