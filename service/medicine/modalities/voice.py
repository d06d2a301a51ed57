"""One modality's word on bone: whether there is one, whether it counts, and what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Source = Literal["t_score", "image", "ct", "ultrasound"]
"""Whose word it is: a densitometer's T-score, the models' of its image, CT's or ultrasound's."""

SOURCES: Final[tuple[Source, ...]] = get_args(Source)

Reading = Literal["low", "between", "not_low"]
"""By the source's own limits; ``between`` where they leave it open. None of them is a class."""

Code = Literal[
    "single_vertebra", "t_score_does_not_apply", "t_score_may_not_apply",
    "image_refused",
    "contrast_given", "contrast_not_known", "voltage_differs", "voltage_not_known",
    "limits_of_others", "limits_of_site",
    "no_limit_for_device", "index_not_known", "cut_offs_of_others", "cut_off_of_site",
    "index_differs",
]  # fmt: skip
"""What stands against a word, or beside it."""


@dataclass(frozen=True, kw_only=True)
class Voice:
    """``against`` says why it is not valid; ``notes`` what is to be known beside it.

    ``reading`` is None where it is absent, not valid, or where no limit with a source would read
    it.
    """

    source: Source
    present: bool = False
    reading: Reading | None = None
    against: tuple[Code, ...] = ()
    notes: tuple[Code, ...] = ()

    @property
    def valid(self) -> bool:
        return self.present and not self.against

    @property
    def counts(self) -> bool:
        """Whether its mask in a fusion is set."""
        return self.valid and self.reading is not None
