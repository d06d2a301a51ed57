"""Proxies that the environment names stand between nobody and our own runners."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ports import free_port
from tests.service.kit.fronts import API, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

NAMES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


async def test_a_front_asks_its_runners_itself(
    var: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with running() as runners, front(var, runners) as opened:
        answer = await opened.client.post(API, content=png)
        assert (answer.status_code, answer.json()["missing"]) == (201, [])
