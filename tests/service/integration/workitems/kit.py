"""Work items as a manager of a hospital's work makes them."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from service.integration.workitems.document import code, element, tag, text, values
from service.integration.workitems.schemas import Item

WORKITEMS = "/dicom-web/workitems"
JSON = {"Content-Type": "application/dicom+json"}
CAD = code("110004", "DCM", "Computer Aided Detection")
OTHER = code("121726", "DCM", "Getting images")


def reference(*images: Dataset) -> Item:
    """Return one item of an input sequence: objects of one series."""
    objects = (
        {
            **element("ReferencedSOPClassUID", str(one.SOPClassUID)),
            **element("ReferencedSOPInstanceUID", str(one.SOPInstanceUID)),
        }
        for one in images
    )
    return {
        **element("TypeOfInstances", "DICOM"),
        **element("StudyInstanceUID", str(images[0].StudyInstanceUID)),
        **element("SeriesInstanceUID", str(images[0].SeriesInstanceUID)),
        **element("ReferencedSOPSequence", *objects),
    }


def workitem(*images: Dataset, **changes: Any) -> Item:
    """Return an item for ``images``, each of its own series; ``changes`` are by keyword.

    A change is a value, a list of values, or None: it is left out.
    """
    patient = str(images[0].PatientID) if images else "4711"
    said = {
        **element("ProcedureStepState", "SCHEDULED"),
        **element("ScheduledProcedureStepPriority", "MEDIUM"),
        **element("ProcedureStepLabel", "Bone density, second look"),
        **element("WorklistLabel", "AI"),
        **element("ScheduledProcedureStepStartDateTime", "20261129030000"),
        **element("ScheduledWorkitemCodeSequence", CAD),
        **element("InputReadinessState", "READY"),
        **element("InputInformationSequence", *(reference(one) for one in images)),
        **element("PatientName", {"Alphabetic": "Müller^Jürgen"}),
        **element("PatientID", patient),
        **element("TransactionUID"),
        **element("ProcedureStepProgressInformationSequence"),
        **element("UnifiedProcedureStepPerformedProcedureSequence"),
    }
    for empty in (
        "ScheduledProcessingParametersSequence", "ScheduledStationNameCodeSequence",
        "ScheduledStationClassCodeSequence", "ScheduledStationGeographicLocationCodeSequence",
        "CommentsOnTheScheduledProcedureStep", "IssuerOfPatientID", "OtherPatientIDsSequence",
        "PatientBirthDate", "PatientSex", "AdmissionID", "IssuerOfAdmissionIDSequence",
        "AdmittingDiagnosesDescription", "AdmittingDiagnosesCodeSequence",
        "ReferencedRequestSequence",
    ):  # fmt: skip
        said |= element(empty)
    for keyword, value in changes.items():
        said.pop(tag(keyword), None)
        if value is not None:
            said |= element(keyword, *(value if isinstance(value, list) else [value]))
    return said


def performed(**changes: Any) -> Item:
    """Return what whoever performs an item says of it in the end."""
    said = {
        **element("PerformedStationNameCodeSequence", code("CAD7", "99CLINIC", "a workstation")),
        **element("PerformedProcedureStepStartDateTime", "20261129030100"),
        **element("PerformedWorkitemCodeSequence", OTHER),
        **element("PerformedProcedureStepEndDateTime", "20261129030200"),
        **element("OutputInformationSequence"),
    }
    for keyword, value in changes.items():
        said.pop(tag(keyword), None)
        if value is not None:
            said |= element(keyword, value)
    return element("UnifiedProcedureStepPerformedProcedureSequence", said)


def state(word: str, transaction: str | None = None) -> Item:
    """Return what a request for another state holds."""
    said = element("ProcedureStepState", word)
    return said if transaction is None else {**said, **element("TransactionUID", transaction)}


def uid() -> str:
    return str(generate_uid(prefix=None))


def within(item: Item, *keywords: str) -> Item:
    """Return the first item of a sequence within a sequence within …"""
    for keyword in keywords:
        (item, *_) = values(item, keyword)
    return item


def reason(item: Item) -> str:
    """Return the code by which an item was canceled."""
    progress = within(item, "ProcedureStepProgressInformationSequence")
    return text(within(progress, "ProcedureStepDiscontinuationReasonCodeSequence"), "CodeValue")
