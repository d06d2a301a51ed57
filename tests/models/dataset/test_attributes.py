from __future__ import annotations

import pytest

from models.dataset import attributes


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("", ""),
        ("0", "<50"),
        ("49", "<50"),
        ("50", "50-59"),
        ("69", "60-69"),
        ("70", "70-79"),
        ("79", "70-79"),
        ("80", "80+"),
        ("120", "80+"),
    ],
)
def test_age_bands(text: str, band: str) -> None:
    assert attributes.age_band(text) == band


@pytest.mark.parametrize("text", ["121", "-1", "67.0", "067Y", "٦٧", "old", " 67"])
def test_no_age(text: str) -> None:
    with pytest.raises(ValueError, match="no whole number of years from 0 to 120") as caught:
        attributes.age_band(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "band"),
    [("", ""), ("067Y", "60-69"), ("600M", "50-59"), ("020D", "<50"), ("999W", "<50")],
)
def test_dicom_ages(text: str, band: str) -> None:
    assert attributes.dicom_age_band(text) == band


@pytest.mark.parametrize("text", ["67Y", "67", "067y", "067X", "0670Y", "999Y"])
def test_no_dicom_age(text: str) -> None:
    with pytest.raises(ValueError, match="age"):
        attributes.dicom_age_band(text)


@pytest.mark.parametrize(
    ("text", "vendor"),
    [
        ("", ""),
        ("HOLOGIC, Inc.", "hologic"),
        ("GE Healthcare", "ge"),
        ("Lunar", "ge"),
        ("GE-LUNAR", "ge"),
        ("Norland", "other"),
        ("Bridge", "other"),
    ],
)
def test_manufacturers_spell_themselves_in_many_ways(text: str, vendor: str) -> None:
    assert attributes.vendor(text) == vendor


@pytest.mark.parametrize(
    ("text", "sex"), [("", ""), ("F", "female"), ("Male", "male"), ("O", "other")]
)
def test_sexes(text: str, sex: str) -> None:
    assert attributes.sex(text) == sex


def test_no_sex() -> None:
    with pytest.raises(ValueError, match="sex is none of"):
        attributes.sex("W")
