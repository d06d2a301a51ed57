"""The form that places a legal hold: on whom or what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from service.holds.schemas import LONGEST_REASON
from service.language.locale import N_, _
from service.web.forms import Field, options

Typed = Mapping[str, str]

BY: Final[Mapping[str, str]] = {
    "reference": N_("A patient, by the reference as it was entered"),
    "patient": N_("A patient, by the key in the address of their page"),
    "result": N_("One result, by its number"),
}

LONGEST: Final = 64
"""Of a reference, as of an exam's facts."""


def number(text: str) -> UUID | None:
    """Return what ``text`` is the number of; None: it is none."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def faults(sent: Typed) -> dict[str, str]:
    """Return in words what is wrong with the form's fields, before anything is looked for."""
    found = {}
    if sent.get("by") not in BY:
        found["by"] = _("Choose one of those listed.")
    what, why = sent.get("what", "").strip(), " ".join(sent.get("reason", "").split())
    if not what:
        found["what"] = _("This is needed.")
    elif sent.get("by") in ("patient", "result") and number(what) is None:
        found["what"] = _("A number as 01234567-89ab-cdef-0123-456789abcdef, please.")
    elif len(what) > LONGEST or not what.isprintable():
        found["what"] = _("Nothing of this site is kept under it.")
    if not 1 <= len(why) <= LONGEST_REASON or not why.isprintable():
        found["reason"] = _("1 to %(most)s characters on one line, please.", most=LONGEST_REASON)
    return found


def hold(sent: Typed, found: Mapping[str, str]) -> tuple[Field, ...]:
    """Return the fields ``by``, ``what`` and ``reason``; ``found``: what is wrong with them."""
    by = sent.get("by", "reference")
    return (
        Field(
            name="by",
            id="by",
            label=_("What is to be kept"),
            kind="select",
            options=options(BY, by),
            error=found.get("by", ""),
        ),
        Field(
            name="what",
            id="what",
            label=_("Reference, key or number"),
            value=sent.get("what", ""),
            error=found.get("what", ""),
            required=True,
            maxlength=LONGEST,
            autocapitalize="none",
        ),
        Field(
            name="reason",
            id="reason",
            label=_("Why"),
            value=sent.get("reason", ""),
            hint=_("As the number of the claim; no name of a patient. It is kept beside the hold."),
            error=found.get("reason", ""),
            required=True,
            maxlength=LONGEST_REASON,
        ),
    )
