"""What a sender says that a file is, and whether its content is something else.

Content decides. A declared type is often a default of whatever sends, or a name that was never
registered: it refuses only where it names another kind of file than the content is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from models.image.scan import Format
from models.reading import SNIFFED, sniff
from service.errors import ServiceError

Kind = Format | Literal["zip"]

ACCEPTED: Final = (
    "image/png",
    "image/jpeg",
    "image/tiff",
    "application/dicom",
    "application/octet-stream",
)
"""Types that the documents name. Many more are taken: see :func:`declared`."""

ZIP: Final = "application/zip"

_WORDS: Final[Mapping[str, Kind]] = {
    "png": "png", "apng": "png",
    "jpeg": "jpeg", "jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "pjpeg": "jpeg",
    "tiff": "tiff", "tif": "tiff",
    "dicom": "dicom", "dcm": "dicom",
    "zip": "zip",
}  # fmt: skip
"""What a type's words say: ``image/x-png``, ``image/pjpeg`` and ``image/x-citrix-jpeg`` as well."""
_OTHERS: Final = frozenset({"text", "audio", "video", "font", "model", "message", "multipart"})
_OTHER_WORDS: Final = frozenset({"json", "xml", "html", "xhtml", "pdf", "javascript", "gzip"})
_ZIPS: Final = (b"PK\x03\x04", b"PK\x05\x06")


def essence(value: str) -> str:
    """Return a content type without its parameters, in lower case."""
    return value.partition(";")[0].strip().lower()


def declared(media_type: str) -> Kind | None:
    """Return what kind of file ``media_type``, an :func:`essence`, names; None: none in particular.

    That is so of no type, of wildcards, of what senders say of any file
    (``application/octet-stream``, curl's ``application/x-www-form-urlencoded``), and of types that
    nobody knows. Raises :class:`~service.errors.ServiceError` for one that names something else.
    """
    main, _, sub = media_type.partition("/")
    words = set(re.findall(r"[a-z0-9]+", sub or main))
    kind = next((kind for word, kind in _WORDS.items() if word in words), None)
    other = main in _OTHERS or (main == "image" and sub not in ("", "*"))
    if words & _OTHER_WORDS or (kind is None and other):
        # What came is not repeated: a type is free text.
        raise ServiceError(
            "unsupported_media_type",
            "The declared content type is not accepted; multipart/form-data and "
            + ", ".join(ACCEPTED)
            + " are.",
        )
    return kind


def sniffed(data: bytes) -> Kind | None:
    """Return what ``data`` begins as."""
    return sniff(data[:SNIFFED]) or ("zip" if data.startswith(_ZIPS) else None)


def check(data: bytes, content_type: str) -> bytes:
    """Return ``data`` unless it is plainly something else than it was sent as.

    Raises :class:`~service.errors.ServiceError`.
    """
    expected, found = declared(essence(content_type)), sniffed(data)
    if expected is not None and found is not None and expected != found:
        raise ServiceError(
            "content_type_mismatch",
            f"The file was sent as {expected.upper()}, but its content is {found.upper()}.",
        )
    return data
