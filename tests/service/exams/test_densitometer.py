"""Numbers out of densitometers' own objects: what is read, what is left out, what is refused."""

from __future__ import annotations

import io
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from service.exams.densitometer import concepts, reading, report
from service.exams.measured import understood
from service.exams.measurements import Measured
from tests.service.integration.kit import image
from tests.service.kit import reports
from tests.service.kit.reports import (
    BMD,
    GRAMS,
    LEFT,
    NECK,
    ONE,
    RIGHT,
    SIDE,
    SITE,
    SPINE_TABLE,
    T,
    code,
    item,
    number,
    region,
    table,
    with_table,
)


def told(data: Dataset) -> Measured:
    found = understood(reading.of_report(reports.file(data)))
    assert found is not None
    return found


def rows(found: Measured) -> list[tuple[Any, ...]]:
    return [
        (one.region, one.vertebrae, one.side, one.bmd_g_cm2, one.t_score, one.z_score)
        for one in found.values
    ]


ALL = ("L1", "L2", "L3", "L4")


def test_levels_and_their_total_by_the_meanings_of_a_vendors_codes() -> None:
    found = told(reports.spine())
    assert rows(found) == [
        *((name, (name,), None, 0.87, None, None) for name in ALL),
        ("lumbar_spine", ALL, None, 0.873, -1.8, -0.4),
    ]
    assert (found.source, found.model, found.acquired_on) == (
        "Enhanced SR", "Horizon W", "2026-01-02",
    )  # fmt: skip
    assert found.scanner is not None
    assert found.scanner.identity == ("hologic", "dx-0417")
    assert found.spine == found.values[-1]
    assert "SECRET" not in found.model_dump_json()


def test_regions_by_the_codes_of_loinc_whatever_they_are_called() -> None:
    found = told(
        reports.report(
            number(("24966-4", "LN", "x"), "1.012", GRAMS),
            number(("38267-1", "LN", "x"), "-0.3", ONE),
            number(("46278-8", "LN", "x"), "0.9", GRAMS),
            number(("80945-9", "LN", "x"), "-1.1", ONE),
            # Femur and radius name no region that a score is read at.
            number(("38263-0", "LN", "x"), "-3.1", ONE),
            number(("38265-5", "LN", "x"), "-3.3", ONE),
        )
    )
    assert rows(found) == [
        ("lumbar_spine", None, None, 1.012, -0.3, None),
        ("total_hip", None, "left", 0.9, None, None),
        ("total_hip", None, "right", None, -1.1, None),
    ]


def test_a_measurement_group_names_its_finding_site_and_side() -> None:
    group = ("125007", "DCM", "Measurement Group")
    found = told(
        reports.report(
            item("CONTAINER", group, code(SITE, NECK, code(SIDE, LEFT)), number(BMD, "0.7", GRAMS)),
            item("CONTAINER", group, code(SITE, NECK), code(SIDE, RIGHT), number(T, "-2.6", ONE)),
            number(BMD, "0.9", GRAMS, code(SITE, ("T-11503", "SRT", "Lumbar spine"))),
        )
    )
    assert rows(found) == [
        ("lumbar_spine", None, None, 0.9, None, None),
        ("femoral_neck", None, "left", 0.7, None, None),
        ("femoral_neck", None, "right", None, -2.6, None),
    ]


def test_necks_and_totals_are_of_what_is_around_them() -> None:
    def under(name: str, *children: Dataset) -> Dataset:
        return item("CONTAINER", ("C", reports.PRIVATE, name), *children)

    found = told(
        reports.report(
            under("Left Hip", region("Neck", "0.65", "-1.9"), region("Total", "0.8", "-1.5")),
            under("AP Spine", region("Total", "0.9")),
            # Of nothing that is known here.
            under("Whole Body", region("Total", "1.1", "0.2"), region("Neck", "1.0")),
        )
    )
    assert rows(found) == [
        ("lumbar_spine", None, None, 0.9, None, None),
        ("femoral_neck", None, "left", 0.65, -1.9, None),
        ("total_hip", None, "left", 0.8, -1.5, None),
    ]


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("L1-L4", ALL),
        ("L2 – L4", ("L2", "L3", "L4")),
        ("L1, L3-L4", ("L1", "L3", "L4")),
        ("L1(L3)", None),
        ("L5", None),
        ("", None),
        ("L1-L4-L2", None),
    ],
)
def test_rows_of_vertebrae(text: str, levels: tuple[str, ...] | None) -> None:
    assert concepts.vertebrae(text) == levels


