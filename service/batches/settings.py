"""Settings of batches."""

from __future__ import annotations

from pydantic import ByteSize, Field

from service.types import Seconds, SettingsGroup


class BatchLimits(SettingsGroup):
    """Bounds of batches."""

    bulk_items: int = Field(500, ge=1, le=10_000, description="Most images in one batch.")
    bulk_bytes: ByteSize = Field(
        ByteSize(512 * 2**20), ge=1, description="Most bytes of one batch, unpacked ones as well."
    )
    bulk_ratio: int = Field(
        200, ge=1, le=2000, description="Most times its size that a file in a zip may unpack to."
    )
    bulk_upload_seconds: Seconds = Field(
        600.0, description="Longest time the upload of one batch may take."
    )
    bulk_batches: int = Field(
        4,
        ge=1,
        le=100,
        description="Batches that one front works on at a time; four times as many may be on their "
        "way in.",
    )
    bulk_concurrency: int = Field(
        16,
        ge=1,
        le=64,
        description="Images of batches in hand at the same time, all batches taken together. "
        "Single requests go before them at every step.",
    )
