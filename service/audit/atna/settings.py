"""Settings of the audit messages that leave for a collector."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from service.types import SettingsGroup

PORT = 6514
"""Of syslog over TLS (RFC 5425)."""


class AtnaSettings(SettingsGroup):
    """Where the trail is told to, by syslog over TLS (IHE ATNA)."""

    atna_collectors: str = Field(
        "",
        description="Audit record repositories as HOST or HOST:PORT (6514) with commas between, to "
        "which each entry of the trail goes as syslog over TLS, in DICOM's audit message format. "
        "Empty: none.",
    )
    atna_ca_file: Path | None = Field(
        None,
        description="PEM file of the authorities that collectors' certificates are held against. "
        "None: the system's.",
    )
    atna_certificate: Path | None = Field(
        None, description="PEM file with the certificate that collectors are shown."
    )
    atna_key: Path | None = Field(None, description="PEM file with its private key.")
    atna_source: str = Field(
        "osteoserve",
        min_length=1,
        max_length=48,
        pattern=r"^[!-~]+$",
        description="What collectors know this installation as.",
    )

    @field_validator("atna_collectors")
    @classmethod
    def _addresses(cls, value: str) -> str:
        _split(value)
        return value

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.atna_certificate is None) != (self.atna_key is None):
            raise ValueError("OSTEOSERVE_ATNA_CERTIFICATE and _KEY go together: both or none")
        return self

    @property
    def collectors(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each collector."""
        return _split(self.atna_collectors)


def _split(text: str) -> tuple[tuple[str, int], ...]:
    found = []
    for one in filter(None, (part.strip() for part in text.split(","))):
        host, _, port = one.rpartition(":") if ":" in one else (one, "", str(PORT))
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("HOST or HOST:PORT is allowed, with commas between")
        found.append((host.strip("[]"), int(port)))
    return tuple(found)
