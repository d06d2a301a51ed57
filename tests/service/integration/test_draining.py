"""A gateway that is asked to stop loses nothing, and one that listens everywhere is found."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from service.integration.metrics import REJECTED
from tests.service.integration.kit import image
from tests.service.integration.test_listener import answer, listening, raw, request

pytestmark = pytest.mark.anyio

SIXTH = """
[[peer]]
name = "dxa-6"
calling = "DXA6"
called = "OSTEOSERVE"
addresses = ["::1"]
"""


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_an_open_association_ends_in_peace_and_a_new_one_is_told_to_come_again(
    tmp_path: Path,
) -> None:
    async for opened in listening(tmp_path, gateway_drain_seconds=30.0):
        association = await asyncio.to_thread(opened.associate)
        stopping = asyncio.create_task(opened.listener.stop())
        await asyncio.sleep(0)
        with raw(opened) as other:
            other.sendall(request(b"DXA1".ljust(16), b"OSTEOSERVE".ljust(16)))
            # A-ASSOCIATE-RJ: transient, by the presentation provider, temporary congestion.
            rejected = await asyncio.to_thread(answer, other)
        assert rejected[:1] + rejected[7:10] == b"\x03\x02\x03\x01"
        assert opened.sample(REJECTED, reason="stopping") == 1
        for one in (image(), image()):
            status = (await asyncio.to_thread(association.send_c_store, one)).Status
            assert status == 0x0000
        assert not stopping.done()
        await asyncio.to_thread(association.release)
        await asyncio.wait_for(stopping, 20)
        assert (await opened.ledger.balance()).accepted == 2
        with pytest.raises(ConnectionRefusedError):
            raw(opened)


async def test_who_does_not_end_is_cut_off_after_a_while(tmp_path: Path) -> None:
    async for opened in listening(tmp_path, gateway_drain_seconds=0.2):
        association = await asyncio.to_thread(opened.associate)
        await asyncio.wait_for(opened.listener.stop(), 20)
        end = time.monotonic() + 20
        while association.is_established and time.monotonic() < end:  # noqa: ASYNC110 - a thread
            await asyncio.sleep(0.05)
        assert not association.is_established


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
async def test_everywhere_is_both_families_and_each_peer_has_its_own_address(
    tmp_path: Path,
) -> None:
    async for opened in listening(tmp_path, SIXTH, gateway_host="::"):
        assert await opened.send(image()) == [0x0000]
        assert await opened.send(image(), calling="DXA6", host="::1") == [0x0000]
        # Each by its own address alone.
        four = await asyncio.to_thread(opened.associate, host="::1")
        six = await asyncio.to_thread(opened.associate, "DXA6")
        assert four.is_rejected
        assert six.is_rejected


async def test_without_ipv6_everywhere_is_the_other_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind = socket.socket.bind

    def bound(one: socket.socket, address: tuple[str, int]) -> None:
        if one.family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        bind(one, address)

    monkeypatch.setattr(socket.socket, "bind", bound)
    async for opened in listening(tmp_path, gateway_host="::"):
        assert await opened.send(image()) == [0x0000]
