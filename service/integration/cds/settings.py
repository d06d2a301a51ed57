"""Settings of clinical decision support."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from service.types import SettingsGroup


class CdsSettings(SettingsGroup):
    """Whether the front answers CDS Hooks, and whose."""

    cds: bool = Field(
        False,
        description="Whether the front answers CDS Hooks 2.0 under /cds-services: cards from "
        "stored results and guidance.",
    )
    cds_clients: Path | None = Field(
        None,
        description="TOML file that names the records whose signed calls are taken "
        "(docs/hospital.md). None: only programs with a key of the role viewer or clinician.",
    )
