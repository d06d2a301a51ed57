"""What a destination said of each object, and what that comes to for a delivery.

An object's status is kept as four hexadecimal digits of DIMSE (PS3.7 annex C), which STOW-RS has as
failure and warning reasons too; as three decimal ones of HTTP, where it said no more; or as
:data:`NO_CONTEXT`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from service.integration.ledger.schemas import Result, Sent

NO_CONTEXT: Final = "no_context"
ACCEPTED: Final = "0000"
PROCESSING_FAILURE: Final = 0x0110
WARNINGS: Final = range(0xB000, 0xC000)
PASSING: Final = (PROCESSING_FAILURE, 0x0213, *range(0xA700, 0xA800))
"""Processing failure, resource limitation, out of resources: later it may be taken."""
PASSING_HTTP: Final = (401, 408, 425, 429)
"""Beside 5xx: a token may be renewed, a server have time again."""


def accepted(status: str | None) -> bool:
    """Whether ``status``, as it is kept, says that the destination has the object."""
    if status is None or status == NO_CONTEXT or len(status) != 4:
        return False
    return status == ACCEPTED or int(status, 16) in WARNINGS


def passes(status: str) -> bool:
    """Whether what was refused with ``status`` may be taken later."""
    if status == NO_CONTEXT:
        return False
    if len(status) == 3:
        return int(status) >= 500 or int(status) in PASSING_HTTP
    return int(status, 16) in PASSING


def judge(left: Sequence[Result], found: Mapping[str, str], silent: str = "cut off") -> Sent:
    """Return what became of ``left``, of which ``found`` has the statuses.

    ``silent``: the reason where nothing was said of an object.
    """
    failed = {
        one.sop_uid: found.get(one.sop_uid) for one in left if not accepted(found.get(one.sop_uid))
    }
    if not failed:
        return Sent(objects=found, reason=None)
    said = [status for status in failed.values() if status is not None]
    final = [status for status in said if not passes(status)]
    if final:
        reason = NO_CONTEXT if NO_CONTEXT in final else f"refused {final[0]}"
        return Sent(objects=found, reason=reason, passes=False)
    return Sent(objects=found, reason=f"refused {said[0]}" if said else silent)
