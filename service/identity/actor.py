"""Who does something: every verb that writes takes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

DEFAULT_SITE: Final = "default"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person or a program, and the site that they act for."""

    site: str = DEFAULT_SITE
    """Idempotency keys, patients and images of one site are not those of another."""

    @classmethod
    def anonymous(cls) -> Self:
        """Return whoever it is while nobody signs in."""
        return cls()
