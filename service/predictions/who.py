"""Whom an image shows and whose it is: the head of a result's page and of its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from service.exams.form import readable
from service.exams.schemas import Exam
from service.identity.actor import Actor
from service.language.formats import moment
from service.language.locale import _
from service.patients.service import shown
from service.predictions.repository import Sent
from service.predictions.service import Predictions


@dataclass(frozen=True, kw_only=True)
class SentBefore:
    """That the same person sent the same image before."""

    when: str
    when_iso: str
    address: str
    """Of what came of it then."""

    @classmethod
    def of(cls, sent: Sent) -> SentBefore:
        return cls(
            when=moment(sent.at),
            when_iso=sent.at.isoformat(),
            address=f"/results/{sent.prediction_id}",
        )


@dataclass(frozen=True, kw_only=True)
class Who:
    """Patient, exam and file of a result; empty where nobody has said."""

    patient: str
    """The reference, with its issuer where it has one."""
    patient_address: str | None
    acquired: str
    acquired_iso: str
    told: tuple[str, ...]
    """Device, sex, age and measurements, each as a few words."""
    file_name: str | None
    """As whoever looks has called it; None where it was another who sent it."""
    before: SentBefore | None

    @classmethod
    def of(cls, exam: Exam | None, file_name: str | None = None, before: Sent | None = None) -> Who:
        given = {} if exam is None else readable(exam)
        reference = exam.patient_reference if exam else None
        acquired = exam.acquired_on if exam else None
        return cls(
            patient=shown(reference, exam.patient_issuer) if exam and reference else "",
            patient_address=f"/patients/{exam.patient_key}" if exam and exam.patient_key else None,
            acquired=given.get("acquired_on", ""),
            acquired_iso=acquired.isoformat() if acquired else "",
            told=tuple(_told(given)),
            file_name=file_name,
            before=None if before is None else SentBefore.of(before),
        )


async def whom(
    predictions: Predictions, actor: Actor, prediction_id: UUID, exam: Exam | None
) -> Who:
    """Return what ``actor`` is shown of whose scan a result is of."""
    return Who.of(
        exam,
        await predictions.file_name(actor, prediction_id),
        await predictions.sent_before(actor, prediction_id),
    )


def _told(given: dict[str, str]) -> list[str]:
    device = " ".join(given[name] for name in _DEVICE if name in given)
    said = [device] if device else []
    if "sex" in given:
        said.append(given["sex"])
    if "age_years" in given:
        said.append(_("%(years)s years", years=given["age_years"]))
    if "bmd_g_cm2" in given:
        said.append(_("BMD %(value)s g/cm²", value=given["bmd_g_cm2"]))
    if "t_score" in given:
        said.append(_("T-score %(value)s", value=given["t_score"]))
    if "vertebrae" in given:
        said.append(given["vertebrae"])
    return said


_DEVICE: Final = ("scanner_vendor", "scanner_serial")
