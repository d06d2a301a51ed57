"""The page that scans are sent from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from service.web.page import Page

ACCEPT: Final = ".png,.jpg,.jpeg,.tif,.tiff,.dcm,image/png,image/jpeg,image/tiff,application/dicom"


@dataclass(frozen=True, kw_only=True)
class AnalysePage(Page):
    templates = ("analyse.html",)

    max_bytes: int
    max_size: str
    """The same for people."""
    accept: str = ACCEPT
