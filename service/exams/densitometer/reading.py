"""What a DICOM file tells of its exam and of what was measured there: called in a decoder's worker.

``key`` is of the object that told it, so that the same object is not taken for another.
"""

from __future__ import annotations

import hashlib
import io
from typing import Any, Final

from pydicom.filereader import _read_file_meta_info
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from models.reading.syntaxes import SYNTAXES
from service.exams import dicom
from service.exams.densitometer import report, results_table
from service.exams.densitometer.report import PREAMBLE, Number

Told = dict[str, Any]
"""``texts`` of the file's head, ``key``; ``kind`` and ``numbers``, or ``reason`` against them."""

_KEY: Final = 16


def of_report(data: bytes) -> Told:
    """Return what the structured report ``data`` tells."""
    return {**_head(data), **report.read(data)}


def of_image(data: bytes) -> Told:
    """Return what the image ``data`` tells beside its pixels."""
    head = _head(data)
    if not head["texts"].get("Manufacturer", "").casefold().startswith(results_table.MAKER):
        return head
    numbers = _table(data)
    return {**head, "kind": results_table.KIND, "numbers": numbers} if numbers else head


def _table(data: bytes) -> list[Number]:
    file = io.BytesIO(data)
    file.seek(PREAMBLE)
    try:
        uid = str(_read_file_meta_info(file).TransferSyntaxUID)
    except Exception:
        # Whatever a damaged file makes pydicom raise; its pixels say whether it is refused.
        return []
    known = SYNTAXES.get(uid)
    plain = uid in (ImplicitVRLittleEndian, ExplicitVRLittleEndian)
    if not plain and (known is None or not known.little or known.deflated):
        return []
    return results_table.read(data, file.tell(), explicit=uid != ImplicitVRLittleEndian)


def _head(data: bytes) -> Told:
    texts = dicom.head(data)
    named = texts.pop("SOPInstanceUID", "").encode() or data
    return {"texts": texts, "key": hashlib.sha256(named).hexdigest()[:_KEY]}
