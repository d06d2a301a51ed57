"""What modalities say side by side, as JSON."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from service.exams.schemas import Exam
from service.medicine.modalities.ct.schemas import Attenuation
from service.medicine.modalities.entered import Entry
from service.medicine.modalities.fusion import Agreement, Fusion
from service.medicine.modalities.ultrasound.indices import Name, index
from service.medicine.modalities.ultrasound.schemas import Ultrasound
from service.medicine.modalities.voice import Code, Reading, Source
from service.medicine.schemas import Part

LABEL: Final = (
    "Research use only. Not a diagnosis: no class of the WHO's follows from ultrasound or CT, and "
    "nothing here is combined into a probability."
)
NO_WEIGHTS: Final = "no_labelled_data"


class VoiceAnswer(Part):
    """One source's word. `reading` is null where it has none that counts."""

    source: Source
    present: bool
    valid: bool
    reading: Reading | None = Field(description="By the source's own limits; not a class.")
    against: tuple[Code, ...] = Field(description="Why it is not valid.")
    notes: tuple[Code, ...] = Field(description="What is to be known beside it.")


class IndexAnswer(Part):
    """The index of the device that measured: by its maker's formula, and as it was shown."""

    name: Name
    computed: float | None
    shown: float | None
    differs: bool = Field(description="By more than 1.0.")


class UltrasoundAnswer(Part):
    measured: Ultrasound
    index: IndexAnswer | None = Field(description="null for a device whose formula is not known.")


class ModalitiesAnswer(Part):
    """What each modality says; null and `missing` are what nobody measured."""

    label: str
    ct: Attenuation | None
    ct_entry: Entry | None = Field(description="Who placed the region; null where nobody says.")
    ultrasound: UltrasoundAnswer | None
    ultrasound_entry: Entry | None = Field(description="Who entered it; null where nobody says.")
    voices: tuple[VoiceAnswer, ...]
    agreement: Agreement
    low: tuple[Source, ...]
    not_low: tuple[Source, ...]
    between: tuple[Source, ...]
    masked: tuple[Source, ...] = Field(description="Present, and not counted.")
    missing: tuple[Source, ...] = Field(description="Not measured; nothing stands in for them.")
    fused_probability: None = Field(
        None, description="Always null: there are no data from which weights could be learnt."
    )
    fused_reason: Literal["no_labelled_data"] = NO_WEIGHTS

    @classmethod
    def of(cls, exam: Exam, found: Fusion) -> ModalitiesAnswer:
        measured = exam.modalities.ultrasound
        return cls(
            label=LABEL,
            ct=exam.modalities.ct,
            ct_entry=exam.modalities.ct_entry,
            ultrasound=None if measured is None else _ultrasound(measured),
            ultrasound_entry=exam.modalities.ultrasound_entry,
            voices=tuple(
                VoiceAnswer(
                    source=one.source,
                    present=one.present,
                    valid=one.valid,
                    reading=one.reading,
                    against=one.against,
                    notes=one.notes,
                )
                for one in found.voices
            ),
            agreement=found.agreement,
            low=found.low,
            not_low=found.not_low,
            between=found.between,
            masked=found.masked,
            missing=found.missing,
            fused_probability=None,
        )


def _ultrasound(measured: Ultrasound) -> UltrasoundAnswer:
    found = index(measured)
    if found is None:
        return UltrasoundAnswer(measured=measured, index=None)
    return UltrasoundAnswer(
        measured=measured,
        index=IndexAnswer(
            name=found.name,
            computed=None if found.value is None else float(found.value),
            shown=None if found.shown is None else float(found.shown),
            differs=found.differs,
        ),
    )


ULTRASOUND_EXAMPLE: Final[dict[str, Any]] = {
    "device": "achilles",
    "model": "Achilles EXPII",
    "side": "left",
    "measured_on": "2025-11-03",
    "sos_m_s": 1531.2,
    "bua_db_mhz": 108.4,
    "stiffness_index": 81.4,
}
