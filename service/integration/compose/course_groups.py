"""A patient's course as groups of a structured report: one each for change, rate and forecast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from highdicom.sr import (
    AlgorithmIdentification,
    DateContentItem,
    FindingSite,
    MeasurementsAndQualitativeEvaluations,
)

from service.integration.compose.course import EARLIER, VERDICT, Course
from service.integration.compose.groups import (
    comment,
    day,
    group,
    measured,
    ours,
    preliminary,
)
from service.integration.compose.uids import Origin
from service.integration.ledger.schemas import MANUFACTURER


def course_groups(
    course: Course, origin: Origin, site: FindingSite
) -> Iterator[MeasurementsAndQualitativeEvaluations]:
    """Yield what is said of the course; ``site`` is the lumbar spine."""
    for said in course.said:
        yield group(
            origin,
            ("course", course.image, said.key),
            site=site,
            measurements=[measured(ours(name), value, unit) for name, value, unit in said.numbers],
            coded=[
                *preliminary(said.origin),
                *([] if said.verdict is None else [(VERDICT, said.verdict)]),
            ],
            items=[
                *([] if said.earlier is None else [_earlier(said.earlier)]),
                comment(said.beside),
            ],
            algorithm=None
            if said.version is None
            else AlgorithmIdentification(name=MANUFACTURER, version=said.version),
        )


def _earlier(said: str) -> DateContentItem:
    return day(ours(EARLIER), date.fromisoformat(said))
