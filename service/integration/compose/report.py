"""The report: a DICOM structured report (TID 1500) with what was said of each image.

Preliminary until all of it is reviewed, and for research. What was refused has no probability. What
people entered of other modalities and the patient's course follow as groups of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
)
from pydicom.charset import convert_encodings
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from service.integration.compose import wording
from service.integration.compose.course import courses
from service.integration.compose.course_groups import course_groups
from service.integration.compose.entered import entered
from service.integration.compose.entered_groups import entered_group
from service.integration.compose.groups import group, ours
from service.integration.compose.heights import told
from service.integration.compose.heights_groups import heights_group
from service.integration.compose.source import Judged, standing
from service.integration.compose.uids import DEVICE, Origin
from service.integration.dicom.head import hush
from service.integration.ledger.schemas import MANUFACTURER

SERIES_NUMBER: Final = 9901
_LUMBAR_SPINE: Final = CodedConcept("122496007", "SCT", "Lumbar spine")
_PROCEDURE: Final = CodedConcept("363679005", "SCT", "Imaging procedure")


def compose(
    judged: Sequence[Judged],
    origin: Origin,
    predecessor: tuple[str, str, str] | None,
    site: str = "default",
) -> Dataset:
    """Return the report on all of ``judged``: final and verified once all are reviewed.

    ``predecessor``: class, series and object of the report that it supersedes.
    """
    hush()
    stands = standing(judged)
    reviewed = stands != "preliminary"
    device = DeviceObserverIdentifyingAttributes(
        uid=DEVICE, name=MANUFACTURER, manufacturer_name=MANUFACTURER, model_name=MANUFACTURER
    )
    context = ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=codes.DCM.Device, observer_identifying_attributes=device
        )
    )
    content = MeasurementReport(
        observation_context=context,
        procedure_reported=_PROCEDURE,
        imaging_measurements=[
            *(_group(one, origin) for one in judged),
            *(heights_group(one, origin) for one in told(judged)),
            *(entered_group(one, origin) for one in entered(judged)),
            *(
                said
                for course in courses(judged)
                for said in course_groups(course, origin, FindingSite(_LUMBAR_SPINE))
            ),
        ],
        title=codes.DCM.ImagingMeasurementReport,
    )
    return Comprehensive3DSR(
        evidence=[one.source for one in judged],
        content=content,
        series_instance_uid=origin.series("report"),
        series_number=SERIES_NUMBER,
        series_description=wording.series(stands),
        sop_instance_uid=origin.instance("report"),
        instance_number=origin.revision + 1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        device_serial_number="none",
        software_versions=_versions(judged),
        is_complete=True,
        is_final=reviewed,
        is_verified=reviewed,
        verifying_observer_name=observer(judged) if reviewed else None,
        verifying_organization=site if reviewed else None,
        previous_versions=None if predecessor is None else [_named(judged[0], *predecessor)],
        coding_schemes=[
            CodingSchemeIdentificationItem(wording.SCHEME, responsible_organization=MANUFACTURER)
        ],
        specific_character_set=_charset(judged),
    )


def _group(one: Judged, origin: Origin) -> MeasurementsAndQualitativeEvaluations:
    prediction = one.prediction
    measurements = []
    if prediction.probability is not None:
        measurements.append(
            Measurement(
                name=codes.DCM.Probability,
                value=round(prediction.probability, 4),
                unit=codes.UCUM.NoUnits,
            )
        )
    measurements += [
        Measurement(name=ours(name), value=value, unit=codes.UCUM.Degree)
        for name, value in wording.angle(one)
    ]
    return group(
        origin,
        (str(one.source.SOPInstanceUID),),
        identifier=str(prediction.id),
        site=FindingSite(_LUMBAR_SPINE),
        measurements=measurements,
        coded=[
            (wording.OUTCOME, wording.outcome(one)),
            *((wording.MODELS, models) for models in wording.overridden(one)),
            (wording.USE, wording.use(one)),
            *((wording.REASON, reason) for reason in wording.reasons(one)),
            *((wording.FINDING, finding) for finding in wording.findings(one)),
            *((wording.CONFLICT, against) for against in wording.contradictions(one)),
        ],
        algorithm=AlgorithmIdentification(
            name=MANUFACTURER,
            version=wording.version(one),
            parameters=_parameters(one),
        ),
        image=one.source,
    )


def _parameters(one: Judged) -> list[str]:
    prediction = one.prediction
    told = [f"recipe {prediction.recipe}"]
    if prediction.threshold is not None and prediction.band is not None:
        low, high = prediction.band
        told.append(f"threshold {prediction.threshold:.3f}, indeterminate {low:.3f}-{high:.3f}")
    if prediction.missing:
        told.append("without " + ", ".join(prediction.missing))
    return told


def _charset(judged: Sequence[Judged]) -> Any:
    """Return the images' character set, or Unicode's where that cannot write who said what."""
    theirs = judged[0].source.get("SpecificCharacterSet")
    said = "".join(told.whose for told in entered(judged))
    if standing(judged) != "preliminary":
        said += observer(judged)
    if said.isascii():
        return theirs
    if isinstance(theirs, str) and theirs not in ("", "ISO_IR 6"):
        with suppress(UnicodeEncodeError):
            said.encode(convert_encodings(theirs)[0])
            return theirs
    return "ISO_IR 192"


def _versions(judged: Sequence[Judged]) -> str:
    return next((one.prediction.version for one in judged if one.prediction.version), "none")[:64]


def observer(judged: Sequence[Judged]) -> str:
    """Return who reviewed last, as a family name: more of a name is not known."""
    reviews = [one.prediction.review for one in judged if one.prediction.review is not None]
    last = max(reviews, key=lambda one: one.created_at)
    return re.sub(r"[\\^=]", " ", last.reviewer)[:64]


def _named(one: Judged, sop_class: str, series: str, instance: str) -> Dataset:
    """Return as much of an earlier report as a reference to it needs."""
    earlier = Dataset()
    earlier.StudyInstanceUID = one.source.StudyInstanceUID
    earlier.SOPClassUID, earlier.SOPInstanceUID = sop_class, instance
    earlier.SeriesInstanceUID = series
    return earlier
