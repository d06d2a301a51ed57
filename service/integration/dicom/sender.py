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
from service.integration.dicom.outgoing import NO_CONTEXT, NotConnectedError, associated, called
from service.integration.ledger.schemas import Result, Sent

WHOLE_SECONDS: Final = 15.0
"""After so long no further object is begun: the lease must not end while one is sent. The others
follow with the next attempt."""

_WARNINGS: Final = range(0xB000, 0xC000)
_PASSING: Final = (0x0110, 0x0213, *range(0xA700, 0xA800))
"""Processing failure, resource limitation, out of resources: later it may be taken."""
_ACCEPTED: Final = "0000"


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
    return _judge(left, found)


def accepted(status: str | None) -> bool:
    """Whether ``status``, as it is kept, says that the peer has the object."""
    if status is None or status == NO_CONTEXT:
        return False
    code = int(status, 16) if len(status) == 4 else -1
    return status == _ACCEPTED or code in _WARNINGS


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


def _judge(left: Sequence[Result], found: Mapping[str, str]) -> Sent:
    failed = {
        one.sop_uid: found.get(one.sop_uid) for one in left if not accepted(found.get(one.sop_uid))
    }
    if not failed:
        return Sent(objects=found, reason=None)
    final = [
        status
        for status in failed.values()
        if status is not None and (status == NO_CONTEXT or int(status, 16) not in _PASSING)
    ]
    if final:
        said = NO_CONTEXT if NO_CONTEXT in final else f"refused {final[0]}"
        return Sent(objects=found, reason=said, passes=False)
    last = next((status for status in failed.values() if status is not None), None)
    return Sent(objects=found, reason="cut off" if last is None else f"refused {last}")
