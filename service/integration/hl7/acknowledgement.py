"""What a receiver answers (ACK): HL7 2.5.1 section 2.9, original and enhanced mode."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

ACCEPTED: Final = ("AA", "CA")
REFUSED: Final = ("AE", "AR", "CE", "CR")
_LONGEST: Final = 400


class AnswerError(Exception):
    """What came is no acknowledgement."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """MSA and the first ERR of an acknowledgement."""

    code: str
    control_id: str
    """Of the message that it answers."""
    error: str | None
    """ERR-3, if it is one of HL7 table 0357 or a number like those."""
    said: str
    """What it says in words, as one line: it may repeat what the message said of the patient."""


def read(data: bytes) -> Answer:
    """Return what the acknowledgement ``data`` says. Raises :class:`AnswerError`.

    What no character set explains is taken letter by letter: codes are ASCII in all of them.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    segments = [line for line in re.split(r"[\r\n]+", text) if line]
    if not segments or not segments[0].startswith("MSH") or len(segments[0]) < 8:
        raise AnswerError
    separator, component = segments[0][3], segments[0][4]
    found = {line[:3]: line.split(separator) for line in reversed(segments)}
    acknowledged = [*found.get("MSA", []), "", "", "", ""]
    code = acknowledged[1].strip().upper()
    if code not in (*ACCEPTED, *REFUSED):
        raise AnswerError
    faults = [*found.get("ERR", []), *[""] * 9]
    number = faults[3].split(component)[0].strip()
    words = (acknowledged[3], faults[3].replace(component, " "), faults[7], faults[8])
    said = " ".join(" ".join(one.split()) for one in words if one.strip())
    return Answer(
        code=code,
        control_id=acknowledged[2].strip(),
        error=number if re.fullmatch("[0-9]{3}", number) else None,
        said="".join(letter for letter in said if letter.isprintable())[:_LONGEST],
    )
