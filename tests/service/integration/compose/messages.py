"""Messages as they are composed, and what stands in their segments."""

from __future__ import annotations

from typing import Any

from service.integration.compose import oru
from service.integration.compose.source import Made
from service.integration.destinations import Hl7Destination
from tests.service.integration.compose.kit import made


def destination(**changes: Any) -> Hl7Destination:
    values = {"name": "engine", "kind": "hl7", "host": "127.0.0.1", "port": 2575}
    return Hl7Destination(**{**values, **changes})


def message(study: Made | None = None, **changes: Any) -> bytes:
    """Return the message on ``study``, one image by itself, to a destination with ``changes``."""
    return oru.compose(destination(**changes), made() if study is None else study)


def segments(data: bytes, name: str) -> list[list[str]]:
    """Return the fields of each segment of a name."""
    lines = [line.split("|") for line in data.decode().split("\r")]
    return [one for one in lines if one[0] == name]


def rows(data: bytes) -> list[list[str]]:
    """Return the fields of each OBX."""
    return [one + [""] * (19 - len(one)) for one in segments(data, "OBX")]


def values(data: bytes, code: str) -> list[str]:
    """Return OBX-5 of each OBX with a code."""
    return [one[5] for one in rows(data) if one[3].startswith(f"{code}^")]


def under(data: bytes, sub_id: str) -> list[tuple[str, str, str, str]]:
    """Return type, code, value and unit of each OBX with a sub-ID."""
    return [
        (one[2], one[3].split("^")[0], one[5], one[6]) for one in rows(data) if one[4] == sub_id
    ]
