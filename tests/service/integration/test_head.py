"""Heads of DICOM objects that were made to do harm."""

from __future__ import annotations

import io
import random
import struct
import time

import pytest
from pydicom.filereader import _read_file_meta_info
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless

from service.integration.dicom import head
from service.integration.dicom.head import HeadError
from tests.service.integration.kit import file, image

SEQUENCE = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
EMPTY_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0)


def body() -> bytes:
    """Return the data set of a good object."""
    data = io.BytesIO(file(image()))
    data.seek(132)
    _read_file_meta_info(data)
    return data.read()


HOSTILE = {
    "deep": (SEQUENCE + ITEM) * 3000,
    "items": SEQUENCE + EMPTY_ITEM * 300_000,
    "elements": struct.pack("<HH2sH", 9, 1, b"LO", 0) * 200_000,
    "zeros": bytes(1_000_000),
    "ones": b"\xff" * 1_000_000,
    "nothing": b"",
    "endless": struct.pack("<HH2sHI", 8, 5, b"UN", 0, 0xFFFFFFF0) + b"x" * 100,
}


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless]
)
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_costs_is_refused_before_it_does(kind: str, syntax: str) -> None:
    begun = time.process_time()
    with pytest.raises(HeadError):
        head.read(HOSTILE[kind], syntax)
    assert time.process_time() - begun < 5


def test_a_damaged_head_is_refused_and_nothing_else_happens() -> None:
    drawn, good = random.Random(1), body()  # noqa: S311 - no secret
    outcomes = set()
    for _ in range(1500):
        data = bytearray(good[:3000])
        for _ in range(drawn.randint(1, 6)):
            data[drawn.randrange(900)] = drawn.randrange(256)
        for look in (head.read, head.source):
            try:
                look(bytes(data), ExplicitVRLittleEndian)
                outcomes.add("read")
            except HeadError:
                outcomes.add("refused")
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize(
    ("charset", "name", "written"),
    [
        (None, "Doe^Jane", ""),
        ("ISO_IR 100", "Müller^Jürgen", "ISO_IR 100"),
        ("ISO_IR 192", "Ωmega^Łukasz", "ISO_IR 192"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎", "ISO_IR 192"),
    ],
)
def test_names_are_read_as_they_were_written(
    charset: str | list[str] | None, name: str, written: str
) -> None:
    changes = {} if charset is None else {"SpecificCharacterSet": charset}
    data = io.BytesIO(file(image(**changes, PatientName=name)))
    data.seek(132)
    _read_file_meta_info(data)
    found = head.source(data.read(), ExplicitVRLittleEndian)
    assert str(found.PatientName) == name
    assert found.get("SpecificCharacterSet", "") == written


def test_what_is_not_valid_is_left_out_of_results() -> None:
    one = image()
    for keyword, value in (
        ("PatientSex", "X"), ("PatientBirthDate", "yesterday"), ("StudyTime", "late"),
        ("AccessionNumber", "A" * 40), ("StudyID", "a\\b"),
    ):  # fmt: skip
        one.add_new(
            keyword,
            {"PatientBirthDate": "DA", "StudyTime": "TM", "PatientSex": "CS"}.get(keyword, "SH"),
            "",
        )
        one[keyword]._value = value
    data = io.BytesIO(file(one))
    data.seek(132)
    _read_file_meta_info(data)
    found = head.source(data.read(), ExplicitVRLittleEndian)
    assert [found.get(name) for name in ("PatientSex", "StudyTime", "AccessionNumber")] == [
        "", "", "",
    ]  # fmt: skip
    assert found.PatientBirthDate in ("", None)
