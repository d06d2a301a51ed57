"""Whose address a request has, with proxies in between (case A28 and attack 38)."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from service.http.back import own
from service.http.client import address, is_forwarded
from service.http.cookies import values
from service.identity.settings import IdentitySettings
from service.settings import Settings

PROXIES = Settings(trusted_proxies="10.0.0.0/8, fd00::/8").proxies


def asked(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    client = None if peer is None else (peer, 1)
    return Request({"type": "http", "headers": headers, "client": client})


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        # Nobody is believed who is no proxy of ours.
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.7"], "127.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        # What the client made up stands before what our proxy adds.
        ("10.0.0.1", ["1.1.1.1, 2.2.2.2, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        ("10.0.0.1", ["10.1.1.1"], "10.1.1.1"),
        ("10.0.0.1", ["not an address"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("fd00::1", ["2001:db8::1%eth0"], "2001:db8::1"),
        ("fd00::1", ["[2001:db8::1]"], "2001:db8::1"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        (None, ["198.51.100.7"], None),
        ("a socket", [], None),
    ],
)
def test_attack_38_the_nearest_that_is_no_proxy_of_ours(
    peer: str | None, forwarded: list[str], found: str | None
) -> None:
    assert address(asked(peer, *forwarded), PROXIES) == found


def test_a_proxy_shows() -> None:
    assert not is_forwarded(asked("192.0.2.1"))
    assert is_forwarded(asked("192.0.2.1", "198.51.100.7"))


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "ten", "10.0.0.0/8;fd00::/8"])
def test_networks_that_are_none_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="networks as"):
        IdentitySettings.model_validate({"trusted_proxies": wrong})


def test_a_cookie_is_found_among_others() -> None:
    header = "a=1; osteoserve=x; osteoserve-not=y;osteoserve=z; broken; =; osteoserve"
    assert values(header, "osteoserve") == ["x", "z", ""]
    assert values("", "osteoserve") == []
    assert values("osteoserve=a=b", "osteoserve") == ["a=b"]


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("/history?sort=oldest", "/history?sort=oldest"),
        ("/results/1#review", "/results/1"),
        ("", "/"),
        ("//evil.example/a", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\nb", "/"),
        ("/" + "a" * 3000, "/"),
        ("///evil.example", "/evil.example"),
    ],
)
def test_the_way_back_stays_here(sent: str, found: str) -> None:
    assert own(sent) == found
