"""Settings of launches from a record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from service.types import SettingsGroup


class SmartSettings(SettingsGroup):
    """Whether the front is opened out of a record, and out of whose."""

    smart_records: Path | None = Field(
        None,
        description="TOML file that names the records out of which a patient's results are opened "
        "by SMART App Launch (docs/hospital.md). None: there are none.",
    )


def faults(settings: SmartSettings, oidc_issuer: str | None) -> Iterator[str]:
    """Yield what does not go together, each a sentence with the names of variables."""
    if settings.smart_records is not None and oidc_issuer is None:
        yield (
            "OSTEOSERVE_SMART_RECORDS needs OSTEOSERVE_OIDC_ISSUER: whoever comes from a record is "
            "let in as those are whom the identity provider signs in."
        )
