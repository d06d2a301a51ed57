from __future__ import annotations

import pytest

from models.phantom import reference
from models.phantom.reference import REFERENCES, Label, Sex, Vendor


@pytest.mark.parametrize(
    ("vendor", "sex", "osteopenia", "osteoporosis"),
    [
        pytest.param("hologic", "female", 0.937, 0.772, id="Hologic women"),
        pytest.param("hologic", "male", 0.981, 0.816, id="Hologic men"),
        pytest.param("ge", "female", 1.060, 0.880, id="GE women"),
        pytest.param("ge", "male", 1.100, 0.920, id="GE men"),
    ],
)
def test_published_thresholds(
    vendor: Vendor, sex: Sex, osteopenia: float, osteoporosis: float
) -> None:
    assert reference.t_score(osteopenia, vendor, sex) == pytest.approx(-1.0, abs=0.005)
    assert reference.t_score(osteoporosis, vendor, sex) == pytest.approx(-2.5, abs=0.005)


@pytest.mark.parametrize(
    ("t", "label"),
    [
        pytest.param(-0.94, "normal", id="rounds to −0.9"),
        pytest.param(-1.0, "normal", id="−1.0 is normal"),
        pytest.param(-1.04, "normal", id="printed −1.0"),
        pytest.param(-1.06, "osteopenia", id="printed −1.1"),
        pytest.param(-2.44, "osteopenia", id="printed −2.4"),
        pytest.param(-2.496, "osteoporosis", id="printed −2.5: Hologic women at 0.7724"),
        pytest.param(-2.5, "osteoporosis", id="−2.5 is osteoporosis"),
    ],
)
def test_class_is_of_the_printed_t_score(t: float, label: Label) -> None:
    assert reference.classify(t) == label


@pytest.mark.parametrize("hologic", [1.047, 0.937, 0.772])
def test_standardised_bmd_joins_the_vendors_references_for_women(hologic: float) -> None:
    t = reference.t_score(hologic, "hologic", "female")
    lunar = reference.to_lunar(hologic)
    assert lunar == pytest.approx(
        REFERENCES["ge", "female"].mean + t * REFERENCES["ge", "female"].sd, abs=0.003
    )


def test_age_outside_the_population_table_names_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="age is 19; the population table has 21 to 80"):
        reference.band(19)
