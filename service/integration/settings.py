"""Settings of the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import ByteSize, Field, model_validator

from service.types import Seconds, SettingsGroup


class GatewaySettings(SettingsGroup):
    """Where the gateway listens, whom it knows, and how long it waits."""

    gateway_peers: Path | None = Field(
        None,
        description="TOML file that names who may send by DICOM, and where results go "
        "(docs/hospital.md). None: there is no gateway.",
    )
    gateway_host: str = Field(
        "127.0.0.1", description="Address that the gateway listens on, for DICOM and for probes."
    )
    gateway_dicom_port: int = Field(
        11112, ge=0, le=65535, description="Port that the gateway takes DICOM associations on."
    )
    gateway_certificate: Path | None = Field(
        None,
        description="PEM file with the certificate that DICOM peers are shown; then all of them "
        "come by TLS, with a certificate of their own. None: plain DICOM.",
    )
    gateway_key: Path | None = Field(None, description="PEM file with its private key.")
    gateway_authorities: Path | None = Field(
        None, description="PEM file with those that certificates of peers must be signed by."
    )
    gateway_hl7_port: int = Field(
        2575, ge=0, le=65535, description="Port that the gateway takes HL7 messages on by MLLP, "
        "where the file of peers names a feed.",
    )  # fmt: skip
    gateway_hl7_bytes: ByteSize = Field(
        ByteSize(2**20), ge=1024, description="Largest HL7 message that is taken."
    )
    gateway_hl7_connections: int = Field(
        16, ge=1, le=1000, description="Most connections of HL7 feeds at a time."
    )
    gateway_hl7_days: Seconds = Field(
        90.0,
        description="Days that an order is kept for the images of its accession number, and that "
        "a message is known again when it is sent once more.",
    )
    gateway_http_port: int = Field(
        8107, ge=0, le=65535, description="Port of the gateway's probes and metrics."
    )
    gateway_associations: int = Field(
        64, ge=1, le=1000, description="Most DICOM associations at a time; more are rejected."
    )
    gateway_idle_seconds: Seconds = Field(
        30.0, description="How long a DICOM peer may be silent before it is cut off."
    )
    gateway_drain_seconds: Seconds = Field(
        10.0,
        description="How long open DICOM associations may go on once the gateway is asked to "
        "stop; new ones are rejected for the time being.",
    )
    gateway_object_bytes: ByteSize = Field(
        ByteSize(64 * 2**20), ge=1024, description="Largest DICOM object that is taken."
    )
    gateway_receive_seconds: Seconds = Field(
        60.0,
        description="How long a study waits for its next object while its sender is still there.",
    )
    gateway_settle_seconds: Seconds = Field(
        3.0, description="The same once its sender has released the association."
    )
    gateway_retain_hours: Seconds = Field(
        72.0,
        description="How long what was received is kept after its result was delivered. What is "
        "not delivered, or not decided by a person, stays.",
    )
    gateway_lease_seconds: Seconds = Field(
        60.0,
        description="How long one attempt at a study's next image, or at a delivery, may take; "
        "after it another gateway, or this one started again, goes on with it.",
    )
    gateway_judgements: int = Field(
        20,
        ge=1,
        description="Most results of one study in a day; beyond them it is put into quarantine.",
    )

    gateway_workitems: str = Field(
        "110003^DCM 110004^DCM",
        pattern=r"^$|^[^\s^]+\^[^\s^]+( [^\s^]+\^[^\s^]+)*$",
        description="Codes of the work items that the gateway performs, each as VALUE^SCHEME, with "
        "a blank between two. Empty: none.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        tls = (self.gateway_certificate, self.gateway_key, self.gateway_authorities)
        if any(tls) and not all(tls):
            raise ValueError(
                "OSTEOSERVE_GATEWAY_CERTIFICATE, _KEY and _AUTHORITIES go together: all or none"
            )
        return self
