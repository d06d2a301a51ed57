"""Folders of what is not code."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FRONTEND: Final = Path(__file__).resolve().parents[1] / "frontend"
"""Templates, static files, articles and translations."""
