"""A densitometer's structured reports, as items are put together, and Hologic's private table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

ENHANCED = "1.2.840.10008.5.1.4.1.1.88.22"
PRIVATE = "99SCANNER"
Code = tuple[str, str, str]

GRAMS: Code = ("g/cm2", "UCUM", "g/cm2")
ONE: Code = ("1", "UCUM", "no units")
BMD: Code = ("B1", PRIVATE, "BMD")
T: Code = ("T1", PRIVATE, "T-score")
Z: Code = ("Z1", PRIVATE, "Z-score")
SITE: Code = ("363698007", "SCT", "Finding Site")
SIDE: Code = ("272741003", "SCT", "Laterality")
LEFT: Code = ("7771000", "SCT", "Left")
RIGHT: Code = ("24028007", "SCT", "Right")
NECK: Code = ("29627003", "SCT", "Neck of femur")


def coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code
    return item


def item(kind: str, name: Code, *children: Dataset, relation: str = "CONTAINS") -> Dataset:
    found = Dataset()
    found.RelationshipType, found.ValueType = relation, kind
    found.ConceptNameCodeSequence = [coded(name)]
    if children:
        found.ContentSequence = list(children)
    return found


def code(name: Code, value: Code, *children: Dataset) -> Dataset:
    found = item("CODE", name, *children, relation="HAS CONCEPT MOD")
    found.ConceptCodeSequence = [coded(value)]
    return found


def number(name: Code, value: Any, unit: Code, *children: Dataset) -> Dataset:
    found = item("NUM", name, *children)
    measured = Dataset()
    measured.MeasurementUnitsCodeSequence = [coded(unit)]
    measured.add_new("NumericValue", "DS", value)
    found.MeasuredValueSequence = [measured]
    return found


def region(name: str, bmd: Any, t: Any = None, z: Any = None) -> Dataset:
    """A container that a private code's meaning names, with its numbers."""
    told = [(BMD, bmd, GRAMS), (T, t, ONE), (Z, z, ONE)]
    return item(
        "CONTAINER",
        ("R", PRIVATE, name),
        *(number(what, value, unit) for what, value, unit in told if value is not None),
    )


def report(*content: Dataset, **changes: Any) -> Dataset:
    """Return a report of a Hologic; ``changes`` are DICOM keywords."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = UID(ENHANCED), generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.StudyDate, data.Modality = "20260102", "SR"
    data.Manufacturer, data.DeviceSerialNumber = "Hologic", "DX-0417"
    data.ManufacturerModelName = "Horizon W"
    data.PatientID, data.PatientName = "PAT-7", "SECRET^NAME"
    data.ValueType = "CONTAINER"
    data.ConceptNameCodeSequence = [coded(("38269-7", "LN", "DXA report"))]
    data.ContentSequence = list(content)
    for name, value in changes.items():
        setattr(data, name, value)
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    return data


def spine(bmd: Any = "0.873", t: Any = "-1.8", **changes: Any) -> Dataset:
    """Return a report of L1–L4, with each vertebra's BMD."""
    rows = [region(name, "0.87") for name in ("L1", "L2", "L3", "L4")]
    ap = ("S", PRIVATE, "AP Spine")
    return report(item("CONTAINER", ap, *rows, region("L1-L4", bmd, t, "-0.4")), **changes)


def file(data: Dataset) -> bytes:
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


SPINE_TABLE: Sequence[Sequence[str]] = (
    ("Region", "Area[cm<sup><small>2</small></sup>]", "BMC[(g)]",
     "BMD[g/cm<sup><small>2</small></sup>]", "T - Score", "Z - Score"),
    ("L1", "12.00", "9.60", "0.800", "-2.0", "-0.5"),
    ("L2", "13.00", "10.40", "0.800", "-2.2", "-0.6"),
    ("L4", "16.00", "12.80", "0.800", "-2.4", "-0.7"),
    ("Total", "41.00", "32.80", "0.800", "-2.3", "-0.6"),
)  # fmt: skip
"""As Hologic's software numbers and names it: three vertebrae, and what they are together."""


def table(rows: Sequence[Sequence[str]] = SPINE_TABLE) -> str:
    lines = [
        f'ResultsTable[ {column}][ {row}] = "{cell}";'
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
    ]
    return "\r\n".join(["PatientName = SECRET^NAME;", *lines])


def with_table(data: Dataset, text: str, *, vr: str = "UT") -> Dataset:
    """Return ``data`` with a private element that holds ``text``."""
    data.Manufacturer, data.DeviceSerialNumber = "HOLOGIC", "DX-0417"
    data.add_new(0x00230010, "LO", "A PRIVATE CREATOR")
    body = text if vr == "UT" else text.encode() + b"\0" * (len(text) % 2)
    data.add_new(0x00231001, vr, body)
    return data
