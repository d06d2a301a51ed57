"""C-STORE SCU: sends results to a PACS, and says of each what became of it."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from typing import Final

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom.association import Association

from service.integration.destinations import DicomDestination
from service.integration.dicom.outgoing import NotConnectedError, associated, called
from service.integration.ledger.schemas import Result, Sent
from service.integration.statuses import NO_CONTEXT, accepted, judge

WHOLE_SECONDS: Final = 15.0
"""After so long no further object is begun: the lease must not end while one is sent. The others
follow with the next attempt."""


def send(
    destination: DicomDestination, results: Sequence[Result], before: Mapping[str, str]
) -> Sent:
    """Send those of ``results`` that were not accepted ``before``; return what became of each.

    An object counts as accepted by its own answer alone.
    """
    left = [one for one in results if not accepted(before.get(one.sop_uid))]
    if not left:
        return Sent(objects={}, reason=None)
    classes = sorted({one.sop_class_uid for one in left})
    try:
        with associated(called(destination), classes) as association:
            found = _all(association, left)
    except NotConnectedError as error:
        return Sent(objects={}, reason=error.reason, passes=error.passes)
    return judge(left, found)


def _all(association: Association, left: Sequence[Result]) -> dict[str, str]:
    end = time.monotonic() + WHOLE_SECONDS
    syntaxes = {
        str(context.abstract_syntax): context.transfer_syntax[0]
        for context in association.accepted_contexts
    }
    found = {}
    for one in left:
        syntax = syntaxes.get(one.sop_class_uid)
        if syntax is None:
            found[one.sop_uid] = NO_CONTEXT
        elif not association.is_established or time.monotonic() > end:
            # Not answered, so not asked to be believed.
            break
        else:
            answer = association.send_c_store(_encoded(one.data, syntax))
            if "Status" not in answer:
                break
            found[one.sop_uid] = f"{int(answer.Status):04X}"
    return found


def _encoded(data: bytes, syntax: str) -> Dataset:
    read = pydicom.dcmread(io.BytesIO(data))
    if read.file_meta.TransferSyntaxUID == syntax:
        return read
    read.file_meta.TransferSyntaxUID = UID(syntax)
    again = io.BytesIO()
    pydicom.dcmwrite(
        again,
        read,
        implicit_vr=UID(syntax).is_implicit_VR,
        little_endian=True,
        enforce_file_format=True,
    )
    return pydicom.dcmread(io.BytesIO(again.getvalue()))
