"""No descriptor waits for the garbage collector, whatever a DICOM peer does to its connection."""

from __future__ import annotations

import gc
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pynetdicom import AE, _config
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import

from service.integration.dicom import sockets  # noqa: F401 - what is tested
from tests import ports


def _open() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@contextmanager
def _as_many_after() -> Iterator[None]:
    before = _open()
    gc.disable()
    try:
        yield
        end = time.monotonic() + 10
        while _open() > before and time.monotonic() < end:
            time.sleep(0.02)
        assert _open() <= before
    finally:
        gc.enable()


def _ae() -> AE:
    ae = AE("PEER")
    ae.add_requested_context(Verification)
    ae.add_supported_context(Verification)
    ae.connection_timeout = ae.acse_timeout = ae.network_timeout = 2
    return ae


PORT = ports.free_port()


def _refused(ae: AE) -> None:
    for _ in range(5):
        assert not ae.associate("127.0.0.1", PORT).is_established


def _reset_by_the_called(ae: AE) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(5):

            def reset() -> None:
                line, _ = server.accept()
                line.recv(10)
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                line.close()

            thread = threading.Thread(target=reset)
            thread.start()
            assert not ae.associate("127.0.0.1", server.getsockname()[1]).is_established
            thread.join()


def _reset_by_the_calling(ae: AE) -> None:
    ae.start_server(("127.0.0.1", PORT), block=False)
    try:
        for _ in range(5):
            line = socket.create_connection(("127.0.0.1", PORT))
            line.sendall(b"\x01\x00\x00\x00")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()
    finally:
        time.sleep(0.2)
        ae.shutdown()


@pytest.mark.parametrize("fate", [_refused, _reset_by_the_called, _reset_by_the_calling])
def test_a_connection_that_a_peer_ends_is_closed(fate: Callable[[AE], None]) -> None:
    _config.LOG_HANDLER_LEVEL = "none"
    with _as_many_after():
        fate(_ae())
