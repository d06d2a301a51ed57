"""What a destination's entry says of the way to it, and of what it is asked afterwards."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Secured(BaseModel):
    """TLS to a destination, whose certificate must be for the name or address that is its host."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    authorities: Path | None = None
    """PEM file with those that its certificate is signed by; None: without TLS."""
    certificate: Path | None = None
    """PEM file with what it is shown."""
    key: Path | None = None

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if self.certificate is not None and self.authorities is None:
            raise ValueError("a certificate is shown by TLS alone, which needs authorities")
        return self


class Committing(BaseModel):
    """Whether a destination is asked to commit to what it was sent (PS3.4 Annex J)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commitment: bool = False
    commitment_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 600.0
    """How long its report is waited for before it is asked again."""
    addresses: tuple[Network, ...] = ()
    """Whence its reports come; by itself the host, where that is an address."""

    def reports_from(self, host: str) -> tuple[Network, ...]:
        """Return whence reports of a destination at ``host`` may come; none: nobody knows."""
        if self.addresses:
            return self.addresses
        try:
            return (ipaddress.ip_network(host),)
        except ValueError:
            return ()


def contains(network: Network, address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found in network
