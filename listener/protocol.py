"""One connection: uvicorn's own protocol over llhttp, with our limits around it.

What llhttp holds of an unfinished header it holds without bound, so a head is fed to it in pieces
and counted while it is open. Once a connection has been refused, nothing more of it is parsed; what
still arrives is thrown away for a moment, since a connection that is closed with bytes unread is
reset, and takes the refusal along that was to be read.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from listener.door import Door
from listener.refusal import (
    BAD_REQUEST,
    HEAD_TIMEOUT,
    HEAD_TOO_LARGE,
    NO_UPGRADE,
    TOO_MANY_CONNECTIONS,
    UPLOAD_TIMEOUT,
    Refusal,
)

PIECE: Final = 16 * 1024
"""Bytes of a head that are parsed before they are counted."""

PIPELINED: Final = 64
"""Requests of one connection that may wait for the one before them."""

LINGER_SECONDS: Final = 2.0
LINGER_BYTES: Final = 1024 * 1024
"""For how long, and for how many bytes, a client may go on sending that was refused here."""

LEFTOVER_SECONDS: Final = 30.0
"""For how long the rest of a body may come after its answer, as fast as any body has to: most
clients read no answer before they have sent it all (nginx: ``lingering_time``)."""


class _Refused(Exception):  # noqa: N818 - it is raised through the parser, and is no error
    """Stops the parser in the middle of what it was given."""


class _Transport:
    """What one answer is written to; closing it waits for the rest of the request's body."""

    def __init__(self, connection: Bounded) -> None:
        self._connection = connection
        self.write = connection.transport.write
        self.is_closing = connection.transport.is_closing

    def close(self) -> None:
        self._connection.close_behind_body()


