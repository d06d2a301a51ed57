"""The report: a DICOM structured report (TID 1500) with what was said of each image.

Always preliminary, never verified, and for research. What was refused has no probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

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
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from models.vertebrae.findings import Code
from service.integration.compose.source import Judged
from service.integration.compose.uids import DEVICE, Origin, uid
from service.integration.dicom.head import hush
from service.integration.ledger.schemas import MANUFACTURER
from service.medicine.osteoporosis.view import told
from service.types import Outcome

SERIES: Final = "AI result, research use only, preliminary"
SERIES_NUMBER: Final = 9901
_SCHEME: Final = "99OSTEOSERVE"

_OUTCOMES: Final[Mapping[Outcome, tuple[str, str]]] = {
    "osteoporosis": ("SIGNS", "Signs of osteoporosis; not a diagnosis"),
    "normal": ("NO_SIGNS", "No sign of osteoporosis found; does not rule it out"),
    "indeterminate": ("INDETERMINATE", "Indeterminate: no answer"),
    "refused": ("NOT_ANALYSED", "Not analysed"),
}
_FINDINGS: Final[Mapping[Code, tuple[str, str]]] = {
    "part_missing": ("PART_MISSING", "Part of the spine is missing"),
    "levels_uncertain": ("LEVELS", "Levels are uncertain"),
    "axis_tilt": ("TILT", "The spine leans"),
    "turned": ("TURNED", "The spine is turned"),
    "curve": ("CURVE", "The spine is curved"),
    "denser_than_neighbours": ("DENSER", "Denser than its neighbours"),
    "height_outlier": ("HEIGHT", "Height differs from its neighbours"),
    "foreign_object": ("FOREIGN", "A foreign object"),
    "motion": ("MOTION", "Motion"),
}
_WARNINGS: Final[Mapping[str, tuple[str, str]]] = {
    "scan_area": ("SCAN_AREA", "The field may be too short to show all of L1 to L4"),
    "for_processing": ("FOR_PROCESSING", "Grey levels are raw, not meant for display"),
    "burned_in_annotation": ("BURNED_IN_TEXT", "Text is part of the image"),
}
_LUMBAR_SPINE: Final = CodedConcept("122496007", "SCT", "Lumbar spine")
_PROCEDURE: Final = CodedConcept("363679005", "SCT", "Imaging procedure")


def _ours(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, _SCHEME, meaning)


def compose(
    judged: Sequence[Judged], origin: Origin, predecessor: tuple[str, str, str] | None
) -> Dataset:
    """Return the report on all of ``judged``.

    ``predecessor``: class, series and object of the report that it supersedes.
    """
    hush()
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
        imaging_measurements=[_group(one, origin) for one in judged],
        title=codes.DCM.ImagingMeasurementReport,
    )
    return Comprehensive3DSR(
        evidence=[one.source for one in judged],
        content=content,
        series_instance_uid=origin.series("report"),
        series_number=SERIES_NUMBER,
        series_description=SERIES,
        sop_instance_uid=origin.instance("report"),
        instance_number=origin.revision + 1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        device_serial_number="none",
        software_versions=_versions(judged),
        is_complete=True,
        is_final=False,
        is_verified=False,
        previous_versions=None if predecessor is None else [_named(judged[0], *predecessor)],
        coding_schemes=[
            CodingSchemeIdentificationItem(_SCHEME, responsible_organization=MANUFACTURER)
        ],
        specific_character_set=judged[0].source.get("SpecificCharacterSet"),
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
    said = [
        QualitativeEvaluation(_ours("OUTCOME", "Outcome"), _ours(*_OUTCOMES[told(prediction)])),
        QualitativeEvaluation(
            _ours("USE", "Intended use"), _ours("RESEARCH", "Research use only, preliminary")
        ),
        *(
            QualitativeEvaluation(
                _ours("REASON", "Reason for not being analysed"),
                _ours(reason[:16].upper(), reason.replace("_", " ").capitalize()),
            )
            for reason in (prediction.quality.reasons if prediction.outcome == "refused" else ())
        ),
    ]
    said.extend(
        QualitativeEvaluation(_ours("FINDING", "To look at"), _ours(*_warned(code)))
        for code in prediction.quality.findings
    )
    for found in prediction.vertebrae.findings if prediction.vertebrae else ():
        value, meaning = _FINDINGS[found.code]
        level = "" if found.level is None else f" ({found.level})"
        said.append(
            QualitativeEvaluation(_ours("FINDING", "To look at"), _ours(value, meaning + level))
        )
    image = one.source
    tracking = f"{MANUFACTURER}-{prediction.id}"
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=uid(f"{origin.instance('report')}/{image.SOPInstanceUID}"), identifier=tracking
        ),
        algorithm_id=AlgorithmIdentification(
            name=MANUFACTURER,
            version=prediction.version or prediction.recipe,
            parameters=_parameters(one),
        ),
        finding_sites=[FindingSite(_LUMBAR_SPINE)],
        measurements=measurements or None,
        qualitative_evaluations=said,
        source_images=[
            SourceImageForMeasurementGroup(
                referenced_sop_class_uid=image.SOPClassUID,
                referenced_sop_instance_uid=image.SOPInstanceUID,
            )
        ],
    )


def _warned(code: str) -> tuple[str, str]:
    """Return value and meaning of what the gate noticed, also of a code that came after this."""
    return _WARNINGS.get(code, (code[:16].upper(), code.replace("_", " ").capitalize()))


def _parameters(one: Judged) -> list[str]:
    prediction = one.prediction
    told = [f"recipe {prediction.recipe}"]
    if prediction.threshold is not None and prediction.band is not None:
        low, high = prediction.band
        told.append(f"threshold {prediction.threshold:.3f}, indeterminate {low:.3f}-{high:.3f}")
    if prediction.missing:
        told.append("without " + ", ".join(prediction.missing))
    return told


def _versions(judged: Sequence[Judged]) -> str:
    return next((one.prediction.version for one in judged if one.prediction.version), "none")[:64]


def _named(one: Judged, sop_class: str, series: str, instance: str) -> Dataset:
    """Return as much of an earlier report as a reference to it needs."""
    earlier = Dataset()
    earlier.StudyInstanceUID = one.source.StudyInstanceUID
    earlier.SOPClassUID, earlier.SOPInstanceUID = sop_class, instance
    earlier.SeriesInstanceUID = series
    return earlier
