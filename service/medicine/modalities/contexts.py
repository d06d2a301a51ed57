"""Pages of modalities."""

from __future__ import annotations

from dataclasses import dataclass

from service.medicine.modalities.ultrasound.form import UltrasoundForm
from service.web.page import Page


@dataclass(frozen=True, kw_only=True)
class UltrasoundPage(Page):
    templates = ("ultrasound.html",)
    section = "/history"

    form: UltrasoundForm
    trouble: str = ""
    """Why nothing could be kept, where the numbers are not to blame."""