class Bounded(HttpToolsProtocol):
    """A connection that ends in time, whatever its client does."""

    door: ClassVar[Door]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn's own lines hold paths with their queries.
        self.access_log = False
        self._now = self.loop.time
        self._limits = self.door.limits
        self._waiting_since: float | None = self._now()
        self._running: RequestResponseCycle | None = None
        # Of the request that is being received.
        self._head_since: float | None = self._now()
        self._head_bytes = 0
        self._head_fields = 0
        self._held = 0
        self._in_head = False
        self._begun = False
        self._in_body = False
        self._body_bytes = 0
        self._between_bodies = 0
        # Progress: of the body until the mark, of the answer until it was last seen to move.
        self._mark = (self._now(), 0)
        self._answered_since: float | None = None
        self._closes = False
        self._unsent = 0
        self._unsent_since = self._now()
        self._ended_since: float | None = None
        self._thrown_away = 0

    # What the door asks.

    @property
    def address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def waiting_since(self) -> float | None:
        if self._ended_since is not None:
            return None
        # Whose body is not over yet, but answered, has nothing in hand either.
        return self._waiting_since if self._answered_since is None else self._answered_since

    def displace(self) -> None:
        self.door.ended("displaced")
        self.transport.abort()

    def look(self, now: float) -> None:
        if self._ended_since is not None:
            if now - self._ended_since > LINGER_SECONDS:
                self.transport.abort()
            return
        if self._unread(now):
            self.door.ended("unread")
            self.transport.abort()
        elif self._head_since is not None and self._waiting_since is not None:
            if now - max(self._head_since, self._waiting_since) > self._limits.head_seconds:
                self._end_head()
        elif self._in_body:
            self._look_at_body(now)

    # What an answer calls.

    def close_behind_body(self) -> None:
        """Close the connection, after an answer that did not wait for its body once that came."""
        self._closes = self._in_body and self.cycle.response_complete
        if not self._closes:
            self.transport.close()
        elif self.transport.can_write_eof():
            self.transport.write_eof()

    # What the loop calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self.door.enter(self):
            if self.door.overrun:
                self.transport.abort()
            else:
                self._refuse(TOO_MANY_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        self.door.leave(self)
        super().connection_lost(exc)
        # uvicorn tells the last request that came, not the one that is being answered.
        self._forsake()

    def data_received(self, data: bytes) -> None:
        if self._ended_since is not None:
            self._thrown_away += len(data)
            if self._thrown_away > LINGER_BYTES:
                self.transport.abort()
            return
        if self._waiting_since is not None and self._head_since is None:
            self._head_since = self._now()
        start = 0
        while start < len(data) and self._ended_since is None:
            # In pieces only where a head is open: a body may come as it comes.
            end = len(data) if self._in_body else start + PIECE
            self._feed(data[start:end])
            start = end

    # What the parser calls.

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = self._begun = True
        self._in_body = False
        self._head_bytes = self._head_fields = self._held = 0
        if self._head_since is None:
            self._head_since = self._now()
        if len(self.pipeline) >= PIPELINED:
            self._stop(BAD_REQUEST)

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_fields += 1
        self._count(len(name) + len(value) + 4)
        if self._head_fields > self._limits.head_fields:
            self._stop(HEAD_TOO_LARGE)
        # Behind a body come trailers, which nobody here asks for.
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._get_upgrade() == b"websocket" or (self.parser.should_upgrade() and self._has_body):
            # Whoever asks for HTTP/2 is answered in this one, but llhttp would drop a body.
            self._stop(NO_UPGRADE)
        self._in_head = False
        self._in_body = True
        self._head_since = self._waiting_since = None
        self._head_bytes = self._body_bytes = self._between_bodies = 0
        self._mark = (self._now(), 0)
        super().on_headers_complete()
        self.cycle.transport = cast(asyncio.Transport, _Transport(self))
        if self.parser.should_upgrade():
            # The parser stops behind such a request, so that it is the connection's last.
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # What was sent along behind the last request of a connection is not asked.
        if not self.transport.is_closing():
            self._running = cycle
            super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._between_bodies = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._answered_since = None
        super().on_message_complete()
        if self._closes:
            self.transport.close()
        if self.cycle.response_complete and not self.pipeline:
            self._waiting_since = self._now()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_body:
            self._mark = (self._now(), self._body_bytes)
            if self.cycle.response_complete:
                # An answer that did not wait for the whole body: what is left may end in peace.
                self._answered_since = self._now()
        elif not self.pipeline:
            self._waiting_since = self._now()
        if self._in_head:
            # The next request has begun to arrive: from here on its own clock counts.
            self._unset_keepalive_if_required()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - ours is a problem
        # A refusal that stopped the parser is told already.
        if self._ended_since is None:
            self._refuse(BAD_REQUEST)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: whoever asks for another protocol is answered in this one."""

    # What is ours.

    @property
    def _cycles(self) -> list[RequestResponseCycle]:
        """The request that is answered, and the one received: two, where several came at once."""
        return [one for one in (self._running, self.cycle) if one is not None]

    def _forsake(self) -> None:
        """Let those who answer know that nobody reads it any more."""
        for one in self._cycles:
            if not one.response_complete:
                one.disconnected = True
                one.message_event.set()

    @property
    def _has_body(self) -> bool:
        named = dict(self.headers)
        return b"transfer-encoding" in named or named.get(b"content-length", b"0") != b"0"

    def _feed(self, piece: bytes) -> None:
        seen = self._body_bytes
        super().data_received(piece)
        if self._ended_since is not None:
            return
        if self._in_head:
            # llhttp tells of a header when it is whole; what it holds of one is counted here.
            self._held += len(piece)
            if self._held > self._limits.head_bytes + PIECE:
                self._refuse(HEAD_TOO_LARGE)
        elif self._in_body and self._body_bytes == seen:
            # Neither body nor end of it: extensions of a chunk, or trailers.
            self._between_bodies += len(piece)
            if self._between_bodies > self._limits.head_bytes + PIECE:
                self._refuse(HEAD_TOO_LARGE)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.head_bytes:
            self._stop(HEAD_TOO_LARGE)

    def _stop(self, refusal: Refusal) -> None:
        self._refuse(refusal)
        raise _Refused

    def _end_head(self) -> None:
        if self._begun and self._in_head:
            self._refuse(HEAD_TIMEOUT)
        else:
            # A browser opens connections ahead, and would take this for the answer to its first
            # question.
            self.door.ended("silent")
            self.transport.abort()

    def _look_at_body(self, now: float) -> None:
        since, until = self._mark
        answered = self._answered_since
        if answered is not None and now - answered > LEFTOVER_SECONDS:
            self.transport.abort()
            return
        # Time in which we do not read, or have not said yet that we will, is not the client's.
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._mark = (now, self._body_bytes)
            return
        if now - since < self._limits.body_pause_seconds:
            return
        least = self._limits.body_bytes_per_second * self._limits.body_pause_seconds
        if self._body_bytes - until >= least:
            self._mark = (now, self._body_bytes)
        elif answered is None:
            self._refuse(UPLOAD_TIMEOUT)
        else:
            self.transport.abort()

    def _unread(self, now: float) -> bool:
        """Whether an answer has been waiting for its client for too long."""
        waits = self.transport.get_write_buffer_size()
        if not waits or waits < self._unsent:
            self._unsent_since = now
        self._unsent = waits
        return now - self._unsent_since > self._limits.answer_pause_seconds

    def _refuse(self, refusal: Refusal) -> None:
        """Answer ``refusal`` and let nothing else be answered on this connection."""
        self.door.ended(refusal.code)
        self._ended_since = self._now()
        self._unset_keepalive_if_required()
        self.pipeline.clear()
        begun = any(one.response_started and not one.response_complete for one in self._cycles)
        self._forsake()
        if self.transport.is_closing():
            return
        if begun:
            # Half an answer is out, and another in the middle of it would be taken for its rest.
            self.transport.abort()
            return
        self.transport.write(refusal.answer())
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()


def bounded(door: Door) -> type[Bounded]:
    """Return the protocol for uvicorn's ``http=``, with ``door`` for all of its connections."""
    return type("BoundedAtDoor", (Bounded,), {"door": door})
