"""What is said of every image, whatever it is judged for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from models.image.scan import Format


class Part(BaseModel):
    """A part of an answer: never changed, and nothing in it that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Quality(Part):
    accepted: bool
    reasons: tuple[str, ...] = Field(description="Codes of what speaks against judging the image.")
    findings: tuple[str, ...] = Field(
        default=(),
        description="Codes of what was noticed and does not keep the image from being judged. "
        "`scan_area` and `for_processing` question it: an outcome that would be normal is "
        "indeterminate then.",
    )


class Image(Part):
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the file as it was sent.")
    format: Format
    width: int
    height: int
    cropped: tuple[int, int, int, int] | None = Field(
        None,
        description="Left, top, width and height in pixels of what was judged, where a frame of "
        "one grey level around it was cut off; null where there was none.",
    )
