"""Exams in SQL: the facts of the visit that made an image, and the patient that they are of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic import ValidationError
from sqlalchemy import Row, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.exams import dicom, provenance
from service.exams.measurements import Measured
from service.exams.provenance import Entry
from service.exams.schemas import Exam, ExamFacts, Sex, believed
from service.holds import repository as holds
from service.holds.schemas import HeldError
from service.identity.actor import Within
from service.images import repository as images
from service.medicine.modalities.entered import NOTHING, Entered
from service.patients import repository as patients
from service.storage.documents import understood
from service.storage.encryption import plain
from service.storage.errors import UnreadableError
from service.storage.tables.exams import ExamRow
from service.storage.tables.images import ImageRow
from service.storage.tables.patients import PatientRow
from service.storage.tables.predictions import PredictionRow
from service.storage.within import seen

COLUMNS: Final = (
    PredictionRow.id, ExamRow.facts, ExamRow.acquired_on, ExamRow.device_vendor,
    ExamRow.device_serial, ExamRow.patient_key, ExamRow.measured, ExamRow.modalities,
    PatientRow.identifier, PatientRow.identifier_sealed, PatientRow.issuer,
)  # fmt: skip
"""What :func:`read` goes by."""

_IN_COLUMNS: Final = {"patient_reference", "patient_issuer", "acquired_on", "scanner"}
_PICTURED: Final = exists().where(ImageRow.exam_id == ExamRow.id)


async def get(connection: AsyncConnection, within: Within, prediction_id: UUID) -> Exam | None:
    """Return the exam of a prediction's image, empty where nothing was entered; None without it."""
    statement = (
        select(*COLUMNS)
        .outerjoin(ImageRow, ImageRow.id == PredictionRow.image_id)
        .outerjoin(ExamRow, ExamRow.id == ImageRow.exam_id)
        .outerjoin(PatientRow, PatientRow.key == ExamRow.patient_key)
        .where(PredictionRow.id == prediction_id, seen(PredictionRow, within))
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else read(connection, row)


async def lock(connection: AsyncConnection, within: Within, prediction_id: UUID) -> bool:
    """Hold a prediction, its image and exam to the transaction's end; False without the first.

    So it cannot be deleted from under its facts, and nobody else changes them through another
    prediction of the same image.
    """
    known = select(PredictionRow.id).where(
        PredictionRow.id == prediction_id, seen(PredictionRow, within)
    )
    if await connection.scalar(known.with_for_update()) is None:
        return False
    image_id = await images.hold(connection, prediction_id)
    if image_id is None:
        # A damaged file was recovered without it.
        raise UnreadableError
    of = select(ExamRow.id).join(ImageRow, ImageRow.exam_id == ExamRow.id)
    await connection.execute(of.where(ImageRow.id == image_id).with_for_update(of=ExamRow))
    return True


async def replace(
    connection: AsyncConnection,
    prediction_id: UUID,
    facts: ExamFacts,
    measured: Mapping[str, Measured] | None = None,
    from_scanner: Collection[str] | None = None,
    *,
    by: str = "",
) -> Exam:
    """Put ``facts`` in the place of what is kept. Prediction, image and exam are held.

    ``by`` is the name of who entered the numbers that are new; empty where nobody signs in.

    ``measured`` is by the keys of what told it, and what was kept of it stays where it is not
    given. Then of ``from_scanner`` that stays which ``facts`` do not say otherwise.

    Raises :class:`~service.holds.schemas.HeldError` where a legal hold's patient would be left.
    """
    image_id, site, former = await _former(connection, prediction_id)
    document = None if former is None else former.measured
    if measured is None and isinstance(document, dict):
        # What a person says otherwise is no machine's any more.
        still = [name for name in _taken(document) if _same(former, facts, name)]
        document = {**document, "taken": still}
    elif measured is not None:
        document = {
            "by": {key: one.model_dump(mode="json") for key, one in measured.items()},
            "taken": sorted(from_scanner or ()),
        }
    left = None if former is None else former.patient_key
    issuer = facts.patient_issuer or patients.TYPED
    await patients.hold(connection, left, site, facts.patient_reference, issuer)
    patient = None
    if facts.patient_reference is not None:
        patient = await patients.key_of(connection, site, facts.patient_reference, issuer)
    if left not in (None, patient) and await holds.is_patient_held(connection, left):
        raise HeldError
    kept = facts.model_dump(mode="json", exclude=_IN_COLUMNS, exclude_none=True)
    before = former.facts if former is not None and isinstance(former.facts, dict) else {}
    # What a newer version has entered is not forgotten because this one does not show it.
    known = {*ExamFacts.model_fields, provenance.FIELD}
    kept |= {name: it for name, it in before.items() if name not in known}
    entered_by = provenance.entries(
        before, _entries(before), kept, _taken(document), by=by or None, at=now()
    )
    if entered_by:
        kept[provenance.FIELD] = [one.model_dump(mode="json") for one in entered_by]
    values = {
        "patient_key": patient,
        "acquired_on": facts.acquired_on,
        "device_vendor": facts.scanner.vendor if facts.scanner else None,
        "device_serial": facts.scanner.serial if facts.scanner else None,
        "facts": kept,
        "measured": document,
    }
    needed = former is not None and bool(former.study_instance_uid or former.modalities)
    if not (needed or any(value is not None and value != {} for value in values.values())):
        await _unlink(connection, former)
    elif former is not None:
        await connection.execute(update(ExamRow).where(ExamRow.id == former.id).values(**values))
    else:
        exam_id = uuid4()
        await connection.execute(insert(ExamRow).values(id=exam_id, site=site, **values))
        await connection.execute(
            update(ImageRow).where(ImageRow.id == image_id).values(exam_id=exam_id)
        )
    await patients.release(connection, left)
    return Exam(
        prediction_id=prediction_id,
        patient_key=patient,
        measured=tuple(_reports(document).values()),
        from_scanner=_taken(document),
        entered_by=entered_by,
        modalities=_entered(former),
        **{name: getattr(facts, name) for name in ExamFacts.model_fields},
    )


async def told_of_patient(
    connection: AsyncConnection,
    site: str,
    patient: tuple[str, str],
    sex: Sex | None,
    born: date | None,
) -> tuple[UUID | None, int]:
    """Enter a patient's sex, and age at each scan, where nobody has; return key and how many."""
    identifier, issuer = await patients.surviving(connection, site, *patient)
    await patients.hold(connection, None, site, identifier, issuer)
    known = patients.is_known_by(connection, site, identifier, issuer)
    key = await connection.scalar(select(PatientRow.key).where(known))
    if key is None:
        return None, 0
    rows = await connection.execute(
        select(ExamRow.id, ExamRow.facts, ExamRow.acquired_on)
        .where(ExamRow.patient_key == key)
        .order_by(ExamRow.id)
        .with_for_update()
    )
    changed = 0
    for row in rows.all():
        if not isinstance(row.facts, dict):
            continue
        told: dict[str, Any] = {}
        if sex is not None and "sex" not in row.facts:
            told["sex"] = sex
        age = None if born is None else dicom.age_at(born, row.acquired_on)
        if age is not None and "age_years" not in row.facts:
            told["age_years"] = age
        told = {name: it for name, it in told.items() if not believed([{name: it}]).empty}
        if told:
            facts = {**row.facts, **told}
            await connection.execute(
                update(ExamRow).where(ExamRow.id == row.id).values(facts=facts)
            )
            changed += 1
    return key, changed


async def release(connection: AsyncConnection, exam_id: UUID | None) -> None:
    """Remove an exam whose last image has gone, and the patient whose last exam it was."""
    if exam_id is None:
        return
    of = select(ExamRow.patient_key).where(ExamRow.id == exam_id).with_for_update()
    patient = await connection.scalar(of)
    await patients.hold(connection, patient)
    await connection.execute(delete(ExamRow).where(ExamRow.id == exam_id, ~_PICTURED))
    await patients.release(connection, patient)


def read(connection: AsyncConnection, row: Row[Any]) -> Exam:
    """Return the exam in ``row``, of :data:`COLUMNS`. Raises ``UnreadableError``."""
    if row.facts is not None and not isinstance(row.facts, dict):
        return understood(connection, "exam", Exam, row.facts)
    found = dict(row.facts or {})
    if row.acquired_on is not None:
        found["acquired_on"] = row.acquired_on
    if row.device_vendor is not None:
        found["scanner"] = {"vendor": row.device_vendor, "serial": row.device_serial}
    found |= {
        "prediction_id": row.id,
        "patient_key": row.patient_key,
        "patient_reference": plain(row.identifier, row.identifier_sealed),
        "patient_issuer": row.issuer or None,
        "measured": list(_by_key(row.measured).values()),
        "from_scanner": _taken(row.measured),
        "modalities": {} if row.modalities is None else row.modalities,
    }
    return understood(connection, "exam", Exam, found)


async def _former(
    connection: AsyncConnection, prediction_id: UUID
) -> tuple[UUID, str, Row[Any] | None]:
    """Return the image of a prediction, its site, and the row of its exam where it has one."""
    statement = (
        select(
            ImageRow.id.label("image_id"),
            ImageRow.site,
            ExamRow.id,
            ExamRow.patient_key,
            ExamRow.study_instance_uid,
            ExamRow.facts,
            ExamRow.device_vendor,
            ExamRow.device_serial,
            ExamRow.measured,
            ExamRow.modalities,
        )
        .select_from(PredictionRow)
        .join(ImageRow, ImageRow.id == PredictionRow.image_id)
        .outerjoin(ExamRow, ExamRow.id == ImageRow.exam_id)
        .where(PredictionRow.id == prediction_id)
    )
    row = (await connection.execute(statement)).one()
    return row.image_id, row.site, row if row.id is not None else None


async def reports(connection: AsyncConnection, prediction_id: UUID) -> dict[str, Measured]:
    """Return what scanners have told of a prediction's exam, by the keys of what told it."""
    _, _, former = await _former(connection, prediction_id)
    return _reports(None if former is None else former.measured)


def _by_key(document: object) -> dict[str, Any]:
    found = document.get("by") if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def _reports(document: object) -> dict[str, Measured]:
    return {key: Measured.model_validate(one) for key, one in _by_key(document).items()}


def _taken(document: object) -> tuple[str, ...]:
    return tuple(document.get("taken", ())) if isinstance(document, dict) else ()


def _entries(facts: Mapping[str, Any]) -> tuple[Entry, ...]:
    return tuple(
        Entry.model_validate(one, extra="ignore") for one in facts.get(provenance.FIELD, ())
    )


def _entered(former: Row[Any] | None) -> Entered:
    if former is None or former.modalities is None:
        return NOTHING
    try:
        return Entered.model_validate(former.modalities, extra="ignore")
    except ValidationError:
        raise UnreadableError from None


def _same(former: Row[Any] | None, facts: ExamFacts, name: str) -> bool:
    """Whether ``facts`` say of ``name`` what was kept of it."""
    if former is None or not isinstance(former.facts, dict):
        return False
    now = facts.model_dump(mode="json", include={name})[name]
    if name == "scanner":
        before = {"vendor": former.device_vendor, "serial": former.device_serial}
        return bool(now == before)
    return bool(now == former.facts.get(name))


async def _unlink(connection: AsyncConnection, exam: Row[Any] | None) -> None:
    """Remove an exam of which nothing is known any more."""
    if exam is not None:
        await connection.execute(
            update(ImageRow).where(ImageRow.exam_id == exam.id).values(exam_id=None)
        )
        await connection.execute(delete(ExamRow).where(ExamRow.id == exam.id))
