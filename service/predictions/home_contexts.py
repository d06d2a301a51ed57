"""The page that scans are sent from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.errors import Fault
from service.exams.form import ExamForm
from service.exams.region_form import FIELDS
from service.http.settings import UploadLimits
from service.predictions.settings import KeepingSettings
from service.web.page import Page

ACCEPT: Final = ".png,.jpg,.jpeg,.tif,.tiff,.dcm,image/png,image/jpeg,image/tiff,application/dicom"

FIRST: Final = ("patient_reference", "acquired_on")
"""Fields of the exam that everybody sees; the others are a click away."""


@dataclass(frozen=True, kw_only=True)
class AnalysePage(Page):
    templates = ("analyse.html",)

    max_bytes: int
    max_size: str
    """The same for people."""
    exam: ExamForm
    further: bool
    """Whether the fields that are a click away are shown."""
    by_region: bool
    """Whether those of single regions are, too."""
    keeps_names: bool
    reads: str
    """What is taken of a DICOM file's own elements."""
    accept: str = ACCEPT
    first: tuple[str, ...] = FIRST

    @classmethod
    def of(
        cls,
        limits: UploadLimits,
        keeping: KeepingSettings,
        sent: Mapping[str, str] | None = None,
        faults: Sequence[Fault] = (),
    ) -> AnalysePage:
        """``sent`` and ``faults`` are of facts that could not be taken."""
        size = limits.max_upload_bytes
        return cls(
            max_bytes=int(size),
            max_size=size.human_readable(separator=" ").replace(".0 ", " "),
            exam=ExamForm.again(None, sent or {}, faults, ""),
            further=any(name not in FIRST for name in sent or ()),
            by_region=any(name in FIELDS for name in sent or ()),
            keeps_names=keeping.keep_file_names,
            reads=keeping.dicom_facts,
        )
