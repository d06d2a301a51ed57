"""Takes HL7 messages by MLLP: each is done and durable before it is acknowledged, one at a time.

::

    AA   it is done, or was before             AE   what it says cannot be done
    AR   messages of its kind are not taken; or it could not be kept now: send it again

What is no MLLP, is too large, or does not end in time is cut off without an answer.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Any, Final

from service.clock import now
from service.holds.schemas import HeldError
from service.integration.feeds import Feed
from service.integration.hl7 import answer, closing, frame, message
from service.integration.hl7.answer import Code
from service.integration.hl7.message import Head, MessageError
from service.integration.hl7.service import Feeds
from service.integration.metrics import GatewayMetrics
from service.integration.peers import Peers
from service.integration.settings import GatewaySettings
from service.storage.errors import StorageError
from telemetry.journal import fault, log

SILENCE: Final = 3600.0
"""Seconds that a feed may have nothing to say: engines keep lines open."""
_REJECTED: Final = ("200", "202", "203")


class FeedListener:
    """Started and stopped in the event loop."""

    def __init__(
        self, settings: GatewaySettings, peers: Peers, feeds: Feeds, metrics: GatewayMetrics
    ) -> None:
        self._settings = settings
        self._peers = peers
        self._feeds = feeds
        self._metrics = metrics
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], bool] = {}
        """Lines, each with whether a message is worked on."""

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("not started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, tls: ssl.SSLContext | None) -> None:
        """Listen from now on, where a feed is known. Raises :class:`OSError`."""
        if not self._peers.feed:
            return
        host = None if self._settings.gateway_host == "::" else self._settings.gateway_host
        self._server = await asyncio.start_server(
            self._serve,
            host,
            self._settings.gateway_hl7_port,
            ssl=tls,
            limit=int(self._settings.gateway_hl7_bytes),
            ssl_handshake_timeout=10.0 if tls is not None else None,
        )

    async def stop(self) -> None:
        """Let messages that are worked on be answered, and close all lines."""
        if self._server is None:
            return
        await closing.close(self._server)
        for task, busy in list(self._open.items()):
            if not busy:
                task.cancel()
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=self._settings.gateway_drain_seconds)
            for task in late:
                task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        feed = self._admitted(writer)
        if feed is None or task is None:
            writer.transport.abort()
            return
        address = str(writer.get_extra_info("peername")[0])
        self._open[task] = False
        try:
            while await self._next(task, reader):
                await self._one(feed, address, reader, writer)
        except frame.FrameError:
            self._metrics.message("unreadable")
        except (OSError, TimeoutError, asyncio.CancelledError):
            # It has gone, was silent for too long, or this gateway ends.
            pass
        finally:
            self._open.pop(task, None)
            writer.close()

    async def _next(self, task: asyncio.Task[None], reader: asyncio.StreamReader) -> bool:
        self._open[task] = False
        if self._server is None or not self._server.is_serving():
            return False
        async with asyncio.timeout(SILENCE):
            began = await frame.begins(reader)
        self._open[task] = True
        return began

    def _admitted(self, writer: asyncio.StreamWriter) -> Feed | None:
        """Return who it is; None for nobody that is known, counted."""
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        name = _name_in(writer.get_extra_info("peercert"))
        found = [one for one in self._peers.feed if one.is_at(address)]
        feed = next((one for one in found if one.certificate in (None, name)), None)
        if len(self._open) >= self._settings.gateway_hl7_connections:
            self._metrics.rejected("crowd")
            return None
        if feed is None:
            reason = "peer" if found else "address"
            self._metrics.rejected(reason)
            log(logging.WARNING, "feed rejected", address=address, reason=reason)
        return feed

    async def _one(
        self,
        feed: Feed,
        address: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        async with asyncio.timeout(self._settings.gateway_idle_seconds):
            data = await frame.rest(reader)
        result, said = await self._answer(feed, address, data)
        self._metrics.message(result)
        async with asyncio.timeout(self._settings.gateway_idle_seconds):
            writer.write(frame.framed(said))
            await writer.drain()

    async def _answer(self, feed: Feed, address: str, data: bytes) -> tuple[str, bytes]:
        head: Head | None = None
        try:
            found = message.read(data)
            head = found.head
            done = await self._feeds.take(feed, feed.actor(address), found, data)
            return ("taken" if done else "again"), answer.answered(head, "A", now())
        except MessageError as error:
            head, number, why = error.head or head, error.code, str(error)
            code: Code = "R" if number in _REJECTED else "E"
        except HeldError:
            code, number = "E", "207"
            why = "A legal hold is on the patient that would be merged."
        except Exception as error:
            if not isinstance(error, StorageError):
                log(logging.ERROR, "bug", task="feed", fault=fault(error))
            said = "It cannot be kept now: send it again."
            return "not_kept", answer.answered(head, "R", now(), "207", said)
        log(logging.WARNING, "message refused", feed=feed.name, code=number)
        return "refused", answer.answered(head, code, now(), number, why)


def _name_in(certificate: Any) -> str | None:
    """Return the common name of a certificate that a TLS client has proven."""
    subject: Any = (certificate or {}).get("subject", ())
    names = {key: value for part in subject for key, value in part}
    return names.get("commonName")


def server_context(settings: GatewaySettings) -> ssl.SSLContext | None:
    """Return what is shown and asked for, by TLS 1.2 or 1.3; None: without TLS.

    Raises :class:`OSError` where a file cannot be used.
    """
    if settings.gateway_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.gateway_certificate, settings.gateway_key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(settings.gateway_authorities)
    return context
