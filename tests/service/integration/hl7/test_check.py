"""What ``python -m service gateway check`` says of an interface engine."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from service.integration.destinations import Hl7Destination
from service.integration.hl7.check import check
from tests import ports
from tests.chart.authority import OPENSSL, Certified, certified
from tests.service.integration.hl7.engines import answering, engine


@pytest.mark.anyio
async def test_an_engine_is_sent_nothing_to_see_whether_it_is_there() -> None:
    async with engine(answering("AA")) as opened:
        assert await asyncio.to_thread(check, opened.destination()) is None
        assert opened.taken == []


def test_who_is_not_there_is_said() -> None:
    port = ports.free_port()
    to = Hl7Destination(name="engine", kind="hl7", host="127.0.0.1", port=port)
    assert check(to) == (
        f"engine does not listen at 127.0.0.1:{port}: another port, or it is not running."
    )
    to = Hl7Destination(name="engine", kind="hl7", host="engine.invalid", port=port)
    assert check(to) == "engine has a host, engine.invalid, that no DNS here knows."


@contextmanager
def secured(site: Certified, version: str) -> Iterator[int]:
    """Run OpenSSL's own server, which wants a certificate that the site's authority has signed."""
    port = ports.free_port()
    process = subprocess.Popen(
        [
            str(OPENSSL), "s_server", "-accept", str(port), f"-{version}", "-quiet",
            "-cert", str(site.certificate), "-key", str(site.key),
            "-CAfile", str(site.authority), "-Verify", "1", "-verify_return_error",
        ],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("localhost", port), 1):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_what_is_wrong_with_certificates_is_said(tmp_path: Path, version: str) -> None:
    if OPENSSL is None:
        pytest.skip("no openssl to make certificates with")
    folders = tmp_path / "site", tmp_path / "other"
    for one in folders:
        one.mkdir()
    site, other = (certified(one, "localhost") for one in folders)
    gone = tmp_path / "gone.pem"
    known = {"authorities": site.authority, "certificate": site.certificate, "key": site.key}
    faults = {
        "shows a certificate that is signed by nobody in": {
            **known, "authorities": other.authority,
        },
        "shows a certificate that is not for 127.0.0.1": {**known, "host": "127.0.0.1"},
        "asks for a certificate and none is set": {"authorities": site.authority},
        "does not take our certificate": {
            **known, "certificate": other.certificate, "key": other.key,
        },
        f"needs {gone}, which cannot be read": {**known, "authorities": gone},
        "no PEM files": {**known, "authorities": site.key},
    }  # fmt: skip
    with secured(site, version) as port:
        to: dict[str, Any] = {"name": "engine", "kind": "hl7", "host": "localhost", "port": port}
        assert check(Hl7Destination(**to, **known)) is None
        for says, changes in faults.items():
            found = check(Hl7Destination(**{**to, **changes}))
            assert found is not None
            assert says in found
