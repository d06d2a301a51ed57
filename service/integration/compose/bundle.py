"""The transaction for a record: FHIR R4 resources about one study, all of them or none.

A report, two observations an image (the outcome, and the probability, which a refused image has
not), one for each number that scanners have told or people have entered of other modalities, for
each vertebra of which a reader has kept points, those of the patient's course (change, rate,
forecast), the study, devices and where it comes from. The same transaction twice changes nothing:
what is ours is updated by its identifier, and what others may have is only created where there is
none. The report of a study stays one, whatever is said of it later.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Final
from uuid import UUID, uuid5

from service.exams.parts import Scanner
from service.integration.compose import (
    course_resources,
    entered_resources,
    heights_resources,
    measured_resources,
    wording,
)
from service.integration.compose.course import Said, courses
from service.integration.compose.entered import Number as EnteredNumber
from service.integration.compose.entered import Told, entered
from service.integration.compose.heights import Told as Height
from service.integration.compose.heights import told as heights
from service.integration.compose.measured import Number, Site, sites
from service.integration.compose.observations import (
    IMAGING,
    RESEARCH,
    coded,
    measured,
    quantity,
)
from service.integration.compose.resources import (
    DCM,
    DICOM_UID,
    LOINC,
    OURS,
    SNOMED,
    TERMINOLOGY,
    Json,
    coding,
    concept,
    date,
    entry,
    identifier,
    instant,
    members,
    narrative,
)
from service.integration.compose.source import Judged, Made
from service.integration.compose.uids import DEVICE, uid
from service.integration.destinations import FhirDestination
from service.integration.dicom.head import text
from service.integration.ledger.schemas import MANUFACTURER
from service.medicine.scoliosis.codes import UNIT

_SPACE: Final = UUID("0f4b7f0a-6f0f-4ad4-8a1e-9c3f5d1e7b62")
_PROCEDURE: Final = concept(LOINC, "38269-7", "DXA Skeletal system Views for bone density")
_LUMBAR_SPINE: Final = concept(SNOMED, "122496007", "Lumbar vertebral column")
_RADIOLOGY: Final = [{"coding": [coding(f"{TERMINOLOGY}/v2-0074", "RAD", "Radiology")]}]
_ACCESSION: Final = {"coding": [coding(f"{TERMINOLOGY}/v2-0203", "ACSN")]}
_LABELS: Final = {
    # Not as a security label of HL7 (AIAST), which R4's validators do not know and refuse.
    "tag": [coding(OURS, "ai", "Said by a model"), RESEARCH]
}


def refusal(made: Made) -> str | None:
    """Return why the study cannot be sent; None where it can."""
    return None if text(made.source, "PatientID") else "no_patient_id"


def compose(destination: FhirDestination, made: Made) -> bytes:
    """Return the transaction Bundle as JSON."""
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": list(_Study(destination, made).entries()),
    }
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode()


class _Study:
    """One study and what refers to what in its transaction."""

    def __init__(self, destination: FhirDestination, made: Made) -> None:
        self._destination = destination
        self._made = made
        self._study = made.origin.study_uid
        source = made.source
        issuer = text(source, "IssuerOfPatientID")
        self._subject = {
            "identifier": identifier(
                text(source, "PatientID"),
                destination.patients if not issuer else "",
                type={"coding": [coding(f"{TERMINOLOGY}/v2-0203", "MR")]},
                assigner=members(display=issuer),
            )
        }
        self._versions = sorted({wording.version(one) for one in made.parts})
        self._sites = sites(made.parts)
        self._entered = entered(made.parts)
        self._heights = heights(made.parts)
        self._courses = courses(made.parts)

    def entries(self) -> Iterator[Json]:
        yield from (self._device(one) for one in self._versions)
        yield from self._scanners()
        yield self._imaging_study()
        for number, one in enumerate(self._made.parts):
            yield self._outcome(one)
            yield self._probability(one, number)
        yield from (self._number(site, one) for site in self._sites for one in site.numbers)
        yield from (self._other(told, one) for told in self._entered for one in told.numbers)
        yield from (self._height(one) for one in self._heights)
        yield from (self._said(one.image, said) for one in self._courses for said in one.said)
        yield self._report()
        yield self._provenance()

    def _url(self, *parts: str) -> str:
        """Return what a resource is referred to by within the transaction."""
        return f"urn:uuid:{uuid5(_SPACE, '/'.join((self._made.site, self._study, *parts)))}"

    def _value(self, *parts: str) -> str:
        """Return the identifier of a resource, the same for every result on the study."""
        return f"urn:oid:{uid('/'.join(('fhir', self._made.site, self._study, *parts)))}"

    def _ours(self, resource: Json, kind: str, *parts: str) -> Json:
        """Return what is ours alone, which replaces what was said before."""
        value = self._value(kind, *parts)
        url = f"{resource['resourceType']}?identifier={OURS}|{value}"
        named = {**resource, "identifier": [identifier(value), *resource.get("identifier", [])]}
        return entry(named, self._url(kind, *parts), "PUT", url)

    def _reference(self, *parts: str) -> Json:
        return {"reference": self._url(*parts)}

    def _device(self, version: str) -> Json:
        value = f"{DEVICE}/{version}"
        resource = members(
            resourceType="Device",
            text=narrative(f"{MANUFACTURER} {version}", _UNCLEARED),
            identifier=[identifier(value)],
            status="active",
            manufacturer=MANUFACTURER,
            deviceName=[{"name": MANUFACTURER, "type": "manufacturer-name"}],
            version=[{"value": version}],
            safety=[{"text": _UNCLEARED}],
        )
        once = f"identifier={OURS}|{value}"
        return entry(resource, self._url("device", version), "POST", "Device", once)

    def _scanners(self) -> Iterator[Json]:
        machines: dict[str, tuple[Scanner, str | None]] = {}
        for report in (one.report for one in self._sites):
            if report.scanner is not None:
                number = measured_resources.number_of(report.scanner)
                _, model = machines.get(number, (None, None))
                machines[number] = report.scanner, report.model or model
        for number, (scanner, model) in machines.items():
            resource = measured_resources.device(scanner, model)
            once = f"identifier={OURS}|{number}"
            yield entry(resource, self._url("scanner", number), "POST", "Device", once)

    def _imaging_study(self) -> Json:
        source, named = self._made.source, f"urn:oid:{self._study}"
        series: dict[str, list[Judged]] = {}
        for one in self._made.parts:
            series.setdefault(str(one.source.SeriesInstanceUID), []).append(one)
        resource = members(
            resourceType="ImagingStudy",
            text=narrative(f"Study {self._study}, {len(self._made.parts)} images"),
            identifier=[identifier(named, DICOM_UID), *self._accession()],
            status="available",
            subject=self._subject,
            started=date(text(source, "StudyDate")),
            numberOfSeries=len(series),
            numberOfInstances=len(self._made.parts),
            series=[self._series(number, parts) for number, parts in series.items()],
        )
        once = f"identifier={DICOM_UID}|{named}"
        return entry(resource, self._url("study"), "POST", "ImagingStudy", once)

    @staticmethod
    def _series(number: str, parts: list[Judged]) -> Json:
        return {
            "uid": number,
            "modality": coding(DCM, text(parts[0].source, "Modality") or "OT"),
            "numberOfInstances": len(parts),
            "instance": [
                {
                    "uid": str(one.source.SOPInstanceUID),
                    "sopClass": coding("urn:ietf:rfc:3986", f"urn:oid:{one.source.SOPClassUID}"),
                }
                for one in parts
            ],
        }

    def _accession(self) -> list[Json]:
        value = self._made.accession
        return [identifier(value, "", type=_ACCESSION)] if value else []

    def _observation(self, one: Judged, code: wording.Coded) -> Json:
        return members(
            resourceType="Observation",
            meta=_LABELS,
            status=one.standing,
            category=IMAGING,
            code=concept(OURS, *code),
            subject=self._subject,
            effectiveDateTime=date(text(one.source, "StudyDate")),
            issued=instant(one.prediction.created_at),
            performer=[{"display": _performer(one)}],
            note=[{"text": wording.caution(one)}],
            bodySite=_LUMBAR_SPINE,
            method={"text": f"{MANUFACTURER} {wording.version(one)}"},
            device=self._reference("device", wording.version(one)),
            derivedFrom=[self._reference("study")],
        )

    def _outcome(self, one: Judged) -> Json:
        found = wording.outcome(one)
        named = [
            *((wording.MODELS, models) for models in wording.overridden(one)),
            *((wording.REASON, reason) for reason in wording.reasons(one)),
            *((wording.FINDING, finding) for finding in wording.findings(one)),
            *((wording.CONFLICT, against) for against in wording.contradictions(one)),
        ]
        resource = {
            **self._observation(one, wording.OUTCOME),
            "text": narrative(wording.sentence(one), wording.caution(one)),
            "valueCodeableConcept": concept(OURS, *found),
            **members(
                component=[
                    *(coded(name, value) for name, value in named),
                    *(measured(name, value, UNIT) for name, value in wording.angle(one)),
                ]
            ),
        }
        return self._ours(resource, "outcome", str(one.source.SOPInstanceUID))

    def _probability(self, one: Judged, number: int) -> Json:
        value = one.prediction.probability
        said = (
            {"dataAbsentReason": concept(_ABSENT, "not-performed", "Not Performed")}
            if value is None
            else {"valueQuantity": quantity(round(value, 4), "1")}
        )
        line = f"{wording.PROBABILITY[1]}, image {number + 1}: {wording.sure(one) or 'none'}"
        shown = narrative(line, wording.caution(one))
        resource = {**self._observation(one, wording.PROBABILITY), "text": shown, **said}
        return self._ours(resource, "probability", str(one.source.SOPInstanceUID))

    def _number(self, site: Site, number: Number) -> Json:
        scanner, day = site.report.scanner, site.report.acquired_on
        resource = members(
            **measured_resources.observation(site, number),
            subject=self._subject,
            effectiveDateTime=day or date(text(self._made.source, "StudyDate")),
            device={"display": "Bone densitometer"}
            if scanner is None
            else self._reference("scanner", measured_resources.number_of(scanner)),
            derivedFrom=[self._reference("study")],
        )
        return self._ours(resource, "measured", *site.key, number.quantity)

    def _other(self, told: Told, number: EnteredNumber) -> Json:
        resource = {
            **entered_resources.observation(told, number),
            "subject": self._subject,
            "derivedFrom": [self._reference("study")],
        }
        return self._ours(resource, "entered", told.image, number.code.value)

    def _height(self, told: Height) -> Json:
        resource = members(
            **heights_resources.observation(told),
            subject=self._subject,
            effectiveDateTime=date(text(told.part.source, "StudyDate")),
            derivedFrom=[self._reference("study")],
        )
        return self._ours(resource, "heights", told.image, told.level)

    def _said(self, image: str, said: Said) -> Json:
        resource = members(
            **course_resources.observation(said),
            subject=self._subject,
            effectiveDateTime=date(text(self._made.source, "StudyDate")),
            issued=instant(self._made.at),
            derivedFrom=[self._reference("study")],
        )
        return self._ours(resource, "course", image, said.key)

    def _report(self) -> Json:
        made, source = self._made, self._made.source
        said = [wording.whole(one) for one in made.parts]
        images = [str(one.source.SOPInstanceUID) for one in made.parts]
        resource = members(
            resourceType="DiagnosticReport",
            meta=_LABELS,
            text=narrative(*said, *self._sentences()),
            status=made.standing,
            category=_RADIOLOGY,
            code=_PROCEDURE,
            subject=self._subject,
            basedOn=[{"type": "ServiceRequest", "identifier": one} for one in self._accession()],
            effectiveDateTime=date(text(source, "StudyDate")),
            issued=instant(made.at),
            result=[
                *(
                    self._reference(kind, image)
                    for image in images
                    for kind in ("outcome", "probability")
                ),
                *(
                    self._reference("measured", *site.key, one.quantity)
                    for site in self._sites
                    for one in site.numbers
                ),
                *(
                    self._reference("entered", told.image, one.code.value)
                    for told in self._entered
                    for one in told.numbers
                ),
                *(self._reference("heights", one.image, one.level) for one in self._heights),
                *(
                    self._reference("course", one.image, said.key)
                    for one in self._courses
                    for said in one.said
                ),
            ],
            imagingStudy=[self._reference("study")],
            conclusion=" ".join(said),
            resultsInterpreter=[{"display": one} for one in _reviewers(made)],
            presentedForm=[
                {
                    "contentType": "application/pdf",
                    "data": base64.b64encode(one).decode("ascii"),
                    "title": "Result on one sheet",
                }
                for one in (made.sheets if self._destination.pdf else ())
            ],
        )
        return self._ours(resource, "report")

    def _sentences(self) -> Iterator[str]:
        """Yield what stands in the report's text beside what was said of its images."""
        yield from (one.sentence for one in self._sites)
        yield from (one.sentence for one in self._entered)
        yield from (one.sentence for one in self._heights)
        for one in self._courses:
            yield from (f"{said.sentence} {said.beside}" for said in one.said)

    def _provenance(self) -> Json:
        made = self._made
        # It has no identifier in R4: a tag of ours tells a resend from another result.
        tag = str(uuid5(made.case_id, self._destination.name))
        resource = {
            "resourceType": "Provenance",
            "text": narrative(f"Made by {MANUFACTURER} {', '.join(self._versions)}"),
            "meta": {"tag": [coding(OURS, tag)]},
            "target": [self._reference("report")],
            "recorded": instant(made.at),
            "activity": {"coding": [coding(f"{TERMINOLOGY}/v3-DataOperation", "CREATE", "create")]},
            "agent": [
                {
                    "type": {
                        "coding": [
                            coding(f"{TERMINOLOGY}/provenance-participant-type", "assembler",
                                   "Assembler")
                        ]
                    },
                    "who": self._reference("device", version),
                }
                for version in self._versions
            ],
            "entity": [{"role": "source", "what": self._reference("study")}],
        }  # fmt: skip
        once = f"_tag={OURS}|{tag}"
        return entry(resource, self._url("provenance", tag), "POST", "Provenance", once)


def _performer(one: Judged) -> str:
    review = one.prediction.review
    return f"{MANUFACTURER}, a model" if review is None else review.reviewer


def _reviewers(made: Made) -> list[str]:
    reviews = (one.prediction.review for one in made.parts)
    return sorted({one.reviewer for one in reviews if one is not None})


_UNCLEARED: Final = "Research use only; not cleared as a medical device"
_ABSENT: Final = f"{TERMINOLOGY}/data-absent-reason"
