"""Settings of the trail."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, field_validator

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
        file = folder / FILE
        if make:
            folder.mkdir(parents=True, exist_ok=True)
            _make(file)
        try:
            return file.read_bytes().strip()
        except FileNotFoundError:
            return None


def _make(file: Path) -> None:
    """Write a new key unless there is one: of two fronts that start at once the first one's."""
    if file.exists():
        return
    beside = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
        made.write(secrets.token_hex(32))
    try:
        with suppress(FileExistsError):
            file.hardlink_to(beside)
    finally:
        beside.unlink()
