"""How long an answer may be kept by whoever sees it pass: values of ``Cache-Control``."""

from __future__ import annotations

from typing import Final

NO_CACHE: Final = "no-cache"
"""It may be kept, and is asked for anew each time."""

IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""For an address that names its content."""

NO_STORE: Final = {"Cache-Control": "no-store"}
"""On every answer about a scan or a person, and on every error."""
