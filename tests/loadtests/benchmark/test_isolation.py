from __future__ import annotations

import pytest

from loadtests.benchmark import isolation
from loadtests.benchmark.contenders import CONTENDERS
from loadtests.benchmark.server import Server, ServerError


def test_what_listens_on_every_interface_is_not_started_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(isolation.INSIDE, raising=False)

    with (
        pytest.raises(ServerError, match="listens on every interface"),
        Server(CONTENDERS["ray-runtime-each"]),
    ):
        pass


def test_who_is_inside_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(isolation.INSIDE, "1")

    isolation.enter(["one"])

    assert isolation.isolated()
