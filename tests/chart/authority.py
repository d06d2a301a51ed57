"""A site's own certificate authority, and what it vouches for; made by ``openssl``."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OPENSSL: Final = shutil.which("openssl")


@dataclass(frozen=True)
class Certified:
    """Files as PEM: the authority's certificate, and certificate and key of a server."""

    authority: Path
    certificate: Path
    key: Path


def certified(folder: Path, *names: str) -> Certified:
    """Return a certificate for the DNS ``names`` by an authority that nobody knows yet.

    Raises :class:`subprocess.CalledProcessError`.
    """
    made = Certified(folder / "ca.crt", folder / "tls.crt", folder / "tls.key")
    (folder / "names").write_text(f"subjectAltName={','.join(f'DNS:{one}' for one in names)}\n")
    request = ("req", "-newkey", "rsa:2048", "-nodes", "-subj")
    _openssl(
        *request, "/CN=a site", "-x509", "-days", "2", "-keyout", "ca.key", "-out", "ca.crt",
        folder=folder,
    )  # fmt: skip
    _openssl(*request, "/CN=a server", "-keyout", "tls.key", "-out", "tls.csr", folder=folder)
    _openssl(
        "x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "2", "-extfile", "names", "-out", "tls.crt", folder=folder,
    )  # fmt: skip
    return made


def _openssl(*arguments: str, folder: Path) -> None:
    subprocess.run([str(OPENSSL), *arguments], cwd=folder, check=True, capture_output=True)
