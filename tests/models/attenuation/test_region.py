"""Hounsfield units of a region on phantoms: within 2 of the truth, whatever the rescale."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from models.attenuation.region import Ellipse, RegionError, measure
from models.image.errors import InvalidTagError, MissingTagError, ScanError
from models.phantom.ct import SPACING, Series, encode
from models.reading import Limits, ct

RESCALES = [
    pytest.param((1.0, -1024.0), False, id="usual"),
    pytest.param((1.0, 0.0), True, id="signed"),
    pytest.param((0.5, -1000.0), False, id="half"),
    pytest.param((2.0, -8192.0), False, id="Philips' old"),
    pytest.param((1.7, -1500.0), True, id="odd"),
]


@pytest.mark.parametrize("truth", [35.0, 80.0, 110.0, 160.0, 240.0])
@pytest.mark.parametrize(("rescale", "signed"), RESCALES)
def test_a_placed_region_is_within_two_of_the_truth(
    truth: float, rescale: tuple[float, float], signed: bool
) -> None:
    series = Series(
        trabecular=truth, noise=20.0, seed=int(truth), slices=1, rescale=rescale, signed=signed
    )
    (file,) = encode(series)
    found = ct.read(file, Limits())
    assert (found.rescale, found.spacing) == (rescale, (SPACING, SPACING))
    # A reader places it by hand: not in the very middle, and not round.
    x, y = series.centre
    region = Ellipse(x=x + 2, y=y - 3, radius_x=9 / SPACING, radius_y=7 / SPACING)
    told = measure(found.stored, found.rescale, region, found.spacing)
    assert abs(told.mean - truth) <= 2.0
    assert told.sd == pytest.approx(20.0, rel=0.15)
    assert told.se == pytest.approx(told.sd / told.pixels**0.5)
    assert told.area == pytest.approx(np.pi * 9 * 7, rel=0.05)
    assert told.low < told.mean < told.high


def test_arithmetic_is_exact_without_noise() -> None:
    stored = np.full((64, 64), 1144, np.uint16)
    region = Ellipse(x=32, y=32, radius_x=8, radius_y=8)
    told = measure(stored, (1.0, -1024.0), region, (0.5, 0.5))
    assert (told.mean, told.sd, told.low, told.high) == (120.0, 0.0, 120.0, 120.0)
    assert told.pixels == 197
    assert told.area == 197 * 0.25


@pytest.mark.parametrize(
    "region",
    [
        pytest.param(Ellipse(x=3, y=30, radius_x=8, radius_y=8), id="over the edge"),
        pytest.param(Ellipse(x=30, y=30, radius_x=1, radius_y=1), id="too small"),
        pytest.param(Ellipse(x=30, y=30, radius_x=0, radius_y=5), id="no width"),
        pytest.param(Ellipse(x=float("nan"), y=30, radius_x=5, radius_y=5), id="nowhere"),
        pytest.param(Ellipse(x=1e12, y=30, radius_x=5, radius_y=5), id="far away"),
    ],
)
def test_a_region_lies_in_the_slice(region: Ellipse) -> None:
    with pytest.raises(RegionError):
        measure(np.zeros((64, 64), np.int16), (1.0, 0.0), region, (1.0, 1.0))


def changed(change: Callable[[Dataset], object]) -> bytes:
    (file,) = encode(Series(slices=1, side=64))
    data = pydicom.dcmread(io.BytesIO(file))
    change(data)
    buffer = io.BytesIO()
    data.save_as(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(lambda d: d.pop("RescaleSlope"), MissingTagError, id="no slope"),
        pytest.param(lambda d: d.pop("RescaleIntercept"), MissingTagError, id="no intercept"),
        pytest.param(lambda d: setattr(d, "RescaleSlope", "0"), InvalidTagError, id="slope 0"),
        pytest.param(lambda d: setattr(d, "RescaleType", "US"), InvalidTagError, id="no HU"),
        pytest.param(
            lambda d: setattr(d, "ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]),
            InvalidTagError,
            id="localizer",
        ),
        pytest.param(
            lambda d: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.7"),
            InvalidTagError,
            id="secondary capture",
        ),
        pytest.param(
            lambda d: setattr(d, "ImageOrientationPatient", [1, 0, 0, 0, 0, -1]),
            InvalidTagError,
            id="coronal",
        ),
        pytest.param(lambda d: d.pop("ImagePositionPatient"), MissingTagError, id="no place"),
        pytest.param(lambda d: d.pop("PixelSpacing"), MissingTagError, id="no spacing"),
        pytest.param(lambda d: setattr(d, "PixelSpacing", [9, 9]), InvalidTagError, id="coarse"),
        pytest.param(
            lambda d: setattr(d, "PhotometricInterpretation", "MONOCHROME1"),
            InvalidTagError,
            id="inverted",
        ),
        pytest.param(lambda d: setattr(d, "PixelData", b"\0" * 16), ScanError, id="cut short"),
    ],
)
def test_what_is_no_slice_in_hounsfield_units_is_refused(
    change: Callable[[Dataset], object], error: type[ScanError]
) -> None:
    with pytest.raises(error):
        ct.read(changed(change), Limits())


def test_a_header_says_contrast_and_voltage() -> None:
    (plain,) = encode(Series(slices=1, side=64))
    found = ct.read(plain, Limits())
    assert (found.voltage, found.contrast, found.kernel) == (120.0, False, "B30")
    (given,) = encode(Series(slices=1, side=64, voltage=None, contrast="IOPAMIDOL"))
    found = ct.read(given, Limits())
    assert (found.voltage, found.contrast) == (None, True)
