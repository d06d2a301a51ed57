"""Settings of DICOMweb."""

from __future__ import annotations

from pydantic import ByteSize, Field

from service.types import Seconds, SettingsGroup


class DicomWebSettings(SettingsGroup):
    """Whether the front speaks DICOMweb, and how much of it at a time."""

    dicomweb: bool = Field(
        False,
        description="Whether the front speaks DICOMweb under /dicom-web: STOW-RS in, QIDO-RS and "
        "WADO-RS on results. It needs a gateway on the same database, which judges and delivers.",
    )
    dicomweb_bytes: ByteSize = Field(
        ByteSize(96 * 2**20), ge=1024, description="Largest body of one STOW-RS request."
    )
    dicomweb_parts: int = Field(
        200, ge=1, le=10_000, description="Most objects of one STOW-RS request."
    )
    dicomweb_seconds: Seconds = Field(
        120.0, description="How long one STOW-RS request may take to be sent."
    )
