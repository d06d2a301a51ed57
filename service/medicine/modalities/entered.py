"""What is kept of an exam's other modalities, as one document."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from service.medicine.modalities.ct.schemas import Attenuation
from service.medicine.modalities.ultrasound.schemas import Ultrasound
from service.medicine.schemas import Part

Kept = Literal["ct", "ultrasound"]
"""The modalities of which a measurement is kept."""


class Entry(Part):
    """Who entered a measurement, and when."""

    by: str | None = Field(None, description="As they are called; null where nobody signs in.")
    at: datetime


class Entered(Part):
    """Each modality's own measurement; null where there is none.

    Its entry is null where it was kept before entries were.
    """

    ct: Attenuation | None = Field(None, description="Of L1, in a region that a reader placed.")
    ct_entry: Entry | None = Field(None, description="Who placed the region, and when.")
    ultrasound: Ultrasound | None = Field(None, description="Of a heel, as entered.")
    ultrasound_entry: Entry | None = Field(None, description="Who entered it, and when.")

    @property
    def empty(self) -> bool:
        return self.ct is None and self.ultrasound is None

    @property
    def version(self) -> str:
        """What tells these measurements from others, whoever entered them: part of a hash."""
        told = self.model_dump_json(include={"ct", "ultrasound"}, exclude_none=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


NOTHING: Final = Entered.model_validate({})
