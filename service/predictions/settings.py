"""Settings of predictions: drift, what is kept beside an image, and what is shown for research."""

from __future__ import annotations

from pydantic import Field

from service.exams.dicom import Scope
from service.types import SettingsGroup


class KeepingSettings(SettingsGroup):
    """What is kept of a file beside its result."""

    keep_file_names: bool = Field(
        True,
        description="Whether the name that a file was sent under is kept with its result, where "
        "nobody but its sender sees it.",
    )
    dicom_facts: Scope = Field(
        "exam",
        description="What a DICOM file's own elements fill in where nobody has entered it: exam: "
        "date, scanner, sex, age and what the scanner measured; patient: Patient ID and its "
        "issuer as well, as the patient's reference; none.",
    )


class DriftSettings(SettingsGroup):
    """How many images are compared with the reference."""

    drift_images: int = Field(
        500,
        ge=20,
        le=100_000,
        description="Images, the last ones of a front, that are compared with the models' "
        "reference.",
    )
    drift_enough: int = Field(
        200,
        ge=20,
        le=100_000,
        description="With fewer images the comparison is not told: at 200 and without any change, "
        "about one in a thousand exceeds the alert's 0.25.",
    )


class HeatMapSettings(SettingsGroup):
    """Which heat maps pages offer."""

    research_maps: bool = Field(
        False,
        description="Offer on pages, for research, heat maps that failed their check: where the "
        "spine is known they, or one of their colours, lay in it no more than by chance. Never in "
        "the PDF.",
    )