def test_a_standard_code_is_not_read_by_its_meaning() -> None:
    strange = number(("1234-5", "LN", "BMD"), "0.9", GRAMS)
    found = reading.of_report(reports.file(reports.report(item("CONTAINER", SITE, strange))))
    assert found["reason"] == "report_empty"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (number(BMD, "873", ("mg/cm2", "UCUM", "mg/cm2")), "unit"),
        (number(BMD, "0.9", ("g/cm2", "LN", "g/cm2")), "unit"),
        (number(BMD, "-0.9", GRAMS), "negative"),
        (number(BMD, "873", GRAMS), "range"),
        (number(BMD, "9e9999", GRAMS), "not_a_number"),
        (number(T, "-18", ONE), "range"),
        (number(T, "-1.8", ("%", "UCUM", "%")), "unit"),
    ],
    ids=["mg", "no-unit-of-ours", "negative", "large", "endless", "score", "per-cent"],
)
def test_numbers_that_cannot_be_believed_are_left_out_by_name(what: Dataset, reason: str) -> None:
    found = told(
        reports.report(item("CONTAINER", ("R", reports.PRIVATE, "L1-L4"), what), region("L2", "1"))
    )
    assert [one.reason for one in found.left_out] == [reason]
    assert [one.region for one in found.values] == ["L2"]


@pytest.mark.parametrize("value", [b"NaN ", b"Inf ", b"0.9\\0.8 ", b"about 1", b""])
def test_what_is_no_number_is_left_out(value: bytes) -> None:
    data = reports.report(region("L1-L4", "7.654321"), region("L2", "1"))
    body = reports.file(data)
    raw = b"7.654321"
    assert len(value) <= len(raw)
    body = body.replace(raw, value.ljust(len(raw)))
    found = understood(reading.of_report(body))
    assert found is not None
    assert [(one.region, one.reason) for one in found.left_out] == [
        ("lumbar_spine", "not_a_number")
    ]


def test_another_value_type_is_no_number() -> None:
    text = number(BMD, "0.9", GRAMS)
    text.ValueType = "TEXT"
    found = reading.of_report(
        reports.file(reports.report(item("CONTAINER", ("R", reports.PRIVATE, "L1-L4"), text)))
    )
    assert found["reason"] == "report_empty"


def test_what_is_told_twice_and_not_alike_is_ambiguous() -> None:
    found = told(
        reports.report(
            region("L1-L4", "0.9", "-1.0"), region("L1-L4", "0.8", "-1.0"), region("L1-L4", "0.8")
        )
    )
    assert [(one.quantity, one.reason) for one in found.left_out] == [("bmd_g_cm2", "ambiguous")]
    assert [one.t_score for one in found.values] == [-1.0]


def test_numbers_have_the_decimals_of_a_printed_report() -> None:
    (one,) = told(reports.report(region("L1-L4", "0.7724", "-2.46", "-0.449"))).values
    assert (one.bmd_g_cm2, one.t_score, one.z_score) == (0.772, -2.5, -0.4)


def nested(depth: int) -> Dataset:
    found = region("L1-L4", "0.9")
    for _ in range(depth):
        found = item("CONTAINER", SITE, found)
    return reports.report(found)


