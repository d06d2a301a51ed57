"""The head of a DICOM file, read in a decoder's worker: keep its imports small."""

from __future__ import annotations

import hashlib

from models.image.errors import CorruptFileError, UnsupportedSyntaxError
from models.reading import elements
from models.reading.dataset import META_GROUP, PREAMBLE, PREFIX
from models.reading.syntaxes import SYNTAXES
from service.integration.dicom import head

TRANSFER_SYNTAX = 0x00020010

Headed = tuple[str, str, str, str, str, str, bool, str]
"""SOP class, object, series, study, patient, manufacturer, whether it has an image, SHA-256."""


def headed(data: bytes) -> Headed:
    """Return the head of the DICOM file ``data`` (PS3.10), with a hash that is the same however
    the data set has come.

    Raises :class:`~models.image.errors.CorruptFileError` and
    :class:`~models.image.errors.UnsupportedSyntaxError`.
    """
    body, syntax = parted(data)
    try:
        found = head.read(body, syntax)
    except head.HeadError as error:
        raise CorruptFileError(str(error)) from None
    digest = hashlib.sha256(syntax.encode() + b"\0" + body).hexdigest()
    return (
        found.sop_class_uid, found.sop_uid, found.series_uid, found.study_uid, found.patient,
        found.manufacturer, found.is_image, digest,
    )  # fmt: skip


def parted(data: bytes) -> tuple[bytes, str]:
    """Return the data set of the DICOM file ``data`` and the transfer syntax that it is in.

    Raises as :func:`headed`.
    """
    if data[PREAMBLE : PREAMBLE + 4] != PREFIX:
        raise CorruptFileError("It is no DICOM file: there is no DICM behind 128 bytes.")
    start, syntax = PREAMBLE + 4, ""
    for one in elements.Source(data).elements(start, explicit=True, group=META_GROUP):
        if one.tag == TRANSFER_SYNTAX:
            syntax = data[one.start : one.stop][:65].decode("ascii", "replace").strip(" \0")
        start = one.stop
    known = SYNTAXES.get(syntax)
    if known is None or not known.little or known.deflated:
        raise UnsupportedSyntaxError("Its transfer syntax is none that is taken.")
    return data[start:], syntax
