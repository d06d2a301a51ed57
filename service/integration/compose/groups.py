"""Parts of a measurement group (TID 1501) that is of no image of the study: whose numbers it has.

Such a group is preliminary also in a report that somebody has verified: a signature is of the
image's outcome. TID 1501 can be extended, which dates and comments in it make use of.
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
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.sr.codedict import codes

from service.integration.compose import wording
from service.integration.compose.uids import Origin, uid
from service.integration.ledger.schemas import MANUFACTURER

_UNITS: Final = {"1": "no units", "[hnsf'U]": "Hounsfield unit", "%": "percent"}
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


def group(
    origin: Origin,
    key: Sequence[str],
    whose: wording.Coded,
    comment: str,
    *,
    site: FindingSite,
    measurements: Sequence[Measurement],
    coded: Iterable[tuple[wording.Coded, wording.Coded]] = (),
    items: Iterable[ContentItem] = (),
    observer: Iterable[ContentItem] = (),
    algorithm: AlgorithmIdentification | None = None,
) -> MeasurementsAndQualitativeEvaluations:
    """Return a group of ``measurements`` that says whose they are, and that they are preliminary.

    ``key`` tells it from the report's other groups; ``observer`` says who observed where that is
    not the report's own device; ``items`` are what highdicom's group has no place for.
    """
    named = "/".join(key)
    tracked = TrackingIdentifier(
        uid=uid(f"{origin.instance('report')}/{named}"), identifier=f"{MANUFACTURER}-{named}"
    )
    made = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracked,
        algorithm_id=algorithm,
        finding_sites=[site],
        measurements=measurements,
        qualitative_evaluations=[
            QualitativeEvaluation(ours(name), ours(value))
            for name, value in ((wording.ORIGIN, whose), (wording.USE, wording.RESEARCH), *coded)
        ],
    )
    content = made[0].ContentSequence
    for place, one in enumerate(observer, len(tracked)):
        content.insert(place, one)
    content.extend(items)
    content.append(
        TextContentItem(
            name=codes.DCM.Comment,
            value=comment,
            relationship_type=RelationshipTypeValues.CONTAINS,
        )
    )
    return made
