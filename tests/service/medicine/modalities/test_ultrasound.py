"""Ultrasound of the heel: formulae to the last digit, what is taken, and what it reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from service.medicine.modalities.settings import ModalitySettings
from service.medicine.modalities.ultrasound.indices import (
    index,
    quantitative_ultrasound_index,
    stiffness_index,
)
from service.medicine.modalities.ultrasound.reading import voice
from service.medicine.modalities.ultrasound.schemas import Ultrasound, UltrasoundError, read

PUBLISHED = ModalitySettings()


def heel(device: str = "achilles", **facts: Any) -> Ultrasound:
    return read({"device": device, **facts})


@pytest.mark.parametrize(
    ("bua", "sos", "si"),
    [("108.4", "1531.2", "81.364"), ("100", "1500", "67.00"), ("120.5", "1580.3", "103.219")],
)
def test_stiffness_index_is_exact(bua: str, sos: str, si: str) -> None:
    assert stiffness_index(Decimal(bua), Decimal(sos)) == Decimal(si)
    found = index(heel(sos_m_s=float(sos), bua_db_mhz=float(bua)))
    assert found is not None
    assert (found.name, found.value) == ("stiffness_index", Decimal(si))


@pytest.mark.parametrize(
    ("bua", "sos", "qui"),
    [
        pytest.param("59.5", "1517.7", "75.652", id="JPOS cut-offs, domain.md"),
        pytest.param("84.8", "1564.2", "105.090", id="Ponteggia 2003, whose mean QUI is 105.0"),
    ],
)
def test_qui_is_exact(bua: str, sos: str, qui: str) -> None:
    assert quantitative_ultrasound_index(Decimal(bua), Decimal(sos)) == Decimal(qui)
    found = index(heel("sahara", sos_m_s=float(sos), bua_db_mhz=float(bua)))
    assert found is not None
    assert (found.name, found.value) == ("qui", Decimal(qui))


def test_no_formula_goes_to_another_device() -> None:
    assert index(heel("other", model="X", sos_m_s=1520.0, bua_db_mhz=60.0)) is None
    half = index(heel(sos_m_s=1520.0))
    assert half is not None
    assert half.value is None


@pytest.mark.parametrize(("shown", "differs"), [(81.4, False), (82.3, False), (83.0, True)])
def test_an_index_that_its_parts_do_not_make_is_said(shown: float, differs: bool) -> None:
    measured = heel(sos_m_s=1531.2, bua_db_mhz=108.4, stiffness_index=shown)
    found = index(measured)
    assert found is not None
    assert found.differs is differs
    assert ("index_differs" in voice(measured, PUBLISHED).notes) is differs


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        pytest.param({"device": "achilles"}, "body", id="no number"),
        pytest.param({"device": "lunar", "qui": 80}, "device", id="no such device"),
        pytest.param({"sos_m_s": 1500}, "device", id="no device"),
        pytest.param({"device": "achilles", "qui": 80}, "qui", id="another maker's index"),
        pytest.param({"device": "sahara", "stiffness_index": 80}, "stiffness_index", id="and back"),
        pytest.param({"device": "other", "sos_m_s": 1500}, "model", id="nameless"),
        pytest.param({"device": "sahara", "sos_m_s": 1300}, "sos_m_s", id="too slow"),
        pytest.param({"device": "sahara", "sos_m_s": 1500.25}, "sos_m_s", id="two decimals"),
        pytest.param({"device": "sahara", "sos_m_s": "1500"}, "sos_m_s", id="text"),
        pytest.param({"device": "sahara", "sos_m_s": True}, "sos_m_s", id="true"),
        pytest.param({"device": "sahara", "bua_db_mhz": 1e9}, "bua_db_mhz", id="huge"),
        pytest.param({"device": "sahara", "qui": 80, "t_score": -2}, "unknown field", id="T-score"),
        pytest.param(
            {"device": "sahara", "qui": 80, "measured_on": "1970-01-01"}, "measured_on", id="early"
        ),
        pytest.param({"device": "sahara", "qui": 80, "serial": "a\nb\x00"}, "serial", id="control"),
        pytest.param({"device": "sahara", "qui": 80, "model": "x" * 33}, "model", id="long"),
    ],
)
def test_what_cannot_be_is_not_taken(sent: dict[str, Any], field: str) -> None:
    with pytest.raises(UltrasoundError) as raised:
        read(sent)
    assert [fault.field for fault in raised.value.faults] == [field]


@pytest.mark.parametrize(
    ("sos", "bua", "reading"),
    [
        (1517.7, 59.5, "not_low"),
        (1517.6, 59.4, "low"),
        (1517.6, 59.5, "between"),
        (1530.0, 40.0, "between"),
    ],
)
def test_a_sahara_is_read_by_published_cut_offs(sos: float, bua: float, reading: str) -> None:
    found = voice(heel("sahara", sos_m_s=sos, bua_db_mhz=bua), PUBLISHED)
    assert (found.reading, found.notes) == (reading, ("cut_offs_of_others",))


def test_without_a_limit_of_its_own_it_is_shown_and_not_read() -> None:
    for measured in (heel(stiffness_index=20.0), heel("other", model="X", qui=20.0)):
        found = voice(measured, PUBLISHED)
        assert found.valid
        assert (found.reading, found.counts) == (None, False)
        assert found.notes == ("no_limit_for_device",)
    assert voice(heel("sahara", qui=50.0), PUBLISHED).notes == ("index_not_known",)


def test_a_site_has_limits_of_its_own() -> None:
    site = ModalitySettings(ultrasound_low_si=78, ultrasound_low_qui=80)
    # The device's own index comes before the formula's.
    low = voice(heel(sos_m_s=1531.2, bua_db_mhz=108.4, stiffness_index=77.9), site)
    assert (low.reading, low.notes) == ("low", ("index_differs", "cut_off_of_site"))
    assert voice(heel(sos_m_s=1531.2, bua_db_mhz=108.4), site).reading == "not_low"
    assert voice(heel("sahara", qui=79.9), site).reading == "low"
    assert voice(heel("sahara", sos_m_s=1400.0), site).notes == ("index_not_known",)
