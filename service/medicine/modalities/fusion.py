"""Late fusion of voices by their masks: which of them count, whether they agree, what is missing.

Every voice stays what it is. What is absent or not valid is masked and said, never imputed. Their
combination is a comparison and no probability: weights would have to be learnt, and there are no
data with all modalities and an outcome (docs/multimodal.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from service.medicine.modalities.voice import Source, Voice

Agreement = Literal["none", "alone", "agree", "open", "conflict"]
"""``none``: no voice counts; ``alone``: one does; ``open``: some leave it open and none
contradicts another; ``conflict``: one reads low and another does not."""


@dataclass(frozen=True, kw_only=True)
class Fusion:
    """``missing`` are absent, ``masked`` present without being counted."""

    voices: tuple[Voice, ...]
    agreement: Agreement
    low: tuple[Source, ...]
    not_low: tuple[Source, ...]
    between: tuple[Source, ...]
    masked: tuple[Source, ...]
    missing: tuple[Source, ...]


def fuse(voices: Iterable[Voice]) -> Fusion:
    """Return ``voices`` side by side with what they have in common."""
    told = tuple(voices)
    low, not_low, between = (
        tuple(one.source for one in told if one.counts and one.reading == reading)
        for reading in ("low", "not_low", "between")
    )
    return Fusion(
        voices=told,
        agreement=_agreement(len(low), len(not_low), len(between)),
        low=low,
        not_low=not_low,
        between=between,
        masked=tuple(one.source for one in told if one.present and not one.counts),
        missing=tuple(one.source for one in told if not one.present),
    )


def _agreement(low: int, not_low: int, between: int) -> Agreement:
    counted = low + not_low + between
    if counted < 2:
        return "alone" if counted else "none"
    if low and not_low:
        return "conflict"
    return "open" if between else "agree"
