"""Settings of the database."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from service.types import Seconds, SettingsGroup


class StorageSettings(SettingsGroup):
    """The database, and how long it is waited for."""

    var: Path = Field(Path("var"), description="Folder for state: the SQLite database.")
    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL as postgresql://…, or sqlite:///…; "
        "none: SQLite in OSTEOSERVE_VAR/osteoserve.db.",
    )
    column_encryption: bool = Field(
        False,
        description="Whether what says who a patient is (reference, names of files, what the "
        "gateway has received and made) is encrypted in the database: needs "
        "OSTEOSERVE_COLUMN_KEYS. Patients are then found by their whole reference alone. What is "
        "kept already is encrypted, or decrypted, by 'python -m service storage reencrypt'.",
    )
    column_keys: Path | None = Field(
        None,
        description="File with keys of columns, one a line, each of 32 characters or more: the "
        "first encrypts, each decrypts. Front, gateway and commands need the same.",
    )
    storage_seconds: Seconds = Field(
        5.0, description="Longest wait for the database before 503 storage_unavailable."
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        schemes = ("postgresql://", "postgresql+psycopg://", "postgres://", "sqlite:///")
        if value is not None and not value.get_secret_value().startswith(schemes):
            raise ValueError("starts with none of " + ", ".join(schemes))
        return value
