"""What a file is that is not read, so that its sender can be told."""

from __future__ import annotations

import re
from typing import Final

AVIF: Final = frozenset((b"avif", b"avis"))
HEIC: Final = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
)
"""Brands of ISO/IEC 23008-12; the last two say that there is an image, and not how it is coded."""

PATTERNS: Final = tuple(
    (re.compile(pattern, re.DOTALL), name)
    for pattern, name in (
        (rb"\0\0\0\x0cJXL \r\n\x87\n|\xff\x0a", "a JPEG XL image"),
        (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 image outside DICOM"),
        (rb"II\xbc\x01", "a JPEG XR image"),
        (rb"RIFF....WEBP", "a WebP image"),
        (rb"RIFF", "a recording"),
        (rb"GIF8", "a GIF image"),
        (rb"BM(....\0\0\0\0|.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0)", "a BMP image"),
        (rb"\x89PNG", "a PNG image that was altered on its way, as text is"),
        (rb"[\x8a\x8b][MJ]NG", "a MNG or JNG image"),
        (rb"8BPS", "a Photoshop document"),
        (rb"\0\0[\1\2]\0[^\0]\0", "an icon"),
        (rb"P[1-6]\s", "a PNM image"),
        (rb"\x76\x2f\x31\x01", "an OpenEXR image"),
        (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript document"),
        (rb".{0,1019}%PDF-", "a PDF document"),
        (rb"PK(\x03\x04|\x05\x06|\x07\x08)", "a ZIP archive or an Office document"),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
        (rb"\x1f\x8b", "a gzip archive"),
        (rb"BZh[1-9]", "a bzip2 archive"),
        (rb"\xfd7zXZ\0", "an xz archive"),
        (rb"\x28\xb5\x2f\xfd", "a Zstandard archive"),
        (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (rb"Rar!\x1a\x07", "a RAR archive"),
        (rb".{257}ustar", "a tar archive"),
        (rb".{344}n[i+]1\0", "a NIfTI volume"),
        (rb"NRRD000", "an NRRD volume"),
        (rb"\x93NUMPY", "a NumPy array"),
        (rb"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (rb"MSH\|", "an HL7 message"),
        (rb"\{\\rtf", "a text document"),
    )
)


def name(data: bytes) -> str | None:
    """Return what ``data`` begin as, None where that is unknown."""
    head = data[:4096]
    if head[4:8] == b"ftyp":
        return _of_media(head)
    found = next((name for pattern, name in PATTERNS if pattern.match(head)), None)
    return found or _of_text(head.removeprefix(b"\xef\xbb\xbf").lstrip().lower())


def _of_text(head: bytes) -> str | None:
    if head.startswith(b"{"):
        return "JSON text"
    if not head.startswith(b"<"):
        return None
    if b"<html" in head or b"<!doctype html" in head:
        return "a web page"
    if b"<svg" in head:
        return "an SVG drawing"
    return "an XML document" if head.startswith(b"<?xml") else "a web page"


def _of_media(head: bytes) -> str:
    """Return what an ISO base media file (ISO/IEC 14496-12) is, by its brands."""
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))]
    if not AVIF.isdisjoint(brands):
        return "an AVIF image"
    if not HEIC.isdisjoint(brands):
        return "a HEIC image"
    return "a raw photograph" if brands[0] == b"crx " else "a video"