def crowded() -> Dataset:
    return reports.report(*(region("L1-L4", "0.9") for _ in range(report.MOST_ITEMS // 5)))


def endless() -> bytes:
    """Sequences of undefined length inside each other, which a parser goes down into at once."""
    content = bytes.fromhex("400030a7") + b"SQ\0\0\xff\xff\xff\xff"
    body = reports.file(reports.report(region("L1-L4", "0.9")))
    return body + (content + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * 5000


def encoded(syntax: str) -> bytes:
    data = reports.spine()
    data.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (lambda: reports.file(nested(report.DEEPEST + 1)), "report_too_deep"),
        (endless, "report_too_deep"),
        (lambda: reports.file(crowded()), "report_crowded"),
        (lambda: reports.file(reports.spine()) + b"\0" * report.LARGEST, "report_too_large"),
        (lambda: encoded(DeflatedExplicitVRLittleEndian), "report_encoding"),
        (lambda: b"no data set at all" * 20, "report_damaged"),
        (lambda: reports.file(reports.report(region("Skull", "0.9"))), "report_empty"),
        (lambda: reports.file(image()), "report_empty"),
    ],
    ids=["deep", "endless", "crowded", "large", "deflated", "damaged", "else", "image"],
)
def test_reports_are_refused_whole_by_name(body: Any, reason: str) -> None:
    found = reading.of_report(body())
    assert (found["reason"], found.get("numbers")) == (reason, None)


def test_a_report_may_be_as_deep_as_is_allowed_and_implicit() -> None:
    (one,) = told(nested(report.DEEPEST - 3)).values
    assert one.bmd_g_cm2 == 0.9
    assert understood(reading.of_report(encoded(ImplicitVRLittleEndian))) == told(reports.spine())


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_report_that_is_cut_short_anywhere_raises_nothing(cut: int) -> None:
    body = reports.file(reports.spine())
    found = reading.of_report(body[: len(body) * cut // 12])
    assert "reason" in found or found["numbers"]


@pytest.mark.parametrize("vr", ["UT", "UN", "OB"])
def test_a_private_table_of_hologic(vr: str) -> None:
    told_by_it = reading.of_image(reports.file(with_table(image(), table(), vr=vr)))
    found = understood(told_by_it)
    assert found is not None
    assert rows(found) == [
        ("L1", ("L1",), None, 0.8, -2.0, -0.5),
        ("L2", ("L2",), None, 0.8, -2.2, -0.6),
        ("L4", ("L4",), None, 0.8, -2.4, -0.7),
        ("lumbar_spine", ("L1", "L2", "L4"), None, 0.8, -2.3, -0.6),
    ]
    assert found.source == "private table"
    assert "SECRET" not in repr(told_by_it["numbers"])


def test_a_total_that_its_rows_do_not_add_up_to_is_of_nobody_knows_which() -> None:
    off = [*SPINE_TABLE[:-1], ("Total", "41.00", "32.80", "0.803", "-2.3", "-0.6")]
    found = understood(reading.of_image(reports.file(with_table(image(), table(off)))))
    assert found is not None
    assert found.values[-1].vertebrae is None


def test_of_a_whole_body_nothing_is_the_lumbar_spines() -> None:
    body = [SPINE_TABLE[0], ("L Spine", "40", "40", "1.0", "0.1", "0.1"),
            ("Total", "900", "900", "1.0", "0.2", "0.2")]  # fmt: skip
    found = reading.of_image(reports.file(with_table(image(), table(body))))
    assert "numbers" not in found


def test_a_table_of_another_maker_or_without_names_is_not_read() -> None:
    other = with_table(image(), table())
    other.Manufacturer = "Other"
    assert "numbers" not in reading.of_image(reports.file(other))
    nameless = [("a", "b", "c"), *SPINE_TABLE[1:]]
    found = reading.of_image(reports.file(with_table(image(), table(nameless))))
    assert "numbers" not in found
    twice = [(*SPINE_TABLE[0][:4], "T-score", "T-score"), *SPINE_TABLE[1:]]
    found = understood(reading.of_image(reports.file(with_table(image(), table(twice)))))
    assert found is not None
    assert {one.t_score for one in found.values} == {None}
