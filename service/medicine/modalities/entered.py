"""What is kept of an exam's other modalities, as one document."""

from __future__ import annotations

import hashlib
from typing import Final

from pydantic import Field

from service.medicine.modalities.ct.schemas import Attenuation
from service.medicine.modalities.ultrasound.schemas import Ultrasound
from service.medicine.schemas import Part


class Entered(Part):
    """Each modality's own measurement; null where there is none."""

    ct: Attenuation | None = Field(None, description="Of L1, in a region that a reader placed.")
    ultrasound: Ultrasound | None = Field(None, description="Of a heel, as entered.")

    @property
    def empty(self) -> bool:
        return self == NOTHING

    @property
    def version(self) -> str:
        """What tells these measurements from others: part of a hash over them."""
        return hashlib.sha256(self.model_dump_json(exclude_none=True).encode()).hexdigest()[:16]


NOTHING: Final = Entered.model_validate({})
