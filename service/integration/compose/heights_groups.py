"""Heights by kept points as measurement groups of the report: TID 1501, one a vertebra."""

from __future__ import annotations

from typing import Final

from highdicom.sr import (
    CodedConcept,
    FindingSite,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.sr.codedict import codes

from service.integration.compose.groups import ours
from service.integration.compose.heights import GRADE, PIXELS, SITES, WORDS, Told
from service.integration.compose.uids import Origin, uid
from service.integration.ledger.schemas import MANUFACTURER

_PIXELS: Final = CodedConcept(PIXELS, "UCUM", "pixels")


def group(told: Told, origin: Origin) -> MeasurementsAndQualitativeEvaluations:
    """Return the group of one vertebra. It names the reader, and no algorithm."""
    image, name = told.part.source, f"{told.part.prediction.id}-{told.level}"
    made = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=uid(f"{origin.instance('report')}/{told.image}/{told.level}"),
            identifier=f"{MANUFACTURER}-{name}",
        ),
        finding_sites=[
            FindingSite(CodedConcept(SITES[told.level], "SCT", f"{told.level} vertebra"))
        ],
        measurements=[
            *(Measurement(ours(code), value, _PIXELS) for code, value in told.heights),
            *(Measurement(ours(code), value, codes.UCUM.NoUnits) for code, value in told.losses),
        ],
        qualitative_evaluations=[
            QualitativeEvaluation(ours(code), ours(value))
            for code, value in ((GRADE, told.grade), *told.coded)
        ],
        source_images=[
            SourceImageForMeasurementGroup(
                referenced_sop_class_uid=image.SOPClassUID,
                referenced_sop_instance_uid=image.SOPInstanceUID,
            )
        ],
    )
    made[0].ContentSequence.append(
        TextContentItem(
            name=ours(WORDS),
            value=told.whose,
            relationship_type=RelationshipTypeValues.CONTAINS,
        )
    )
    return made
