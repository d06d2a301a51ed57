"""DICOM TLS: 1.2, ephemeral keys, authenticated encryption; both sides prove who they are.

That is what the BCP 195 profile (PS3.15 B.9) asks for. Not 1.3 as yet: pynetdicom looks for data
with ``select``, which takes what 1.3 sends after the handshake for a PDU.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from service.integration.settings import GatewaySettings

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


def server_context(settings: GatewaySettings) -> ssl.SSLContext | None:
    """Return what the listener shows and asks for; None: without TLS.

    Raises :class:`OSError` where a file cannot be used.
    """
    if settings.gateway_certificate is None:
        return None
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.gateway_certificate, settings.gateway_key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(settings.gateway_authorities)
    return context


def client_context(
    authorities: Path, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Return what a server is held against: ``authorities``, and the name that it is called by.

    ``certificate`` and ``key`` are what it is shown. Raises :class:`OSError` where a file cannot
    be used.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authorities)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


def _context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    return context
