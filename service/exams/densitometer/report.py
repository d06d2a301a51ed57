"""A walk over a structured report that takes out numbers of densitometry, and is bounded.

Refused whole, by name::

    report_too_large   more bytes than a report of numbers has
    report_crowded     more items than MOST_ITEMS
    report_too_deep    items inside each other beyond DEEPEST
    report_encoding    neither implicit nor explicit VR little endian
    report_damaged     no data set, or one that cannot be walked
    report_empty       no number of densitometry in it

A number alone is left out, by name: ``unit``, ``not_a_number``, and ``ambiguous`` where the same of
the same region is told twice and not alike: reports may repeat earlier scans and reference values.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filereader import _read_file_meta_info
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from service.exams.densitometer import concepts
from service.exams.densitometer.concepts import NOTHING, Code, Named

SOP_CLASSES: Final = {
    "1.2.840.10008.5.1.4.1.1.88.11": "Basic Text SR",
    "1.2.840.10008.5.1.4.1.1.88.22": "Enhanced SR",
    "1.2.840.10008.5.1.4.1.1.88.33": "Comprehensive SR",
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR",
    "1.2.840.10008.5.1.4.1.1.88.35": "Extensible SR",
}
"""What may be a densitometer's report."""

PREAMBLE: Final = 132
"""Bytes before the file meta information."""
LARGEST: Final = 2 * 2**20
MOST_ITEMS: Final = 20_000
"""Of all sequences, codes included."""
DEEPEST: Final = 24
MOST_NUMBERS: Final = 256
LONGEST: Final = 256
"""Characters of a value that is looked at."""

_ITEM: Final = b"\xfe\xff\x00\xe0"
_SYNTAXES: Final = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)

Number = dict[str, Any]
"""A quantity of a region: its ``value``, a decimal number as text, or the ``reason`` against it."""


def read(data: bytes) -> dict[str, Any]:
    """Return the ``numbers`` in the report ``data``, a file, or the ``reason`` to refuse it."""
    try:
        kind, numbers = _read(data)
    except _RefusedError as error:
        return {"reason": str(error)}
    except RecursionError:
        return {"reason": "report_too_deep"}
    except MemoryError:
        raise
    except Exception:
        # Whatever a damaged file makes pydicom raise.
        return {"reason": "report_damaged"}
    return {"kind": kind, "numbers": numbers}


def _read(data: bytes) -> tuple[str, list[Number]]:
    if len(data) > LARGEST:
        raise _RefusedError("report_too_large")
    if data.count(_ITEM) > MOST_ITEMS:
        raise _RefusedError("report_crowded")
    # Before anything is inflated.
    if syntax(data) not in _SYNTAXES:
        raise _RefusedError("report_encoding")
    found = dcmread(io.BytesIO(data))
    kind = SOP_CLASSES.get(str(found.get("SOPClassUID")))
    numbers = [] if kind is None else _alone(_numbers(found))
    if kind is None or not numbers:
        raise _RefusedError("report_empty")
    return kind, numbers


def syntax(data: bytes) -> str:
    """Return the transfer syntax that the file ``data`` says. Raises whatever pydicom does."""
    file = io.BytesIO(data)
    file.seek(PREAMBLE)
    return str(_read_file_meta_info(file).TransferSyntaxUID)


class _RefusedError(Exception):
    """The message is the reason's name."""


def _numbers(document: Dataset) -> Iterator[Number]:
    """Yield every number of densitometry, each with the region that it stands below."""
    waiting: list[tuple[Dataset, Named, int]] = [(document, NOTHING, 0)]
    while waiting:
        item, around, depth = waiting.pop()
        if depth > DEEPEST:
            raise _RefusedError("report_too_deep")
        told = _concept(item, around)
        here = _modified(item, _with(around, told))
        if _text(item, "ValueType") == "NUM" and told.quantity is not None:
            yield _number(item, told.quantity, here)
        waiting.extend((one, here, depth + 1) for one in reversed(_content(item)))


def _with(around: Named, told: Named) -> Named:
    """Return what is known below a concept: its own word first, else that of what is around it."""
    if told.region is None:
        return around._replace(
            quantity=None, side=told.side or around.side, hip=told.hip or around.hip
        )
    return Named(
        region=told.region,
        vertebrae=told.vertebrae,
        side=told.side or around.side,
        hip=told.region in ("femoral_neck", "total_hip"),
    )


def _modified(item: Dataset, here: Named) -> Named:
    """Return ``here`` with what children of ``item`` say of its site and side."""
    for one in _content(item):
        if _text(one, "ValueType") != "CODE":
            continue
        name, code = _code(one, "ConceptNameCodeSequence"), _code(one, "ConceptCodeSequence")
        if name is None or code is None:
            continue
        if name[0] in concepts.FINDING_SITE:
            found = concepts.named(code, here)
            if found.region is not None:
                here = _with(here, found)
            # The site's own side is a modifier of it.
            here = _modified(one, here)
        elif name[0] in concepts.LATERALITY:
            here = here._replace(side=concepts.named(code).side or here.side)
    return here


def _number(item: Dataset, quantity: str, here: Named) -> Number:
    found: Number = {
        "quantity": quantity,
        "region": here.region,
        "vertebrae": None if here.vertebrae is None else list(here.vertebrae),
        "side": here.side,
    }
    measured = item.get("MeasuredValueSequence")
    if not measured:
        return {**found, "reason": "not_a_number"}
    unit = _code(measured[0], "MeasurementUnitsCodeSequence")
    value = _decimal(measured[0])
    if value is None:
        return {**found, "reason": "not_a_number"}
    if unit is None or not concepts.is_unit(quantity, unit):
        return {**found, "reason": "unit"}
    return {**found, "value": value}


def _decimal(measured: Dataset) -> str | None:
    """Return a decimal number as text; None where it is none, several, or not finite."""
    try:
        said = str(measured["NumericValue"].value).strip()
        value = Decimal(said)
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return None
    return said if len(said) <= 32 and value.is_finite() and math.isfinite(float(value)) else None


def _alone(numbers: Iterator[Number]) -> list[Number]:
    """Return each number once; what is told twice, and not alike, has a reason for its value."""
    found: dict[tuple[Any, ...], Number] = {}
    for one in numbers:
        if one["region"] is None:
            continue
        key = one["quantity"], one["region"], tuple(one["vertebrae"] or ()), one["side"]
        earlier = found.setdefault(key, one)
        if "value" in earlier and "value" in one:
            if Decimal(earlier["value"]) != Decimal(one["value"]):
                found[key] = {**_stripped(one), "reason": "ambiguous"}
        elif "value" in one and earlier.get("reason") != "ambiguous":
            found[key] = one
        if len(found) > MOST_NUMBERS:
            break
    return list(found.values())


def _stripped(one: Number) -> Number:
    return {name: it for name, it in one.items() if name != "value"}


def _concept(item: Dataset, around: Named) -> Named:
    code = _code(item, "ConceptNameCodeSequence")
    return NOTHING if code is None else concepts.named(code, around)


def _content(item: Dataset) -> list[Dataset]:
    return list(item.get("ContentSequence") or ())


def _code(item: Dataset, name: str) -> Code | None:
    sequence = item.get(name)
    if not sequence:
        return None
    first = sequence[0]
    value = _text(first, "CodeValue") or _text(first, "LongCodeValue")
    return value, _text(first, "CodingSchemeDesignator"), _text(first, "CodeMeaning")


def _text(item: Dataset, name: str) -> str:
    said = str(item.get(name) or "").strip(" \0")
    return said if len(said) <= LONGEST else ""
