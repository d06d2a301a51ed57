"""Messages of an interface engine, and a line to send them on."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.integration.hl7 import acknowledgement, frame
from service.integration.hl7.acknowledgement import Answer

_NUMBERS = itertools.count(1)


def message(kind: str, *segments: str, control: str = "", **msh: str) -> bytes:
    """Return a message of a type, with a control ID of its own; ``msh`` as in MSH."""
    values = {"processing": "P", "version": "2.5.1", "accept": "", "charset": "UNICODE UTF-8"}
    values |= msh
    number = control or f"C{next(_NUMBERS)}"
    head = (
        f"MSH|^~\\&|ENGINE|HOSP|OSTEOSERVE|X|20260203101500||{kind}|{number}"
        f"|{values['processing']}|{values['version']}|||{values['accept']}|||{values['charset']}"
    )
    return ("\r".join([head, *segments]) + "\r").encode()


def merge(into: str, former: str, **msh: str) -> bytes:
    return message("ADT^A40^ADT_A39", "EVN|A40|20260203", f"PID|1||{into}", f"MRG|{former}", **msh)


def update(patient: str, born: str = "19590304", sex: str = "F") -> bytes:
    return message("ADT^A08^ADT_A01", f"PID|1||{patient}||Doe^Jane||{born}|{sex}", "PV1|1|O")


def order(accession: str, control: str = "NW", study: str = "") -> bytes:
    return message(
        "OMI^O23^OMI_O23",
        "PID|1||4711^^^HOSP^MR",
        f"ORC|{control}|P-17^RIS|F-18^RIS",
        "OBR|1|P-17^RIS|F-18^RIS|77081^DXA^C4",
        f"IPC|{accession}|RP-1|{study}|SPS-1",
    )


@dataclass
class Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def raw(self, data: bytes) -> bytes | None:
        """Send bytes as they are; return the next answer, None where the line was closed."""
        self.writer.write(data)
        await self.writer.drain()
        try:
            async with asyncio.timeout(20):
                return await frame.read(self.reader)
        except (ConnectionError, frame.FrameError):
            return None

    async def send(self, data: bytes) -> Answer:
        found = await self.raw(frame.framed(data))
        assert found is not None
        return acknowledgement.read(found)


@asynccontextmanager
async def line(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
