"""What people entered of other modalities as groups of a structured report: one a modality."""

from __future__ import annotations

import re
from collections.abc import Iterator

from highdicom.sr import (
    CodedConcept,
    ContentItem,
    FindingSite,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
)
from pydicom.sr.codedict import codes

from service.integration.compose.entered import Number, Told
from service.integration.compose.groups import comment, day, group, measured, preliminary
from service.integration.compose.uids import Origin


def entered_group(told: Told, origin: Origin) -> MeasurementsAndQualitativeEvaluations:
    """Return what was measured, by whom, with which device and on which day, as far as known."""
    return group(
        origin,
        (told.modality, told.image),
        site=_site(told),
        measurements=[_measured(one) for one in (*told.numbers, *told.beside)],
        coded=[*preliminary(told.origin), *told.coded],
        items=[
            *([] if told.on is None else [day(codes.DCM.StudyDate, told.on)]),
            comment(told.whose),
        ],
        observer=_observer(told),
    )


def _measured(number: Number) -> Measurement:
    code = number.code
    return measured(CodedConcept(code.value, code.scheme, code.meaning), number.value, code.unit)


def _site(told: Told) -> FindingSite:
    location = CodedConcept(told.site[0], "SCT", told.site[1])
    if told.side is None:
        return FindingSite(location)
    return FindingSite(location, laterality=CodedConcept(told.side[0], "SCT", told.side[1]))


def _observer(told: Told) -> Iterator[ContentItem]:
    """Yield who entered it; nothing where nobody is named, since DICOM asks for a name."""
    if told.by is None:
        return
    name = re.sub(r"[\\^=]", " ", told.by)[:64]
    yield from ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=PersonObserverIdentifyingAttributes(name=name),
    )
