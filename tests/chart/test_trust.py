"""The variables that ``certificateAuthority`` sets are those that the libraries go by.

Each library opens a real TLS connection to a server for which only the site's authority vouches.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chart.authority import OPENSSL, Certified, certified
from tests.chart.test_pods import common

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="no openssl here")

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""What a client of PostgreSQL's asks for TLS with ("SSLRequest", PostgreSQL's protocol)."""

LIBRARIES = {
    "libpq": "import psycopg; psycopg.connect("
    "host='localhost', port={port}, user='u', sslmode='verify-full', connect_timeout=20)",
    "ssl": "import socket, ssl; ssl.create_default_context().wrap_socket("
    "socket.create_connection(('localhost', {port})), server_hostname='localhost').send(b'hello')",
    "requests": "import requests; requests.get('https://localhost:{port}/', timeout=20)",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("site"), "localhost")


@contextmanager
def server(site: Certified) -> Iterator[tuple[int, list[str]]]:
    """Yield a port of TLS, after PostgreSQL's own question where it is asked, and who spoke."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(site.certificate, site.key)
    heard: list[str] = []

    def answer(connection: socket.socket) -> None:
        connection.settimeout(20)
        with connection, contextlib.suppress(OSError):
            if connection.recv(8, socket.MSG_PEEK) == SSL_REQUEST:
                connection.recv(8)
                connection.send(b"S")
            with context.wrap_socket(connection, server_side=True) as trusted:
                if trusted.recv(1):
                    heard.append("trusted")

    def run(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                answer(listener.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1], heard
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(30)


def connects(library: str, site: Certified, variables: dict[str, str]) -> bool:
    """Whether ``library`` trusts the server enough to say something, in a process of its own."""
    kept = {
        key: value for key, value in os.environ.items() if "SSL" not in key and "CA_" not in key
    }
    with server(site) as (port, heard):
        subprocess.run(
            [sys.executable, "-c", LIBRARIES[library].format(port=port)],
            env={**kept, "NO_PROXY": "localhost", **variables},
            check=False, capture_output=True, timeout=60,
        )  # fmt: skip
    return bool(heard)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_goes_by_what_the_chart_sets(
    library: str, site: Certified, tmp_path: Path
) -> None:
    spec = common(certificateAuthority={"configMap": "site", "key": "ca.crt"})["front"]["spec"]
    (mount,) = (one for one in spec["containers"][0]["volumeMounts"] if one["name"] == "trust")
    env = {
        one["name"]: one["value"].replace(mount["mountPath"], str(site.authority.parent))
        for one in spec["containers"][0]["env"]
        if one.get("value", "").startswith(mount["mountPath"])
    }
    assert connects(library, site, env)
    # And it would not of itself. libpq looks for a file of the person's own.
    assert not connects(library, site, {"HOME": str(tmp_path)})
