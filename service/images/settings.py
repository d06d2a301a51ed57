"""Settings of what is kept of images."""

from __future__ import annotations

from pydantic import ByteSize, Field

from service.medicine.sent import Extent
from service.types import SettingsGroup


class ImageSettings(SettingsGroup):
    """What is kept of an image beside the 224×224 that models saw of it."""

    keep_images: Extent = Field(
        "as_sent",
        description="What is kept of an image for whoever reads it, as 8-bit pixels without any "
        "header, gone with its last result: as_sent, all of it, but for sheets and photographs "
        "that are refused; spine, L1–L4 with what is beside them and nothing drawn upon it; none.",
    )
    keep_image_bytes: ByteSize = Field(
        ByteSize(2 * 2**20),
        ge=2**16,
        le=16 * 2**20,
        description="Most bytes that one such image may take; larger ones are kept with fewer "
        "pixels.",
    )
