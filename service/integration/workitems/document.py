"""Work items in DICOM JSON (PS3.18 annex F), read strictly: what is kept, pydicom can read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NoReturn

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.valuerep import validate_value

from service.integration.dicom import head
from service.integration.workitems.schemas import Item

MOST_BYTES: Final = 64 * 1024
"""Of a work item, its input's UIDs included."""
MOST_ELEMENTS: Final = 4_000
DEEPEST: Final = 8
"""Sequences within one another."""

_TAG: Final = re.compile(r"[0-9A-F]{8}")
_ONE: Final = frozenset({"LT", "ST", "UR", "UT"})
"""Value representations of one value."""
_TEXTS: Final = frozenset({"AE", "AS", "AT", "CS", "DA", "DT", "LO", "SH", "TM", "UC", "UI", *_ONE})
_NUMERALS: Final = frozenset({"DS", "IS", "SV", "UV"})
"""As numbers or, where those are not exact, as texts."""
_NUMBERS: Final = frozenset({"FD", "FL", "SL", "SS", "UL", "US"})
_GROUPS: Final = frozenset({"PN", "SQ"}) | _TEXTS | _NUMERALS | _NUMBERS
"""All that is taken: an item has no bulk data."""
_NAMES: Final = frozenset({"Alphabetic", "Ideographic", "Phonetic"})
_CONTROLS: Final = "\t\n\f\r"
"""The control characters that a text may have."""


class DocumentError(ValueError):
    """It is no data set in DICOM JSON; the message quotes nothing of it."""


def parse(body: bytes) -> Item:
    """Return the one data set in ``body``, alone or in a list. Raises :class:`DocumentError`."""
    try:
        found = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        raise DocumentError("The body is no JSON in UTF-8 whose names are all different.") from None
    if isinstance(found, list) and len(found) == 1:
        (found,) = found
    if not isinstance(found, dict):
        raise DocumentError("The body is not one data set in DICOM JSON.")
    _Reader().item(found, 0)
    head.hush()
    try:
        Dataset.from_json(found)
    except Exception:
        # Whatever pydicom raises of what we have taken for good.
        raise DocumentError("The body cannot be read as a data set.") from None
    return found


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("twice the same name")
    return found


def _no_number(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


class _Reader:
    """Looks at each element once, up to :data:`MOST_ELEMENTS`."""

    def __init__(self) -> None:
        self._seen = 0

    def item(self, found: Mapping[str, Any], depth: int) -> None:
        if depth > DEEPEST:
            raise DocumentError(f"Sequences are nested more than {DEEPEST} times.")
        for name, element in found.items():
            self._seen += 1
            if self._seen > MOST_ELEMENTS:
                raise DocumentError(f"It has more than {MOST_ELEMENTS} elements.")
            if _TAG.fullmatch(name) is None or name.startswith(("0000", "0002", "FFFE")):
                raise DocumentError("A name is no tag of a data set's element.")
            self._element(name, element, depth)

    def _element(self, name: str, element: Any, depth: int) -> None:
        if not isinstance(element, dict) or not element.keys() <= {"vr", "Value"}:
            raise DocumentError(f"{name} is no element with vr and Value alone.")
        vr, values = element.get("vr"), element.get("Value", [])
        if not isinstance(vr, str) or vr not in _known(name):
            raise DocumentError(f"{name} has not the value representation that it has.")
        if vr not in _GROUPS:
            raise DocumentError(f"{name} holds bulk data, which is not taken.")
        if not isinstance(values, list):
            raise DocumentError(f"{name} has no list of values.")
        if vr in _ONE and len(values) > 1:
            raise DocumentError(f"{name} has more than one value.")
        for value in values:
            if vr == "SQ":
                if not isinstance(value, dict):
                    raise DocumentError(f"{name} holds what is no data set.")
                self.item(value, depth + 1)
            elif value is not None and not _fits(vr, value):
                raise DocumentError(f"{name} has a value that it cannot have.")


def _known(name: str) -> frozenset[str]:
    """Return the value representations that an element may have; any of a private one."""
    try:
        return frozenset(dictionary_VR(int(name, 16)).split(" or "))
    except KeyError:
        return _GROUPS


def _fits(vr: str, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if vr == "PN":
        return _is_name(value)
    if vr in _NUMBERS or (vr in _NUMERALS and isinstance(value, int | float)):
        written = str(value) if vr in ("DS", "IS") else value
        return isinstance(value, int | float) and _is_valid(vr, written)
    return isinstance(value, str) and _is_text(value) and _is_written(vr, value)


def _is_written(vr: str, value: str) -> bool:
    """Whether a text is a value of ``vr``."""
    match vr:
        case "AT":
            return _TAG.fullmatch(value) is not None
        case "UI":
            return _is_uid(value)
        case "SV" | "UV":
            return re.fullmatch(r"-?[0-9]{1,20}", value) is not None and _is_valid(vr, int(value))
        case _:
            return ("\\" not in value or vr in _ONE) and _is_valid(vr, value)


def _is_name(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= _NAMES
        and all(isinstance(one, str) and _is_text(one) for one in value.values())
        and not any(letter in one for one in value.values() for letter in "=\\")
        and _is_valid("PN", "=".join(value.get(one, "") for one in sorted(_NAMES)))
    )


def _is_text(value: str) -> bool:
    if any(ord(one) < 0x20 and one not in _CONTROLS for one in value):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_uid(value: str) -> bool:
    try:
        return head.uid(value) == value
    except head.HeadError:
        return False


def _is_valid(vr: str, value: Any) -> bool:
    try:
        validate_value(vr, value, config.RAISE)
    except ValueError:
        return False
    return True


@cache
def tag(keyword: str) -> str:
    """Return the tag of ``keyword`` as DICOM JSON writes it."""
    found = tag_for_keyword(keyword)
    if found is None:
        raise KeyError(keyword)
    return f"{found:08X}"


def values(item: Item, keyword: str) -> list[Any]:
    """Return the values of an element that are not empty."""
    found = item.get(tag(keyword), {}).get("Value", [])
    return [one for one in found if one not in (None, "", {})]


def text(item: Item, keyword: str) -> str:
    """Return the first value of an element, without the blanks around it; empty: there is none."""
    found = values(item, keyword)
    return str(found[0]).strip(" ") if found else ""


def element(keyword: str, *found: Any) -> dict[str, dict[str, Any]]:
    """Return an element, to be put into an item."""
    vr = dictionary_VR(tag_for_keyword(keyword) or 0)
    return {tag(keyword): {"vr": vr, "Value": list(found)} if found else {"vr": vr}}


def code(value: str, scheme: str, meaning: str) -> Item:
    """Return a code (PS3.3 table 8.8-1)."""
    return {
        **element("CodeValue", value),
        **element("CodingSchemeDesignator", scheme),
        **element("CodeMeaning", meaning),
    }
