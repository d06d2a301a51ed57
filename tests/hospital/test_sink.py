"""The interface engine that keeps what it is sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hospital.sink import sink
from service.integration.compose import oru
from service.integration.destinations import Hl7Destination
from service.integration.hl7 import acknowledgement, client, frame
from tests.service.integration.compose.kit import made

pytestmark = pytest.mark.anyio


def kept(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


async def test_a_message_is_a_file_as_it_was_sent_before_it_is_acknowledged(
    tmp_path: Path,
) -> None:
    async with sink(tmp_path) as port:
        to = Hl7Destination(name="engine", kind="hl7", host="127.0.0.1", port=port)
        message = oru.compose(to, made())
        for _ in range(2):
            assert (await client.send(to, message, {})).objects == {"answer": "AA"}
    assert kept(tmp_path) == {"000001.hl7": message, "000002.hl7": message}


async def test_one_that_is_started_again_keeps_what_there_is(tmp_path: Path) -> None:
    study = made()
    for _ in range(2):
        async with sink(tmp_path) as port:
            to = Hl7Destination(name="engine", kind="hl7", host="127.0.0.1", port=port)
            message = oru.compose(to, study)
            assert (await client.send(to, message, {})).reason is None
    assert kept(tmp_path) == {"000001.hl7": message, "000002.hl7": message}


async def test_what_is_no_message_is_refused_and_the_next_is_served(tmp_path: Path) -> None:
    async with sink(tmp_path) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for said in (b"hello", b"MSH|^~\\&|short"):
            writer.write(frame.framed(said))
            answer = await frame.read(reader)
            assert answer is not None
            assert acknowledgement.read(answer).code == "AR"
        writer.write(b"no block" + frame.END)
        assert await frame.read(reader) is None
        writer.close()
        to = Hl7Destination(name="engine", kind="hl7", host="127.0.0.1", port=port)
        assert (await client.send(to, oru.compose(to, made()), {})).reason is None
