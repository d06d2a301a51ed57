"""Settings of the trail."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, field_validator

from service import key_file
from service.types import SettingsGroup

LEAST: Final = 32
FILE: Final = "audit.key"
"""In the folder of state, where the settings name no key."""


class AuditSettings(SettingsGroup):
    """What seals the trail."""

    audit_key: SecretStr | None = Field(
        None,
        description="Key of 32 characters or more that seals the trail; every front needs the "
        "same, and whoever has the database must not have it. None: OSTEOSERVE_VAR/audit.key, made "
        "at the first start, which PostgreSQL does not go with.",
    )

    @field_validator("audit_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < LEAST:
            raise ValueError(f"shorter than {LEAST} characters")
        return value

    def key(self, folder: Path, *, make: bool) -> bytes | None:
        """Return the key, from a file in ``folder`` where none is set; None: there is no file.

        Made there where ``make`` says so. Raises OSError.
        """
        if self.audit_key is not None:
            return self.audit_key.get_secret_value().encode()
        return key_file.read(folder / FILE, make=make)
