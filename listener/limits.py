"""What one client, and all of them together, may make a listener hold, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Every bound of a listener; the front's are settings, of the same names.

    ==========================  ====================================================================
    ``head_bytes``              of a request's line and headers together: more is 431
    ``head_fields``             headers in one request: more is 431
    ``head_seconds``            from a connection's first moment, or a request's first byte, to the
                                end of its head
    ``body_bytes_per_second``   that an unfinished body brings at least, taken over
    ``body_pause_seconds``      so long; while it is we who do not read, no time is counted
    ``answer_pause_seconds``    in which a client takes nothing of an answer that waits for it
    ``keep_alive_seconds``      between an answer and the next request: longer than proxies keep a
                                connection unused (nginx a minute, Caddy two), or it is closed
                                just as they ask on it, and their client gets a 502
    ``connections``             in all; one more takes the place of the one that has waited longest
                                without a request, and is refused where none does
    ``connections_per_address`` the same for one address
    ==========================  ====================================================================
    """

    head_bytes: int = 16 * 1024
    head_fields: int = 100
    head_seconds: float = 10.0
    body_bytes_per_second: int = 4 * 1024
    body_pause_seconds: float = 10.0
    answer_pause_seconds: float = 30.0
    keep_alive_seconds: float = 130.0
    connections: int = 512
    connections_per_address: int = 256
