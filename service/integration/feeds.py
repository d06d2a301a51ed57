"""Who may send HL7 messages: a feed of patients and orders, in the file of peers.

::

    [[feed]]
    name = "engine"
    addresses = ["10.1.2.9/32"]
    site = "default"
    certificate = "engine"
    typed = "HOSPITAL"

All that a feed names must match. ``typed`` is the authority whose numbers people type as references
here: they are kept without an issuer.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from service.integration.callers import Caller
from service.integration.destinations import Word


class Feed(Caller):
    """An interface engine: an actor of a site, that reads nothing."""

    space: ClassVar = UUID("0f0c1a52-2f3f-4d35-8c60-0e2f7f1f9b27")

    typed: Word = ""

    def issuers(self, authority: str) -> tuple[str, ...]:
        """Return the issuers that a number of ``authority`` is kept under, its own first."""
        return (authority, "") if authority and authority == self.typed else (authority,)
