"""The acknowledgement of a message: AA, AE, AR, or CA, CE, CR where MSH-15 asks for a commit."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal
from uuid import uuid4

from service.integration.hl7.encoding import DELIMITERS, escape, moment, segment
from service.integration.hl7.message import Head

Code = Literal["A", "E", "R"]
"""Accepted; an error, for which it may be sent again; refused for good."""

_APPLICATION: Final = "OSTEOSERVE"
_NOT_PLAIN: Final = re.compile(r"[^\x20-\x7e]")


def answered(head: Head | None, code: Code, at: datetime, error: str = "", said: str = "") -> bytes:
    """Return what answers a message with ``head``; None: not even that could be read."""
    enhanced = head is not None and head.accept not in ("", "NE")
    trigger = _plain(head.trigger) if head is not None else ""
    rows = [
        segment(
            "MSH",
            {
                2: DELIMITERS,
                3: _APPLICATION,
                5: _raw(head.sender[0]) if head is not None else "",
                6: _raw(head.sender[1]) if head is not None else "",
                7: moment(at),
                9: f"ACK^{trigger}^ACK" if trigger else "ACK",
                10: uuid4().hex[:20],
                11: head.processing if head is not None and head.processing in "PTD" else "P",
                12: "2.5.1",
            },
        ),
        segment(
            "MSA",
            {1: ("C" if enhanced else "A") + code, 2: _raw(head.control_id) if head else ""},
        ),
    ]
    if code != "A":
        rows.append(segment("ERR", {3: f"{error}^^HL70357", 4: "E", 8: escape(said)}))
    return ("\r".join(rows) + "\r").encode("ascii")


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)


def _raw(text: str) -> str:
    """Return a field as it came, as far as that is plain text."""
    return _NOT_PLAIN.sub("?", text).replace("|", "")
