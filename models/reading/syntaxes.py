"""Transfer syntaxes (PS3.5 annex A): how each is written, and which decoder reads it.

==================  =============================================================================
``native``          numpy
``rle``             Pillow's PackBits
``jpeg``            Pillow's libjpeg-turbo; 8 bits
``jpeg-lossless``   :mod:`models.reading.lossless`; 2 to 16 bits
``jpeg-ls``         pyjpegls (CharLS)
``jpeg-2000``       pylibjpeg-openjpeg, HTJ2K too
==================  =============================================================================

Decoders are chosen for what they do with damaged files. Fuzzed, GDCM crashes the process within a
hundred files and gives the rest back as if nothing had happened; pylibjpeg-rle panics; pydicom's
own RLE decoder unfolds a segment as far as it goes before it looks at its length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Codec = Literal["native", "rle", "jpeg", "jpeg-lossless", "jpeg-ls", "jpeg-2000"]


@dataclass(frozen=True)
class Syntax:
    uid: str
    codec: Codec
    lossy: bool = False
    explicit: bool = True
    little: bool = True
    deflated: bool = False


_DICOM: Final = "1.2.840.10008.1.2"
IMPLICIT_LITTLE: Final = _DICOM
EXPLICIT_LITTLE: Final = f"{_DICOM}.1"
EXPLICIT_BIG: Final = f"{_DICOM}.2"

SYNTAXES: Final[Mapping[str, Syntax]] = {
    syntax.uid: syntax
    for syntax in (
        Syntax(IMPLICIT_LITTLE, "native", explicit=False),
        Syntax(EXPLICIT_LITTLE, "native"),
        Syntax(f"{_DICOM}.1.99", "native", deflated=True),
        Syntax(EXPLICIT_BIG, "native", little=False),
        Syntax(f"{_DICOM}.5", "rle"),
        Syntax(f"{_DICOM}.4.50", "jpeg", lossy=True),
        Syntax(f"{_DICOM}.4.51", "jpeg", lossy=True),
        Syntax(f"{_DICOM}.4.57", "jpeg-lossless"),
        Syntax(f"{_DICOM}.4.70", "jpeg-lossless"),
        Syntax(f"{_DICOM}.4.80", "jpeg-ls"),
        Syntax(f"{_DICOM}.4.81", "jpeg-ls", lossy=True),
        Syntax(f"{_DICOM}.4.90", "jpeg-2000"),
        Syntax(f"{_DICOM}.4.91", "jpeg-2000", lossy=True),
        Syntax(f"{_DICOM}.4.201", "jpeg-2000"),
        Syntax(f"{_DICOM}.4.202", "jpeg-2000"),
        Syntax(f"{_DICOM}.4.203", "jpeg-2000", lossy=True),
    )
}

_VIDEO: Final = {100: "MPEG-2", 101: "MPEG-2"} | dict.fromkeys(range(102, 107), "H.264")
# A message may name these; any other identifier could be the sender's own.
UNSUPPORTED_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (f"{_DICOM}.4.{number}" for number in (*range(52, 57), *range(58, 67))),
        "JPEG of a retired process",
    ),
    "1.2.840.113619.5.2": "GE's own, with pixels in another byte order",
    **dict.fromkeys((f"{_DICOM}.4.92", f"{_DICOM}.4.93"), "JPEG 2000 Part 2"),
    **dict.fromkeys((f"{_DICOM}.4.94", f"{_DICOM}.4.95"), "JPIP, a link to pixels elsewhere"),
    **dict.fromkeys((f"{_DICOM}.4.204", f"{_DICOM}.4.205"), "JPIP, a link to pixels elsewhere"),
    **dict.fromkeys((f"{_DICOM}.4.{number}" for number in (110, 111, 112)), "JPEG XL"),
    **{
        f"{_DICOM}.4.{number}{fragmentable}": f"{name} video"
        for number, name in (_VIDEO | dict.fromkeys((107, 108), "HEVC")).items()
        for fragmentable in ("", ".1")
    },
}
