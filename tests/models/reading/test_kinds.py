"""What is not read is told by its name, whatever it is called."""

from __future__ import annotations

import struct
import time

import pytest

from models.image.errors import UnsupportedFormatError
from models.reading import kinds, read, sniff
from tests.models.reading import files
from tests.models.reading.encodings import ENCODINGS, pattern
from tests.models.reading.refusals import refused


def media(*brands: bytes) -> bytes:
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return struct.pack(">I", len(body) + 4) + body + bytes(200)


NAMED = {
    "heic": (media(b"heic", b"mif1", b"heic"), "a HEIC image"),
    "heic of several": (media(b"mif1", b"heic"), "a HEIC image"),
    "heic sequence": (media(b"msf1", b"hevc"), "a HEIC image"),
    "heif": (media(b"mif1"), "a HEIC image"),
    "avif": (files.pillow(pattern(), "AVIF"), "an AVIF image"),
    "avif by its other brands": (media(b"mif1", b"avif"), "an AVIF image"),
    "canon raw": (media(b"crx ", b"crx "), "a raw photograph"),
    "mp4": (media(b"isom", b"mp41"), "a video"),
    "jpeg xl": (b"\xff\x0a" + bytes(100), "a JPEG XL image"),
    "jpeg xl in its box": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100), "a JPEG XL image"),
    "jpeg 2000": (files.pillow(pattern(), "JPEG2000", no_jp2=True), "a JPEG 2000 image"),
    "jp2": (files.pillow(pattern(), "JPEG2000"), "a JPEG 2000 image outside DICOM"),
    "webp": (files.pillow(pattern(), "WEBP"), "a WebP image"),
    "wav": (b"RIFF\0\1\0\0WAVEfmt ", "a recording"),
    "gif": (files.pillow(pattern(), "GIF"), "a GIF image"),
    "bmp": (files.pillow(pattern(), "BMP"), "a BMP image"),
    "icon": (files.pillow(pattern(), "ICO"), "an icon"),
    "pnm": (files.pillow(pattern(), "PPM"), "a PNM image"),
    "photoshop": (b"8BPS\0\1" + bytes(100), "a Photoshop document"),
    "png sent as text": (b"\x89PNG\n\x1a\n" + bytes(100), "a PNG image that was altered"),
    "pdf": (b"%PDF-1.7\n" + bytes(100), "a PDF document"),
    "pdf behind something": (b"\r\nnot yet\n%PDF-1.7\n" + bytes(100), "a PDF document"),
    "postscript": (b"%!PS-Adobe-3.0", "a PostScript document"),
    "an empty zip": (b"PK\x05\x06" + bytes(18), "a ZIP archive"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(99), "a 7-Zip archive"),
    "tar": (b"scan.png".ljust(257, b"\0") + b"ustar\0", "a tar archive"),
    "nifti": (bytes(344) + b"n+1\0", "a NIfTI volume"),
    "hl7": (b"MSH|^~\\&|", "an HL7 message"),
    "html": (b"\n <!DOCTYPE html><html><svg/></html>", "a web page"),
    "svg": (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="x"/>', "an SVG drawing"),
    "xml": (b'\xef\xbb\xbf<?xml version="1.0"?><report/>', "an XML document"),
    "json": (b' {"error": 1}', "JSON text"),
}


@pytest.mark.parametrize(("data", "said"), NAMED.values(), ids=NAMED)
def test_what_came_and_what_is_read(data: bytes, said: str) -> None:
    assert sniff(data) is None
    with refused(UnsupportedFormatError, match=f"The file is {said}.*; PNG, JPEG, TIFF and DICOM"):
        read(data)


def test_what_is_read_is_never_asked() -> None:
    for name, encode in ENCODINGS.items():
        assert sniff(encode(pattern())), name


@pytest.mark.parametrize(
    "piece", [b"<", b"<!--", b"<!-->", b" ", b"%PD", b"<svg ", b"RIFF", b"{", b"\xef\xbb\xbf"]
)
def test_is_told_at_once(piece: bytes) -> None:
    started = time.process_time()
    kinds.name(piece * 1_000_000)
    assert time.process_time() - started < 0.5
