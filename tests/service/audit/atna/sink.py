"""A collector of audit messages: TLS, frames counted as RFC 5425 says, nothing else taken."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_FRAME = re.compile(rb"([1-9][0-9]{0,5}) ")


@dataclass
class Sink:
    """``messages`` are those that came whole; ``trouble`` whatever was no frame."""

    certificate: Path
    key: Path
    port: int = 0
    messages: list[bytes] = field(default_factory=list)
    trouble: list[bytes] = field(default_factory=list)
    connections: int = 0
    rude: bool = False
    """It cuts the next connection off, having read what it read."""

    def __enter__(self) -> Sink:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, self.key)
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            with plain, suppress(ssl.SSLError, ConnectionError):
                plain.settimeout(10)
                self.connections += 1
                if self.rude:
                    self.rude = False
                    # A reset: nobody can say what was read.
                    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                    with self._context.wrap_socket(plain, server_side=True) as secure:
                        secure.recv(10)
                        secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    continue
                with self._context.wrap_socket(plain, server_side=True) as secure:
                    self._take(secure)
                    secure.unwrap()

    def _take(self, secure: ssl.SSLSocket) -> None:
        data = b""
        while more := secure.recv(65536):
            data += more
        while data:
            found = _FRAME.match(data)
            length = int(found[1]) if found else 0
            if found is None or len(data) < found.end() + length:
                self.trouble.append(data)
                return
            self.messages.append(data[found.end() : found.end() + length])
            data = data[found.end() + length :]
