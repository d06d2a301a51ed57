"""Proxies that the environment names stand between nobody and our own runners."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import pytest

from k8s import helm
from tests.ports import free_port
from tests.service.kit.fronts import API, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

RELEASE_TEST = helm.CHART / "files" / "release_test.py"
NAMES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


@pytest.fixture(autouse=True)
def _proxies_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


async def test_a_front_asks_its_runners_itself(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners) as opened:
        answer = await opened.client.post(API, content=png)
        assert (answer.status_code, answer.json()["missing"]) == (201, [])


async def test_helm_test_asks_the_front_itself(var: Path) -> None:
    async with running() as runners, front(var, runners, auth="local") as opened:
        url = str(opened.client.base_url).rstrip("/")
        asking = await anyio.run_process([sys.executable, str(RELEASE_TEST), url], check=False)
    assert (asking.returncode, asking.stdout.strip()) == (0, b"the release answers")
