"""Settings of modalities: the limits that a site has found for its own devices."""

from __future__ import annotations

from pydantic import Field

from service.types import SettingsGroup


class ModalitySettings(SettingsGroup):
    """Limits by which ultrasound and CT are read at this site."""

    ultrasound_low_si: float | None = Field(
        None,
        gt=0,
        le=200,
        description="Stiffness index of this site's Achilles below which ultrasound is read as "
        "low; left out, it is shown and not read, since no cut-off holds for all sites.",
    )
    ultrasound_low_qui: float | None = Field(
        None,
        gt=0,
        le=200,
        description="QUI of this site's Sahara below which ultrasound is read as low; left out, "
        "SOS and BUA are read by the cut-offs of the JPOS study (PubMed 12200654).",
    )
