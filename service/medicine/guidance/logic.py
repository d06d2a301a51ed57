"""Three-valued logic (Kleene's): yes, no, or not known, and for want of which facts.

Every finding carries its reasons with it, so that an answer can say why it is given and what else
would decide it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Value = str | int | float | bool
T = TypeVar("T", bound=Value)


@dataclass(frozen=True)
class Because:
    """A field of :class:`~service.medicine.guidance.facts.Facts`, and the value that it has.

    ``assumed``: nobody entered it, it follows from other facts for want of it.
    """

    fact: str
    value: Value
    assumed: bool = False


@dataclass(frozen=True)
class Finding:
    """``truth`` is None where ``missing`` facts would decide; ``because`` is what makes it true."""

    truth: bool | None
    because: tuple[Because, ...] = ()
    missing: tuple[str, ...] = ()


NO = Finding(False)
YES = Finding(True)


def fact(name: str, value: T | None, holds: Callable[[T], bool]) -> Finding:
    """Find whether ``value`` of the fact ``name`` ``holds``; None is not known."""
    if value is None:
        return Finding(None, missing=(name,))
    return Finding(True, (Because(name, value),)) if holds(value) else NO


def every(*findings: Finding) -> Finding:
    """True when all are; false as soon as one is, whatever is not known of the others."""
    if any(found.truth is False for found in findings):
        return NO
    if any(found.truth is None for found in findings):
        return Finding(None, missing=_missing(findings))
    return Finding(True, _because(findings))


def some(*findings: Finding) -> Finding:
    """True as soon as one is; the reasons are those of all that are."""
    if any(found.truth for found in findings):
        return Finding(True, _because(tuple(found for found in findings if found.truth)))
    if any(found.truth is None for found in findings):
        return Finding(None, missing=_missing(findings))
    return NO


def neither(*findings: Finding) -> Finding:
    """True when none of ``findings`` is. What is absent is no reason to show."""
    found = some(*findings)
    if found.truth is None:
        return found
    return NO if found.truth else YES


def _because(findings: tuple[Finding, ...]) -> tuple[Because, ...]:
    return tuple(dict.fromkeys(item for found in findings for item in found.because))


def _missing(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for found in findings for name in found.missing))
