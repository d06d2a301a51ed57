"""One collector of audit messages: syslog over TLS (RFC 5425), and knowing what it has taken.

Syslog acknowledges nothing. What is sent is taken for taken once the collector has answered the end
of the connection: TLS keeps the order, so that it has read all before. Else the same is sent again.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from service.audit.atna.message import framed
from service.audit.atna.settings import AtnaSettings

SECONDS: Final = 10.0


class CollectorError(Exception):
    """Nobody can say whether the collector has taken it."""


class Collector:
    """``name`` is what its place in the trail is remembered by."""

    def __init__(self, settings: AtnaSettings, host: str, port: int) -> None:
        self.name = f"{host}:{port}"[-64:]
        self._address = (host, port)
        self._settings = settings

    def send(self, messages: Sequence[bytes]) -> None:
        """Send ``messages`` and wait until all were read. Blocks.

        Raises :class:`CollectorError`.
        """
        try:
            with (
                socket.create_connection(self._address, timeout=SECONDS) as plain,
                self._context().wrap_socket(plain, server_hostname=self._address[0]) as secure,
            ):
                secure.sendall(b"".join(map(framed, messages)))
                self._end(secure)
        except (OSError, ssl.SSLError) as error:
            raise CollectorError(f"{type(error).__name__} at {self.name}") from error

    def _end(self, secure: ssl.SSLSocket) -> None:
        """Say that this was all, and wait for the same."""
        with suppress(ssl.SSLEOFError, ssl.SSLZeroReturnError):
            # A collector that closes without its own last word has read ours all the same.
            secure.unwrap()

    def _context(self) -> ssl.SSLContext:
        settings = self._settings
        # Read each time: certificates are renewed while we run.
        context = ssl.create_default_context(
            cafile=None if settings.atna_ca_file is None else str(settings.atna_ca_file)
        )
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.atna_certificate is not None:
            context.load_cert_chain(settings.atna_certificate, settings.atna_key)
        return context
