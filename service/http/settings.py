"""Settings of the listener and of uploads."""

from __future__ import annotations

from dataclasses import fields
from urllib.parse import urlsplit

from pydantic import ByteSize, Field, ValidationInfo, field_validator

from listener.limits import Limits as Listening
from service.http.hosts import HostError, Hosts
from service.types import Seconds, SettingsGroup, Url


def authority(host: str, port: int) -> str:
    """Return ``host`` and ``port`` as a URL on this machine has them: what listens on all addresses
    is on loopback as well."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened on
        return f"127.0.0.1:{port}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Address(SettingsGroup):
    """Where the front is, and by which names it is known."""

    host: str = Field(
        "127.0.0.1",
        description="Address that the front listens on; ::, every address of IPv4 and IPv6.",
    )
    port: int = Field(8000, ge=0, le=65535, description="Port that the front listens on; 0: any.")
    public_url: Url | None = Field(
        None,
        description="Where people find the front, as https://dxa.clinic.example: requests may name "
        "this host, and pages of this address may send. With a path, as "
        "https://intranet.example/osteoserve, everything is found below it.",
    )
    hosts: str = Field(
        "",
        description="Further names that requests may have in Host, with commas between; "
        "*.clinic.example: every name below. Addresses and localhost always may: only a name can "
        "be made to point here by somebody else.",
    )

    @field_validator("hosts")
    @classmethod
    def _names(cls, value: str) -> str:
        try:
            Hosts.of(value)
        except HostError as error:
            raise ValueError(str(error)) from None
        return value

    @property
    def sub_path(self) -> str:
        """The path of the public URL without a slash at its end; empty where it has none."""
        return urlsplit(self.public_url or "").path.rstrip("/")

    @property
    def local_url(self) -> str:
        """Where a browser on this machine finds the front."""
        return f"http://{authority(self.host, self.port)}"

    @property
    def allowed_hosts(self) -> Hosts:
        """Who requests may say that they are for: loopback, what is listened on, what is set."""
        return Hosts.of(self.hosts, listening=self.host, public_url=self.public_url)


class UploadLimits(SettingsGroup):
    """What of uploads is taken, and held at a time."""

    max_upload_bytes: ByteSize = Field(
        ByteSize(32 * 2**20), ge=1, description="Largest file accepted; 32MiB and the like work."
    )
    upload_seconds: Seconds = Field(60.0, description="Longest time one upload may take.")
    unfinished_bytes: ByteSize = Field(
        ByteSize(128 * 2**20),
        ge=1,
        description="Most bytes of uploads, batches aside, that are held at a time, until their "
        "answers. Beyond them the slowest upload gives way: 503 too_many_uploads.",
    )

    @field_validator("unfinished_bytes")
    @classmethod
    def _room_for_one(cls, value: ByteSize, info: ValidationInfo) -> ByteSize:
        largest = info.data.get("max_upload_bytes")
        if largest is not None and value < largest:
            raise ValueError(f"less than OSTEOSERVE_MAX_UPLOAD_BYTES, {int(largest)}")
        return value


class ConnectionLimits(SettingsGroup):
    """What the listener bounds of connections, heads and bodies."""

    connections: int = Field(
        Listening.connections,
        ge=1,
        le=100_000,
        description="Most connections at a time. One more takes the place of the one that has "
        "waited longest without a request; with none such it is 503 too_many_connections.",
    )
    connections_per_address: int = Field(
        Listening.connections_per_address,
        ge=1,
        le=100_000,
        description="Most of them from one address; all behind a proxy have the proxy's.",
    )
    head_bytes: ByteSize = Field(
        ByteSize(Listening.head_bytes),
        ge=1024,
        le=2**20,
        description="Longest line and headers of a request together; more is 431.",
    )
    head_fields: int = Field(
        Listening.head_fields, ge=8, le=1000, description="Most headers in a request; more is 431."
    )
    head_seconds: Seconds = Field(
        Listening.head_seconds, description="Longest time for a request's line and headers."
    )
    body_bytes_per_second: int = Field(
        Listening.body_bytes_per_second,
        ge=1,
        description="Least speed of a body, over OSTEOSERVE_BODY_PAUSE_SECONDS; less is 408.",
    )
    body_pause_seconds: Seconds = Field(
        Listening.body_pause_seconds, description="Longest pause of a body."
    )
    answer_pause_seconds: Seconds = Field(
        Listening.answer_pause_seconds,
        description="Longest time in which a client takes nothing of an answer; then it is left.",
    )
    keep_alive_seconds: Seconds = Field(
        Listening.keep_alive_seconds,
        description="How long a connection stays open between requests; longer than a proxy in "
        "front keeps one unused.",
    )

    @property
    def listening(self) -> Listening:
        """The same as the listener takes it."""
        return Listening(**{field.name: getattr(self, field.name) for field in fields(Listening)})
