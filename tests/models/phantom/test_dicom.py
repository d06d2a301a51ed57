from __future__ import annotations

import io

import numpy as np
import pytest
from pydicom import dcmread

from models.image import recipe
from models.phantom import Phantom
from models.phantom.dicom import NOTICE, Photometric, encode
from models.reading import read


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_eight_bits_show_the_image(clean: list[Phantom], photometric: Photometric) -> None:
    for phantom in (clean[0], clean[-1]):
        scan = read(encode(phantom, photometric=photometric))
        assert scan.bits == 8
        assert np.array_equal(scan.pixels, phantom.image)
        assert scan.spacing == pytest.approx((phantom.spacing, phantom.spacing), abs=1e-6)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_twelve_bits_show_what_eight_round_away(
    clean: list[Phantom], photometric: Photometric
) -> None:
    phantom = clean[1]
    scan = read(encode(phantom, photometric=photometric, bits=12))
    shown = scan.pixels / (2.0**scan.bits - 1)
    assert np.abs(shown - phantom.level).max() < 0.6 / 4095
    assert len(np.unique(scan.pixels)) > 1000
    apart = recipe.frame(scan).astype(int) - recipe.frame(phantom.scan)
    assert np.abs(apart).max() <= 3


def test_image_is_level_rounded(clean: list[Phantom]) -> None:
    for phantom in clean:
        assert phantom.level.dtype == np.float32
        assert np.array_equal(np.rint(255.0 * phantom.level), phantom.image)


def test_it_says_what_it_is_and_whom_it_shows(clean: list[Phantom]) -> None:
    for phantom in (clean[0], clean[-1]):
        made = dcmread(io.BytesIO(encode(phantom)))
        assert made.ImageComments == NOTICE
        assert "Synthetic" in made.Manufacturer
        assert str(made.PatientName) == "Phantom^Synthetic"
        assert made.PatientSex == phantom.sex[0].upper()
        assert int(made.PatientAge[:3]) == phantom.age
        assert made.BurnedInAnnotation == ("YES" if phantom.overlay else "NO")


def test_same_arguments_same_bytes_and_another_view_another_study(clean: list[Phantom]) -> None:
    assert encode(clean[0]) == encode(clean[0])
    one, other = (dcmread(io.BytesIO(encode(clean[0], view=view))) for view in (0, 1))
    assert one.PatientID == other.PatientID
    for uid in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        assert one[uid].value != other[uid].value
