"""The message to an interface engine: ORU^R01 of HL7 2.5.1, as IHE RAD-128 sends imaging results.

An OBX names the study; each image has its outcome, its probability unless it was refused, the curve
L1-L4 where an angle is told, and what to look at, under one sub-ID, and then all of it in words.
Each is preliminary (P) until somebody has signed or overridden it (F), and corrected (C) when they
do so again. What scanners measured, what people entered of other modalities, and the patient's
course come last, each region, modality and thing that is said under a sub-ID of its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pydicom.dataset import Dataset

from service.integration.compose import wording
from service.integration.compose.course import courses
from service.integration.compose.course_rows import course_rows
from service.integration.compose.entered import entered
from service.integration.compose.entered_rows import entered_rows
from service.integration.compose.measured import sites
from service.integration.compose.measured_rows import measured_rows
from service.integration.compose.source import Judged, Made, Standing
from service.integration.destinations import Hl7Destination
from service.integration.dicom.head import text
from service.integration.hl7.encoding import composite, escape, message, moment, segment
from service.integration.ledger.schemas import MANUFACTURER, delivery_id
from service.medicine.scoliosis.codes import UNIT

APPLICATION: Final = "OSTEOSERVE"
STATUS: Final[Mapping[Standing, str]] = {"preliminary": "P", "final": "F", "corrected": "C"}
"""OBR-25 and OBX-11, of tables 0123 and 0085."""
ORDER_DETAIL: Final = "O"
"""OBX-11 of what describes the order and is no result."""
_PROCEDURE: Final = ("38269-7", "DXA Skeletal system Views for bone density", "LN")
_STUDY: Final = ("113014", "DICOM Study", "DCM")
_TEXT: Final = ("59776-5", "Procedure findings", "LN")
_SHEET: Final = ("PDF", "Result on one sheet", wording.SCHEME)
_SEXES: Final = ("M", "F", "O")
_CONTROL: Final = 20
"""Characters of MSH-10."""


def refusal(destination: Hl7Destination, made: Made) -> str | None:
    """Return why the study cannot be sent as a message; None where it can."""
    if not text(made.source, "PatientID"):
        return "no_patient_id"
    if destination.order == "required" and not made.accession:
        return "no_order"
    return None


def compose(destination: Hl7Destination, made: Made) -> bytes:
    """Return the message. Its control ID is the delivery's, so that a resend is the same."""
    source, at = made.source, moment(made.at)
    enhanced = destination.acknowledgement == "enhanced"
    head = {
        3: APPLICATION,
        4: escape(made.site),
        5: escape(destination.application),
        6: escape(destination.facility),
        7: at,
        9: composite("ORU", "R01", "ORU_R01"),
        10: control_id(made, destination.name),
        11: destination.processing,
        12: "2.5.1",
        15: "AL" if enhanced else "",
        16: "NE" if enhanced else "",
    }
    rows = _observations(destination, made)
    return message(
        head,
        [_patient(destination, source), segment("PV1", {1: "1", 2: "U"}), *_order(made, at), *rows],
        destination.charset,
    )


def control_id(made: Made, destination: str) -> str:
    """Return MSH-10: of the delivery's number as many bits as it has room for."""
    digest = hashlib.sha256(delivery_id(made.case_id, destination).bytes).digest()
    return base64.b32encode(digest).decode()[:_CONTROL]


def _patient(destination: Hl7Destination, source: Dataset) -> str:
    issuer = text(source, "IssuerOfPatientID") or destination.authority
    sex = text(source, "PatientSex")
    return segment(
        "PID",
        {
            1: "1",
            3: composite(text(source, "PatientID"), "", "", issuer, "MR"),
            # A name is required; of one that is not known only that (table 0200).
            5: person(text(source, "PatientName")) or composite("", "", "", "", "", "", "U"),
            7: day(text(source, "PatientBirthDate")),
            8: sex if sex in _SEXES else "U",
        },
    )


def _order(made: Made, at: str) -> Iterator[str]:
    source, accession = made.source, made.accession
    # Whoever has no order has a number of ours, the same for every result on the study.
    ours = hashlib.sha256(made.origin.study_uid.encode()).hexdigest()[:_CONTROL].upper()
    filler = composite(accession) if accession else composite(ours, APPLICATION)
    placer = ""
    if made.order is not None:
        placer = composite(*made.order.placer)
        filler = composite(*made.order.filler) or filler
    yield segment("ORC", {1: "RE", 2: placer, 3: filler})
    yield segment(
        "OBR",
        {
            1: "1",
            2: placer,
            3: filler,
            4: composite(*_PROCEDURE),
            7: study_time(source),
            16: _doctor(text(source, "ReferringPhysicianName")),
            18: escape(accession),
            22: at,
            24: "RAD",
            25: STATUS[made.standing],
        },
    )


