"""Heights by kept points as measurement groups of the report: TID 1501, one a vertebra."""

from __future__ import annotations

from highdicom.sr import CodedConcept, FindingSite, MeasurementsAndQualitativeEvaluations

from service.integration.compose.groups import group, measured, ours, words
from service.integration.compose.heights import GRADE, PIXELS, SITES, WORDS, Told
from service.integration.compose.uids import Origin


def heights_group(told: Told, origin: Origin) -> MeasurementsAndQualitativeEvaluations:
    """Return the group of one vertebra. It names the reader, and no algorithm."""
    return group(
        origin,
        (told.image, told.level),
        identifier=f"{told.part.prediction.id}-{told.level}",
        site=FindingSite(CodedConcept(SITES[told.level], "SCT", f"{told.level} vertebra")),
        measurements=[
            *(measured(ours(name), value, PIXELS) for name, value in told.heights),
            *(measured(ours(name), value, "1") for name, value in told.losses),
        ],
        coded=[(GRADE, told.grade), *told.coded],
        items=[words(ours(WORDS), told.whose)],
        image=told.part.source,
    )
