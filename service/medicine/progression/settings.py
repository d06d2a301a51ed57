"""Settings of the facility's precision."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from service.medicine.progression.precision import Precision
from service.types import SettingsGroup


class PrecisionSettings(SettingsGroup):
    """The facility's own precision, and what the least significant change is multiplied by."""

    bmd_precision: Decimal = Field(
        Precision().spine_g_cm2,
        gt=0,
        le=Decimal("0.1"),
        description="The facility's own precision of spine BMD, L1–L4, as RMS standard deviation "
        "in g/cm²; the least significant change is 2.77 times this. The default is the upper end "
        "of what was observed (Nelson 2010, 10.1016/j.jocd.2009.10.001): replace it.",
    )
    lsc_factor_three: Decimal = Field(
        Precision().three,
        ge=1,
        le=5,
        description="Multiplies the least significant change when three vertebrae are left "
        "(Manitoba, 10.1016/j.jocd.2024.101483; 1.39 if the precision study was made on one day).",
    )
    lsc_factor_two: Decimal = Field(
        Precision().two,
        ge=1,
        le=5,
        description="Multiplies the least significant change when two vertebrae are left (1.60 if "
        "the precision study was made on one day).",
    )

    @property
    def precision(self) -> Precision:
        return Precision(
            spine_g_cm2=self.bmd_precision, three=self.lsc_factor_three, two=self.lsc_factor_two
        )
