"""What a PACS answers by DICOMweb, as DICOM JSON (PS3.18 annex F): to a store, and to a search."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from service.integration.statuses import ACCEPTED, PROCESSING_FAILURE, WARNINGS

FAILED: Final = "00081198"
OTHERS: Final = "0008119A"
REFERENCED: Final = "00081199"
_FAILURE, _WARNING = "00081197", "00081196"
_OBJECT, _FOUND = "00081155", "00080018"


def status(body: bytes, sop_uid: str) -> str | None:
    """Return what the response to a store of ``sop_uid`` alone says of it, as it is kept.

    None: nothing, or what cannot be understood. What is named as failed is not stored, also where
    it is named as stored besides.
    """
    failed: str | None = None
    stored: str | None = None
    for found in _objects(body):
        for item in _items(found, FAILED):
            if _text(item, _OBJECT) == sop_uid:
                failed = failed or _failure(item)
        for item in _items(found, OTHERS):
            # Of what could not be read so far as to name it: there was nothing else.
            failed = failed or _failure(item)
        for item in _items(found, REFERENCED):
            if _text(item, _OBJECT) == sop_uid:
                code = _number(item, _WARNING)
                stored = f"{code:04X}" if code in WARNINGS else ACCEPTED
    return failed or stored


def names(body: bytes, sop_uid: str) -> bool:
    """Whether the answer to a search has the object ``sop_uid``."""
    return any(_text(one, _FOUND) == sop_uid for one in _objects(body))


def is_json(body: bytes) -> bool:
    """Whether ``body`` is nothing, or an object or a list in JSON."""
    if not body.strip():
        return True
    try:
        return isinstance(json.loads(body), (dict, list))
    except (ValueError, RecursionError):
        return False


def _failure(item: Mapping[str, Any]) -> str:
    code = _number(item, _FAILURE)
    # No reason, or one that is none: by itself it says that it was not stored.
    known = code is not None and 0 < code <= 0xFFFF and code not in WARNINGS
    return f"{code if known else PROCESSING_FAILURE:04X}"


def _objects(body: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict):
            yield one


def _items(found: Mapping[str, Any], tag: str) -> Iterator[Mapping[str, Any]]:
    for one in _values(found, tag):
        if isinstance(one, dict):
            yield one


def _text(found: Mapping[str, Any], tag: str) -> str:
    return next((one for one in _values(found, tag) if isinstance(one, str)), "").strip(" \0")


def _number(found: Mapping[str, Any], tag: str) -> int | None:
    for one in _values(found, tag):
        # Some write numbers as texts.
        if isinstance(one, int) or (isinstance(one, str) and one.isdecimal() and len(one) < 6):
            return int(one)
    return None


def _values(found: Mapping[str, Any], tag: str) -> list[Any]:
    element = found.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return values if isinstance(values, list) else []
