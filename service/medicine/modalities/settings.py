"""Settings of modalities: the limits that a site has found for its own devices."""

from __future__ import annotations

from pydantic import ByteSize, Field, ValidationInfo, field_validator

from service.types import Seconds, SettingsGroup


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
    ct_low_hu: float = Field(
        110.0,
        ge=0,
        le=400,
        description="Attenuation of L1 in HU up to which CT is read as low. The default is more "
        "than 90 % specific at one American centre (Pickhardt 2013): calibrate it to the site's "
        "scanners.",
    )
    ct_high_hu: float = Field(
        160.0,
        ge=0,
        le=400,
        description="Attenuation of L1 in HU above which CT is read as not low; in between it is "
        "left open. The default is 90 % sensitive there; a British centre found 104 and 169 "
        "(10.1186/s13244-023-01400-1).",
    )

    @field_validator("ct_high_hu")
    @classmethod
    def _above(cls, value: float, info: ValidationInfo) -> float:
        low = info.data.get("ct_low_hu")
        if low is not None and value < low:
            raise ValueError(f"less than OSTEOSERVE_CT_LOW_HU, {low:g}")
        return value

    ct_site_limits: bool = Field(
        False,
        description="Whether these limits were calibrated to this site's own scanners; otherwise "
        "every reading says that they are those of others.",
    )
    ct_slices: int = Field(300, ge=1, le=2000, description="Most files of one series of CT.")
    ct_bytes: ByteSize = Field(
        ByteSize(96 * 2**20),
        ge=1,
        description="Most bytes of one series of CT, unpacked ones as well. It is received under "
        "OSTEOSERVE_UNFINISHED_BYTES.",
    )
    ct_seconds: Seconds = Field(
        60.0, description="Longest time that reading all slices of a series may take."
    )
