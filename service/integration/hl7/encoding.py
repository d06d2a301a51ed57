"""HL7 2.5.1 in ER7: fields, segments, and the bytes of a message in a character set.

Written here and by no library: the one that is kept for it, hl7apy, parses what is assigned to a
field, so that a name with ``&`` in it has to be escaped before all the same. Tests hold what is
written against its tables of 2.5.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from service.integration.destinations import Charset

DELIMITERS: Final = "^~\\&"
"""MSH-2: component, repetition, escape, subcomponent. MSH-1 is ``|``."""
ENCODINGS: Final[Mapping[Charset, str]] = {
    "ASCII": "ascii",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/5": "iso8859-5",
    "8859/15": "iso8859-15",
    "UNICODE UTF-8": "utf-8",
}
_ESCAPED: Final = {"\\": "E", "|": "F", "^": "S", "&": "T", "~": "R"}


def escape(text: str) -> str:
    """Return ``text`` with all that means something in ER7, and control characters, escaped
    (HL7 2.5.1 section 2.7)."""
    return "".join(map(_escaped, text))


def _escaped(letter: str) -> str:
    if letter in _ESCAPED:
        return f"\\{_ESCAPED[letter]}\\"
    control = ord(letter) < 32 or ord(letter) == 127
    return f"\\X{ord(letter):02X}\\" if control else letter


def composite(*components: str) -> str:
    """Return a field of ``components``, escaped; those at the end that are empty are left out."""
    return DELIMITERS[0].join(map(escape, components)).rstrip(DELIMITERS[0])


def segment(name: str, fields: Mapping[int, str]) -> str:
    """Return a segment; ``fields`` are encoded, by their numbers in the standard."""
    last = max((number for number, value in fields.items() if value), default=0)
    # MSH-1 is the separator itself.
    first = 2 if name == "MSH" else 1
    return "|".join([name, *(fields.get(number, "") for number in range(first, last + 1))])


def message(head: Mapping[int, str], segments: Iterable[str], charset: Charset) -> bytes:
    """Return the message with MSH of ``head``, in ``charset``, or Unicode's where that lacks a
    letter; MSH-18 says which."""
    rest = list(segments)
    for one in (charset, "UNICODE UTF-8"):
        whole = [segment("MSH", {2: DELIMITERS, **head, 18: one}), *rest]
        try:
            return ("\r".join(whole) + "\r").encode(ENCODINGS[one])
        except UnicodeEncodeError:
            continue
    raise ValueError("a lone surrogate is no text")


def moment(when: datetime) -> str:
    """Return a time with its zone (TS)."""
    return when.strftime("%Y%m%d%H%M%S%z")
