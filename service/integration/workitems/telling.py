"""An item as it is told: what its creator has said, its state, and what its case has come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from service.integration.workitems.document import code, element, values
from service.integration.workitems.requirements import moment
from service.integration.workitems.schemas import PUSH, WORDS, Item, Output, Told

STATION: Final = ("OSTEOSERVE", "99OSTEOSERVE", "osteoserve")
"""Who has performed it."""


def told(found: Told, here: str) -> Item:
    """Return the item as DICOM JSON; ``here`` is where our own results are retrieved, as a URL.

    Never with the transaction UID, which only its performer knows (PS3.18 section 11.5.2).
    """
    item = found.item
    said = {
        **item.document,
        **element("SOPClassUID", PUSH),
        **element("SOPInstanceUID", item.uid),
        **element("ProcedureStepState", WORDS[item.state]),
    }
    if item.case_id is not None and item.state != "canceled":
        performed = _performed(found, here)
        said |= element("UnifiedProcedureStepPerformedProcedureSequence", performed)
    for name in (
        "ProcedureStepProgressInformationSequence",
        "UnifiedProcedureStepPerformedProcedureSequence",
    ):
        if not values(said, name):
            said |= element(name)
    return dict(sorted(said.items()))


def _performed(found: Told, here: str) -> Item:
    item = found.item
    said = {
        **element("PerformedStationNameCodeSequence", code(*STATION)),
        **element(
            "PerformedWorkitemCodeSequence",
            *values(item.document, "ScheduledWorkitemCodeSequence"),
        ),
        **element(
            "OutputInformationSequence", *(_output(found, one, here) for one in found.outputs)
        ),
    }
    if item.started_at is not None:
        said |= element("PerformedProcedureStepStartDateTime", moment(item.started_at))
    if item.ended_at is not None:
        said |= element("PerformedProcedureStepEndDateTime", moment(item.ended_at))
    return said


def _output(found: Told, one: Output, here: str) -> Item:
    objects = (
        {
            **element("ReferencedSOPClassUID", sop_class),
            **element("ReferencedSOPInstanceUID", uid),
        }
        for sop_class, uid in one.objects
    )
    said = {
        **element("TypeOfInstances", "DICOM"),
        **element("StudyInstanceUID", one.study_uid),
        **element("SeriesInstanceUID", one.series_uid),
        **element("ReferencedSOPSequence", *objects),
    }
    titles = [element("RetrieveAETitle", it) for it in _places(found, one, "ae")]
    bases = [*_places(found, one, "url"), *([here] if one.kept else [])]
    urls = [
        element("RetrieveURL", f"{base}/studies/{one.study_uid}/series/{one.series_uid}")
        for base in bases
    ]
    if titles:
        said |= element("DICOMRetrievalSequence", *titles)
    if urls:
        said |= element("WADORSRetrievalSequence", *urls)
    return said


def _places(found: Told, one: Output, kind: str) -> Iterator[str]:
    for name in one.destinations:
        is_kind, place = found.item.places.get(name, ("", ""))
        if is_kind == kind:
            yield place
