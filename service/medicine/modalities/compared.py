"""The voices of one exam and its image, side by side."""

from __future__ import annotations

from service.exams.schemas import Exam
from service.medicine.modalities import dxa
from service.medicine.modalities.ct import reading as ct
from service.medicine.modalities.fusion import Fusion, fuse
from service.medicine.modalities.settings import ModalitySettings
from service.medicine.modalities.ultrasound import reading as ultrasound
from service.types import Outcome


def compared(exam: Exam, outcome: Outcome | None, settings: ModalitySettings) -> Fusion:
    """Return what each modality says of ``exam``, and ``outcome`` what its image's models do.

    Without ``outcome`` the image has no voice: where treatment is considered it must not have one.
    """
    voices = [
        dxa.t_score(
            exam.t_score,
            sex=exam.sex,
            age=exam.age_years,
            vertebrae=None if exam.vertebrae is None else len(exam.vertebrae),
        ),
        *([] if outcome is None else [dxa.image(outcome)]),
        ct.voice(exam.modalities.ct, settings),
        ultrasound.voice(exam.modalities.ultrasound, settings),
    ]
    return fuse(voices)
