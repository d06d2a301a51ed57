"""Modality Worklist SCU (PS3.4 Annex K): which order images answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from service.integration.archives import Worklist
from service.integration.dicom import head
from service.integration.dicom.outgoing import NotConnectedError, associated, called
from service.integration.dicom.query import Patience, QueryError, find, said
from service.integration.orders import Number, Order

SOP_CLASS: Final = "1.2.840.10008.5.1.4.31"
WHOLE_SECONDS: Final = 10.0
MOST: Final = 50
"""Answers to one question; of more than one order none is taken anyway."""
_LONGEST: Final = 64


@dataclass(frozen=True, kw_only=True)
class Exam:
    """What an image says of the order that it answers."""

    accession: str
    study_uid: str
    patient: str
    issuer: str
    day: str
    modality: str


class AmbiguousError(Exception):
    """Items of more than one order fit."""


def ask(worklist: Worklist, exam: Exam) -> Order | None:
    """Return the order that ``exam`` answers; None: no item fits.

    By accession number, where the image has one, else by study, and where ``by_patient`` says so by
    patient, day and modality. An item of another patient never fits. Raises
    :class:`~service.integration.dicom.query.QueryError` and :class:`AmbiguousError`.
    """
    patience = Patience(WHOLE_SECONDS)
    try:
        with associated(called(worklist), [SOP_CLASS], answer_seconds=WHOLE_SECONDS) as one:
            for keys in _questions(worklist, exam):
                found = _orders(find(one, SOP_CLASS, keys, MOST, patience), keys, exam)
                if len(found) > 1:
                    raise AmbiguousError
                if found:
                    return found[0]
    except NotConnectedError as error:
        raise QueryError(error.reason, passes=error.passes) from None
    return None


def _questions(worklist: Worklist, exam: Exam) -> Iterator[Dataset]:
    if exam.accession:
        yield _keys(AccessionNumber=exam.accession)
        return
    yield _keys(StudyInstanceUID=exam.study_uid)
    if worklist.by_patient and exam.patient and exam.day:
        keys = _keys(PatientID=exam.patient)
        keys.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate = exam.day
        keys.ScheduledProcedureStepSequence[0].Modality = exam.modality
        yield keys


def _keys(**wanted: str) -> Dataset:
    """Return a question by ``wanted``, with all else that is to be answered."""
    keys, step = Dataset(), Dataset()
    for name in (
        "AccessionNumber", "PatientID", "IssuerOfPatientID", "StudyInstanceUID",
        "PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest",
    ):  # fmt: skip
        setattr(keys, name, "")
    for name in ("OrderPlacerIdentifierSequence", "OrderFillerIdentifierSequence"):
        setattr(keys, name, [])
    for name, value in wanted.items():
        setattr(keys, name, value)
    if not "".join(wanted.values()).isascii():
        keys.SpecificCharacterSet = "ISO_IR 192"
    step.ScheduledProcedureStepStartDate = ""
    step.Modality = ""
    keys.ScheduledProcedureStepSequence = [step]
    return keys


def _orders(items: Iterable[Dataset], keys: Dataset, exam: Exam) -> Sequence[Order]:
    """Return the orders of those ``items`` that fit ``keys`` and ``exam``, by what they say."""
    found = {}
    for item in items:
        if _fits(item, keys, exam):
            one = _order(item, exam)
            if one is not None:
                found[one.accession] = one
    return list(found.values())


def _fits(item: Dataset, keys: Dataset, exam: Exam) -> bool:
    for name in ("AccessionNumber", "StudyInstanceUID", "PatientID"):
        wanted = said(keys, name)
        if wanted and said(item, name) != wanted:
            return False
    scheduled = _step(keys.ScheduledProcedureStepSequence[0])
    steps = item.get("ScheduledProcedureStepSequence") or []
    if any(scheduled) and scheduled not in [_step(one) for one in steps]:
        return False
    return _is_of(item, exam)


def _step(step: Dataset) -> tuple[str, str]:
    return said(step, "ScheduledProcedureStepStartDate"), said(step, "Modality")


def _is_of(item: Dataset, exam: Exam) -> bool:
    """Whether an item is of the image's patient, by all that both of them say."""
    pairs = (
        (said(item, "PatientID"), exam.patient),
        (said(item, "IssuerOfPatientID"), exam.issuer),
    )
    return all(not theirs or not ours or theirs == ours for theirs, ours in pairs)


def _order(item: Dataset, exam: Exam) -> Order | None:
    accession = said(item, "AccessionNumber")
    if not accession or len(accession) > _LONGEST or not accession.isprintable():
        return None
    return Order(
        accession=accession,
        placer=_number(item, "Placer"),
        filler=_number(item, "Filler"),
        # An accession number may be of several studies.
        study_uid=None if exam.accession else exam.study_uid,
    )


def _number(item: Dataset, whose: str) -> Number:
    """Return an order's number as an EI: with its namespace, universal ID and type where told."""
    number = said(item, f"{whose}OrderNumberImagingServiceRequest")
    if not number or "^" in number or not number.isprintable():
        return ()
    by = item.get(f"Order{whose}IdentifierSequence") or []
    if not by:
        return (number,)
    parts = (
        number,
        said(by[0], "LocalNamespaceEntityID"),
        said(by[0], "UniversalEntityID"),
        said(by[0], "UniversalEntityIDType"),
    )
    # An EI's end that is empty is left out.
    last = max(place for place, part in enumerate(parts) if part)
    return tuple("" if "^" in part else part for part in parts[: last + 1])


def exam_of(source: Dataset, study_uid: str) -> Exam:
    """Return what the head of an image says of its order."""
    return Exam(
        accession=head.text(source, "AccessionNumber"),
        study_uid=study_uid,
        patient=head.text(source, "PatientID"),
        issuer=head.text(source, "IssuerOfPatientID"),
        day=head.text(source, "StudyDate"),
        modality=head.text(source, "Modality"),
    )
