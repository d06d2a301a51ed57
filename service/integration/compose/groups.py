"""Measurement groups of the report (TID 1501), and their parts.

TID 1501 can be extended, which dates and texts in it make use of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ContentItem,
    DateContentItem,
    FindingSite,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from service.integration.compose import wording
from service.integration.compose.uids import Origin, uid
from service.integration.ledger.schemas import MANUFACTURER

_UNITS: Final = {
    "1": "no units", "[hnsf'U]": "Hounsfield unit", "%": "percent", "{pixels}": "pixels",
}  # fmt: skip
"""What UCUM's units are called that are no names themselves."""


def ours(coded: wording.Coded) -> CodedConcept:
    """Return a code of ours with its meaning."""
    value, meaning = coded
    return CodedConcept(value, wording.SCHEME, meaning)


def measured(name: CodedConcept, value: float, unit: str) -> Measurement:
    """Return a number with its unit, UCUM's."""
    return Measurement(
        name=name, value=value, unit=CodedConcept(unit, "UCUM", _UNITS.get(unit, unit))
    )


def day(name: CodedConcept, value: date) -> DateContentItem:
    """Return a date in a group."""
    return DateContentItem(
        name=name, value=value, relationship_type=RelationshipTypeValues.CONTAINS
    )


def words(name: CodedConcept, value: str) -> TextContentItem:
    """Return a text in a group."""
    return TextContentItem(
        name=name, value=value, relationship_type=RelationshipTypeValues.CONTAINS
    )


def preliminary(whose: wording.Coded) -> tuple[tuple[wording.Coded, wording.Coded], ...]:
    """Return what says of a group's numbers whose they are, and that they are preliminary.

    They are so also in a report that somebody has verified: a signature is of the image's outcome.
    """
    return (wording.ORIGIN, whose), (wording.USE, wording.RESEARCH)


def comment(value: str) -> TextContentItem:
    """Return the comment of a group."""
    return words(codes.DCM.Comment, value)


def group(
    origin: Origin,
    key: Sequence[str],
    *,
    site: FindingSite,
    measurements: Sequence[Measurement],
    coded: Iterable[tuple[wording.Coded, wording.Coded]],
    items: Iterable[ContentItem] = (),
    observer: Iterable[ContentItem] = (),
    algorithm: AlgorithmIdentification | None = None,
    image: Dataset | None = None,
    identifier: str = "",
) -> MeasurementsAndQualitativeEvaluations:
    """Return a group of ``measurements``.

    ``key`` tells it from the report's other groups; ``observer`` says who observed where that is
    not the report's own device; ``image`` is what was measured, where it is of the study;
    ``items`` are what highdicom's group has no place for; ``identifier`` is what it is called where
    that is not its key.
    """
    named = "/".join(key)
    tracked = TrackingIdentifier(
        uid=uid(f"{origin.instance('report')}/{named}"),
        identifier=f"{MANUFACTURER}-{identifier or named}",
    )
    made = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracked,
        algorithm_id=algorithm,
        finding_sites=[site],
        measurements=measurements or None,
        qualitative_evaluations=[
            QualitativeEvaluation(ours(name), ours(value)) for name, value in coded
        ],
        source_images=None
        if image is None
        else [
            SourceImageForMeasurementGroup(
                referenced_sop_class_uid=image.SOPClassUID,
                referenced_sop_instance_uid=image.SOPInstanceUID,
            )
        ],
    )
    content = made[0].ContentSequence
    for place, one in enumerate(observer, len(tracked)):
        content.insert(place, one)
    content.extend(items)
    return made
