"""What a DICOM peer may make the gateway hold, and for how long.

pynetdicom waits for ever for the rest of a PDU, believes any length that one names, and gathers a
message of any size. Here each connection gets a bound on all three.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any, Final, Literal

LONGEST_PDU: Final = 2**20
"""Bytes; P-DATA is at most what we announce, an association request may name many contexts."""
LONGEST_COMMAND: Final = 2**16
MOST_WAITING: Final = 4
"""Messages of one association that wait for their answers: a peer sends them one by one."""
_ONE_GO: Final = 2**16
_REQUEST: Final = b"\x01"
_TITLES: Final = slice(10, 42)
"""Of the called and the calling AE, in an association request."""

Overflow = Literal["too_large", "crowded"]


class Budget:
    """Bytes of unfinished objects that all associations may hold together."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give(self, size: int) -> None:
        with self._lock:
            self._left += size


class Bounds:
    """One association's. ``overflow`` says why the object that it sends was not gathered."""

    def __init__(self, association: Any, budget: Budget, most: int, seconds: float) -> None:
        self.overflow: Overflow | None = None
        self._dimse: Any = association.dimse
        self._budget = budget
        self._most = most
        self._held = 0
        self._command = 0
        self._receive = self._dimse.receive_primitive
        self._dimse.receive_primitive = self._gather
        wrapped: Any = association.dul.socket
        self._socket: socket.socket = wrapped.socket
        self._socket.settimeout(seconds)
        wrapped.recv = partial(_receive, wrapped, seconds)
        association.dul._decode_pdu = partial(_decode, association.dul._decode_pdu)

    def close(self) -> None:
        """Let go of everything, the connection too, however the association has ended."""
        self.settled()
        self._socket.close()

    def settled(self) -> None:
        """Forget the object that was gathered."""
        self._budget.give(self._held)
        self._held, self.overflow = 0, None

    def _gather(self, primitive: Any) -> None:
        """Hand ``primitive`` on, without bytes that are too many; what is no object ends it all."""
        if self._dimse.msg_queue.qsize() >= MOST_WAITING:
            raise ConnectionError("a peer sends without waiting for answers")
        kept = []
        for context, data in primitive.presentation_data_value_list:
            is_command, is_last = data[0] & 1, data[0] & 2
            if is_command:
                self._command = 0 if is_last else self._command + len(data)
                if self._command + len(data) > LONGEST_COMMAND:
                    raise ConnectionError("a command is too long")
                kept.append([context, data])
            else:
                kept.append([context, data if self._fits(len(data)) else data[:1]])
        primitive.presentation_data_value_list = kept
        self._receive(primitive)

    def _fits(self, size: int) -> bool:
        if self.overflow is not None:
            return False
        if self._held + size > self._most:
            self.overflow = "too_large"
        elif not self._budget.take(size):
            self.overflow = "crowded"
        else:
            self._held += size
            return True
        if self._dimse.message is not None:
            self._dimse.message.data_set = BytesIO()
        return False


def _decode(decode: Callable[[bytearray], Any], data: bytearray) -> Any:
    """Return the PDU ``data``, of an association request with AE titles that can be compared.

    Some pad with NUL, for which pynetdicom ends the connection without a reason. Whatever else is
    no title becomes one that nobody has, and is rejected as unknown.
    """
    if data[:1] == _REQUEST and len(data) >= _TITLES.stop:
        for start in (_TITLES.start, _TITLES.start + 16):
            title = bytes(data[start : start + 16]).strip(b" \0").replace(b"\0", b"?")
            plain = all(0x20 <= one < 0x7F and one != 0x5C for one in title)
            data[start : start + 16] = title.ljust(16) if title and plain else b"?" * 16
    return decode(data)


def _receive(wrapped: Any, seconds: float, size: int) -> bytearray:
    """Return ``size`` bytes, or fewer where the peer has gone. Raises :class:`OSError`."""
    if size > LONGEST_PDU:
        raise ConnectionError("a PDU is too long")
    end = time.monotonic() + seconds
    data = bytearray()
    while len(data) < size:
        more = wrapped.socket.recv(min(size - len(data), _ONE_GO))
        if not more:
            break
        data += more
        if time.monotonic() > end and len(data) < size:
            raise TimeoutError
    return data