def _observations(destination: Hl7Destination, made: Made) -> Iterator[str]:
    when = study_time(made.source)
    rows = [{**_row("ST", _STUDY, escape(made.origin.study_uid)), 11: ORDER_DETAIL}]
    for number, one in enumerate(made.parts, 1):
        sheet = made.sheets[number - 1] if destination.pdf and made.sheets else None
        rows += ({**row, 4: str(number), **_by(one, when)} for row in _of_image(one, sheet))
    for number, one in enumerate(made.parts, 1):
        words = _row("TX", _TEXT, escape(wording.whole(one)))
        rows.append({**words, 4: str(number), **_by(one, when)})
    for number, site in enumerate(sites(made.parts), 1):
        rows += ({4: f"S{number}", **row} for row in measured_rows(site, when))
    for number, told in enumerate(entered(made.parts), 1):
        rows += ({4: f"M{number}", **row} for row in entered_rows(told))
    said = (said for course in courses(made.parts) for said in course.said)
    for number, it in enumerate(said, 1):
        rows += ({4: f"C{number}", **row} for row in course_rows(it, when))
    for number, fields in enumerate(rows, 1):
        yield segment("OBX", {1: str(number), **fields})


def _row(kind: str, name: Sequence[str], value: str, unit: str = "") -> dict[int, str]:
    return {2: kind, 3: composite(*name), 5: value, 6: unit}


def _by(judged: Judged, when: str) -> dict[int, str]:
    """Return what says of a row who says it, when, and how it stands."""
    method = composite(MANUFACTURER, wording.version(judged), wording.SCHEME)
    return {11: STATUS[judged.standing], 14: when, 17: method}


def _of_image(one: Judged, sheet: bytes | None) -> Iterator[dict[int, str]]:
    for kind, name, value, unit in _said(one):
        yield _row(kind, (*name, wording.SCHEME), value, unit)
    if sheet is not None:
        encoded = base64.b64encode(sheet).decode("ascii")
        yield _row("ED", _SHEET, composite(APPLICATION, "Application", "PDF", "Base64", encoded))


def _said(one: Judged) -> Iterable[tuple[str, wording.Coded, str, str]]:
    def coded(value: wording.Coded) -> str:
        return composite(*value, wording.SCHEME)

    prediction = one.prediction
    yield "CE", wording.OUTCOME, coded(wording.outcome(one)), ""
    for models in wording.overridden(one):
        yield "CE", wording.MODELS, coded(models), ""
    if prediction.probability is not None:
        yield (
            "NM",
            wording.PROBABILITY,
            f"{prediction.probability:.4f}",
            composite("1", "no units", "UCUM"),
        )
    for name, degrees in wording.angle(one):
        yield "NM", name, f"{degrees:.1f}", composite(UNIT, "degree", "UCUM")
    for reason in wording.reasons(one):
        yield "CE", wording.REASON, coded(reason), ""
    for finding in wording.findings(one):
        yield "CE", wording.FINDING, coded(finding), ""
    for against in wording.contradictions(one):
        yield "CE", wording.CONFLICT, coded(against), ""
    yield "CE", wording.USE, coded(wording.use(one)), ""


def person(name: str) -> str:
    """Return a DICOM name as XPN: its alphabetic group, whose prefix comes before the suffix."""
    family, given, middle, prefix, suffix = _parts(name)
    return composite(family, given, middle, suffix, prefix)


def _doctor(name: str) -> str:
    family, given, middle, prefix, suffix = _parts(name)
    return composite("", family, given, middle, suffix, prefix)


def _parts(name: str) -> list[str]:
    alphabetic = name.split("=", maxsplit=1)[0]
    return [part.strip() for part in (*alphabetic.split("^"), "", "", "", "", "")[:5]]


def day(said: str) -> str:
    """Return a DICOM date as DT; empty where it is none."""
    return said if len(said) == 8 and said.isdigit() else ""


def study_time(source: Dataset) -> str:
    """Return when the study was, as TS without a zone, which the image seldom says."""
    on, at = day(text(source, "StudyDate")), _clock(text(source, "StudyTime"))
    return on + at if on else ""


def _clock(value: str) -> str:
    said = value.split(".", maxsplit=1)[0]
    return said if len(said) in (4, 6) and said.isdigit() else ""
