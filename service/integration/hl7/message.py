"""HL7 2 as it is received: segments, fields and components of a message, unescaped.

Refused, by the codes of HL7 table 0357::

    100  segment sequence      101  required field missing   102  data type
    200  unsupported message   202  unsupported processing   203  unsupported version
    204  unknown identifier    207  application error
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.integration.hl7.encoding import ENCODINGS

MOST_SEGMENTS: Final = 2000
_CHARSETS: Final[Mapping[str, str]] = {
    **{str(name): encoding for name, encoding in ENCODINGS.items()},
    "": "ascii",
    "UNICODE": "utf-8",
}
_ESCAPES: Final = re.compile(r"\\([EFSTR]|X(?:[0-9A-Fa-f]{2})+|\.br)\\")


class MessageError(Exception):
    """It cannot be taken: ``code`` of table 0357, and words that quote nothing of it."""

    def __init__(self, code: str, said: str, head: Head | None = None) -> None:
        super().__init__(said)
        self.code = code
        self.head = head


@dataclass(frozen=True, kw_only=True)
class Head:
    """MSH: who sends what; texts as they came, for the answer."""

    sender: tuple[str, str]
    receiver: tuple[str, str]
    kind: str
    trigger: str
    control_id: str
    processing: str
    version: str
    accept: str
    """MSH-15: whether a commit is asked for."""
    charset: str

    @property
    def name(self) -> str:
        return f"{self.kind}^{self.trigger}"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """``fields`` are raw; the first is the segment's name."""

    fields: tuple[str, ...]
    delimiters: str

    def repetitions(self, number: int) -> tuple[tuple[str, ...], ...]:
        """Return the repetitions of a field, each with its components, unescaped."""
        raw = self.fields[number] if number < len(self.fields) else ""
        component, repetition = self.delimiters[0], self.delimiters[1]
        return tuple(
            tuple(self._unescaped(part) for part in one.split(component))
            for one in raw.split(repetition)
            if one
        )

    def text(self, number: int, component: int = 1) -> str:
        """Return a component of a field's first repetition; empty where it is not there."""
        found = self.repetitions(number)
        parts = found[0] if found else ()
        return parts[component - 1].strip() if component <= len(parts) else ""

    def _unescaped(self, text: str) -> str:
        component, repetition, escape, sub = tuple(self.delimiters[:4])
        if escape not in text:
            return text
        plain = text if escape == "\\" else text.replace(escape, "\\")
        letters = {"E": escape, "S": component, "T": sub, "R": repetition, "F": "|"}

        def one(found: re.Match[str]) -> str:
            code = found[1]
            if code.startswith("X"):
                return bytes.fromhex(code[1:]).decode("latin-1")
            return letters.get(code, " ")

        return _ESCAPES.sub(one, plain)


@dataclass(frozen=True, kw_only=True)
class Message:
    head: Head
    segments: tuple[Segment, ...]

    def all(self, name: str) -> tuple[Segment, ...]:
        return tuple(one for one in self.segments if one.fields[0] == name)

    def first(self, name: str) -> Segment:
        """Return the first segment of a name. Raises :class:`MessageError`."""
        found = self.all(name)
        if not found:
            raise MessageError("100", f"There is no {name}.", self.head)
        return found[0]


def read(data: bytes) -> Message:
    """Return the message in ``data``, decoded as it declares. Raises :class:`MessageError`."""
    first = re.split(rb"[\r\n]", data, maxsplit=1)[0]
    if not first.startswith(b"MSH") or len(first) < 9 or not first[3:8].isascii():
        raise MessageError("100", "It does not begin with MSH.")
    separator = chr(first[3])
    # MSH-2 has four delimiters, or a fifth since 2.7.
    fields = first.decode("latin-1").split(separator)
    delimiters = fields[1][:4]
    if len(delimiters) < 4 or len({*delimiters, separator}) < 5:
        raise MessageError("100", "MSH-2 has not four delimiters.")
    head = _head(fields, delimiters[0])
    try:
        text = data.decode(_CHARSETS[head.charset])
    except KeyError:
        raise MessageError("102", "MSH-18 names no character set that is known.", head) from None
    except UnicodeDecodeError:
        raise MessageError("102", "It is not in the set that MSH-18 declares.", head) from None
    lines = [line for line in re.split(r"[\r\n]+", text) if line]
    if len(lines) > MOST_SEGMENTS:
        raise MessageError("207", f"It has more than {MOST_SEGMENTS} segments.", head)
    segments = tuple(
        Segment(fields=tuple(line.split(separator)), delimiters=delimiters) for line in lines
    )
    return Message(head=head, segments=segments)


def _head(fields: list[str], component: str) -> Head:
    # MSH-1 is the separator, so that MSH-n stands at n - 1.
    def field(number: int) -> str:
        return fields[number - 1].strip() if number <= len(fields) else ""

    kind, trigger, *_ = [*field(9).split(component), "", ""]
    return Head(
        sender=(field(3), field(4)),
        receiver=(field(5), field(6)),
        kind=kind.upper(),
        trigger=trigger.upper(),
        control_id=field(10)[:199],
        processing=field(11).split(component)[0].upper(),
        version=field(12).split(component)[0],
        accept=field(15).upper(),
        charset=field(18).split("~")[0].upper(),
    )
