"""Sends a message by MLLP, and says what became of it."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from service.integration.destinations import Hl7Destination
from service.integration.hl7 import acknowledgement, frame
from service.integration.ledger.schemas import Sent
from service.integration.redaction import redacted

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 30.0
MOST: Final = 2**17
"""Bytes of an acknowledgement."""
_ANSWER, _REFUSALS = "answer", "refusals"


async def send(destination: Hl7Destination, message: bytes, before: Mapping[str, str]) -> Sent:
    """Send ``message`` and wait for its acknowledgement; return what became of it.

    ``before`` is what an earlier attempt returned. The message is as it was then, its control ID
    too, so that a receiver that had taken it knows it again.
    """
    try:
        authorities = destination.authorities
        tls = None if authorities is None else client_context(destination, authorities)
    except (OSError, ssl.SSLError):
        return Sent(objects={}, reason="certificate_unreadable")
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(
                destination.host, destination.port, ssl=tls, limit=MOST
            )
    except ssl.SSLError:
        return Sent(objects={}, reason="tls")
    except (OSError, TimeoutError):
        return Sent(objects={}, reason="unreachable")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            # In one piece: some receivers take what comes first for all of it.
            writer.write(frame.framed(message))
            await writer.drain()
            return await _answered(destination, reader, message, before)
    except TimeoutError:
        return Sent(objects={}, reason="no_answer")
    except OSError:
        return Sent(objects={}, reason="cut off")
    finally:
        writer.close()
        try:
            async with asyncio.timeout(1.0):
                await writer.wait_closed()
        except (OSError, TimeoutError):
            writer.transport.abort()


async def _answered(
    destination: Hl7Destination,
    reader: asyncio.StreamReader,
    message: bytes,
    before: Mapping[str, str],
) -> Sent:
    expected = control_id(message)
    while True:
        try:
            data = await frame.read(reader)
            if data is None:
                return Sent(objects={}, reason="cut off")
            answer = acknowledgement.read(data)
        except (frame.FrameError, acknowledgement.AnswerError):
            return Sent(objects={}, reason="no_acknowledgement")
        if answer.control_id != expected:
            # Of an earlier message, which came too late.
            continue
        if answer.code in acknowledgement.ACCEPTED:
            return Sent(objects={_ANSWER: answer.code}, reason=None)
        refusals = int(before.get(_REFUSALS, "0")) + 1
        code = answer.code if answer.error is None else f"{answer.code} {answer.error}"
        return Sent(
            objects={_ANSWER: answer.code, _REFUSALS: str(refusals)},
            reason=f"refused {code}",
            passes=refusals < destination.refusals,
            detail=redacted(answer.said, words(message)),
        )


def control_id(message: bytes) -> str:
    """Return MSH-10 of a message of ours."""
    return message.split(b"\r", 1)[0].split(b"|")[9].decode("ascii")


def words(message: bytes) -> frozenset[str]:
    """Return what a message of ours says of the patient: all of PID, and the order's numbers."""
    text = message.decode(errors="replace")
    found: set[str] = set()
    for line in text.split("\r"):
        fields = line.split("|")
        if fields[0] == "PID":
            found.update(part for one in fields[2:] for part in re.split(r"[\^~&]", one))
        elif fields[0] == "OBR":
            found.update(part for one in (*fields[2:4], *fields[16:19]) for part in one.split("^"))
    return frozenset(found)


def client_context(destination: Hl7Destination, authorities: Path) -> ssl.SSLContext:
    """Return what the engine is held against. Raises :class:`OSError` for a file of no use."""
    context = ssl.create_default_context(cafile=str(authorities))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if destination.certificate is not None:
        context.load_cert_chain(destination.certificate, destination.key)
    return context
