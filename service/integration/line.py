"""Opens a connection to a destination and closes it again, and says in a sentence what is wrong."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONNECT_SECONDS: Final = 5.0
VERDICT_SECONDS: Final = 1.0
"""How long a server is listened to that may not take our certificate: by TLS 1.3 it says so after
the handshake."""

# Codes of OpenSSL's X509_V_ERR.
_EXPIRED, _NOT_YET, _NAME, _ADDRESS = 10, 9, 62, 64


class FaultError(Exception):
    """What is wrong with a destination; the message is a sentence without its subject and end."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Where a connection goes, and what the other side is held against."""

    host: str
    port: int
    address: tuple[str, int] | None = None
    """What ``host`` and ``port`` are resolved to; None: looked up."""
    context: Callable[[], ssl.SSLContext] | None = None
    """None: without TLS. Raises :class:`OSError` where a file cannot be used."""
    authorities: Path | None = None
    """None: whoever this system trusts."""
    certificate: Path | None = None
    key: Path | None = None


def reach(line: Line) -> None:
    """Open a connection, and TLS on it, and close it again. Raises :class:`FaultError`."""
    at = f"{line.host}:{line.port}"
    try:
        opened = socket.create_connection(line.address or (line.host, line.port), CONNECT_SECONDS)
    except socket.gaierror:
        raise unknown(line.host) from None
    except TimeoutError:
        raise FaultError(
            f"does not answer at {at}: it is away, or a firewall or network policy is between"
        ) from None
    except ConnectionRefusedError:
        raise FaultError(f"does not listen at {at}: another port, or it is not running") from None
    except OSError as error:
        raise FaultError(f"cannot be reached at {at}: {error.strerror or 'no route'}") from None
    with closing(opened):
        if line.context is not None:
            _shake(line, line.context, opened)


def unknown(host: str) -> FaultError:
    """Return the fault of a host that cannot be looked up."""
    return FaultError(f"has a host, {host}, that no DNS here knows")


def _shake(line: Line, make: Callable[[], ssl.SSLContext], opened: socket.socket) -> None:
    for path in (line.authorities, line.certificate, line.key):
        if path is not None and not os.access(path, os.R_OK):
            raise FaultError(f"needs {path}, which cannot be read")
    try:
        context = make()
    except OSError:
        raise FaultError(
            "has authorities, certificate or key that are no PEM files, or no pair"
        ) from None
    try:
        with context.wrap_socket(opened, server_hostname=line.host) as secured:
            _hear(secured)
    except ssl.SSLCertVerificationError as error:
        match error.verify_code:
            case code if code in (_NAME, _ADDRESS):
                said = f"is not for {line.host}"
            case code if code in (_EXPIRED, _NOT_YET):
                said = "has expired, or is not valid yet"
            case _:
                said = f"is signed by nobody in {line.authorities or 'what this system trusts'}"
        raise FaultError(f"shows a certificate that {said}") from None
    except TimeoutError:
        plain = "" if line.authorities is None else "leave authorities out, or "
        raise FaultError(f"does not speak TLS: {plain}take its TLS port") from None
    except OSError:
        if line.certificate is None:
            why = "it speaks none, no TLS 1.2, or asks for a certificate and none is set"
        else:
            why = "it speaks none, no TLS 1.2, or does not take our certificate"
        raise FaultError(f"ends the handshake of TLS: {why}") from None


def _hear(secured: ssl.SSLSocket) -> None:
    if secured.version() != "TLSv1.3":
        # What a server says of our certificate comes with the end of the handshake.
        return
    secured.settimeout(VERDICT_SECONDS)
    try:
        heard = secured.recv(1)
    except TimeoutError:
        return
    if not heard:
        raise ConnectionResetError
