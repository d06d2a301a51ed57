"""Settings of decoders."""

from __future__ import annotations

from pydantic import ByteSize, Field

from models.reading.limits import PILLOW_MAX_PIXELS, Limits
from service.types import Seconds, SettingsGroup


class DecoderLimits(SettingsGroup):
    """Bounds of decoders, and of an image before it is decoded."""

    max_samples: int = Field(
        Limits().max_samples,
        ge=1,
        le=PILLOW_MAX_PIXELS,
        description="Most samples an image may have, width × height × channels, checked before "
        "decoding.",
    )
    decoders: int = Field(
        2,
        ge=1,
        le=64,
        description="Files decoded at the same time, each in a process of its own with half a "
        "second of a processor and 96 MiB, or a quarter of OSTEOSERVE_DECODER_BYTES where that is "
        "less; beside them one that needs more.",
    )
    decoder_seconds: Seconds = Field(
        4.0,
        description="Most time of a processor that decoding one file may take; then 422 "
        "too_expensive.",
    )
    decoder_bytes: ByteSize = Field(
        ByteSize(384 * 2**20),
        ge=96 * 2**20,
        description="Most memory that decoding one file may take; then 422 too_expensive. "
        "OSTEOSERVE_MAX_SAMPLES of them fit in it, 15 bytes each and the file besides.",
    )
