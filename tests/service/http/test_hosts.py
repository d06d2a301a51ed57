"""Names that requests may have, and pages that may send."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.http.hosts import Authority, HostError, Hosts
from service.settings import Settings, SettingsError, load
from tests.listener.clients import ended
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_problem

pytestmark = pytest.mark.anyio

CLINIC = Hosts.of("dxa, *.wards.example", listening="10.0.0.5", public_url="https://dxa.example/x")


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST:8000", "dxa.localhost", "127.0.0.1:8000", "[::1]:8000", "10.9.8.7",
        "[2001:db8::1]", "dxa", "dxa:80", "dxa.example", "dxa.example.", "a.wards.example",
        "a.b.wards.example:8443", "127.0.0.1:",
    ],
)  # fmt: skip
def test_names_that_are_known_and_any_address(host: str) -> None:
    authority = Authority.parse(host)
    assert authority is not None
    assert authority in CLINIC


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "wards.example",
        "dxa.example.evil.example",
        "localhost.evil.example",
        "1.2.3",
    ],
)
def test_names_that_are_not(host: str) -> None:
    authority = Authority.parse(host)
    assert authority is not None
    assert authority not in CLINIC


@pytest.mark.parametrize(
    "host", ["", "[", "[::1", "[zz]", "a b", "a/b", "a@b", "a:b", "a:123456", "-a", "é", "a" * 400]
)
def test_what_names_no_host(host: str) -> None:
    assert Authority.parse(host) is None


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("http://dxa", "dxa:80", True),
        ("http://dxa:80", "dxa", True),
        ("https://dxa", "dxa:443", True),
        ("HTTP://DXA", "dxa", True),
        ("https://dxa", "dxa", True),
        ("http://dxa:8000", "dxa:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://[::1]:8000", "[0:0:0:0:0:0:0:1]:8000", True),
        ("http://[2001:DB8::1]", "[2001:db8:0::1]:80", True),
        ("https://[::1]:443", "[::1]", True),
        ("http://DXA.", "dxa:80", True),
        ("http://dxa", "DXA.:80", True),
        ("https://dxa:443", "dxa", True),
        ("https://dxa", "dxa:80", False),
        ("http://[::1]:8000", "[::2]:8000", False),
        ("http://[::1]:8000", "localhost:8000", False),
        ("http://dxa:8000", "dxa", False),
        ("http://dxa", "dxa:443", False),
        ("http://evil.example", "dxa", False),
        ("null", "dxa", False),
        ("http://[", "dxa", False),
        ("", "dxa", False),
        ("ftp://dxa", "dxa", False),
        ("http://dxa", "", False),
        ("https://dxa.example", "front:8000", True),
        ("https://dxa.example:443", "dxa.example", True),
        ("http://dxa.example", "dxa.example", False),
        ("https://dxa.example:8443", "dxa.example", False),
    ],
)
def test_origins_are_compared_by_scheme_host_and_port(origin: str, host: str, ours: bool) -> None:
    assert CLINIC.same_origin(origin, host) is ours


@pytest.mark.parametrize("names", ["http://dxa", "dxa:80", "*", "*.", "a b", "a,,b/c"])
def test_a_setting_that_names_no_host_is_refused(
    names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(HostError):
        Hosts.of(names)
    monkeypatch.setenv("OSTEOSERVE_HOSTS", names)
    with pytest.raises(SettingsError, match="OSTEOSERVE_HOSTS"):
        load()


def test_what_is_listened_on_is_known() -> None:
    listening = Settings(host="dxa-server.lan").allowed_hosts
    authority = Authority.parse("dxa-server.lan:8000")
    assert authority is not None
    assert authority in listening


async def test_attack_19_a_page_whose_name_was_made_to_point_here_gets_nothing(
    shared: Front, png: bytes
) -> None:
    """DNS rebinding: to the browser it is one site, so that it sends no word of another."""
    made = await shared.client.post(API, content=png)
    location = made.headers["location"]
    rebound = {"Host": "evil.example:8000", "Origin": "http://evil.example:8000",
               "Sec-Fetch-Site": "same-origin"}  # fmt: skip
    client = shared.client
    calls = shared.calls
    assert_problem(await client.get(location, headers=rebound), "host_not_known")
    assert_problem(await client.delete(location, headers=rebound), "host_not_known")
    assert_problem(await client.post(API, content=png, headers=rebound), "host_not_known")
    signing = await client.post(f"{location}/reviews", json={"decision": "sign"}, headers=rebound)
    assert_problem(signing, "host_not_known")
    for path in ("/", "/history", "/metrics", "/static/base.css", "/bulk"):
        page = await client.get(path, headers=rebound)
        assert page.status_code == 421
        assert "evil" not in page.text
    assert_error_page(await client.get("/", headers=rebound), "host_not_known")
    assert (await client.get(location)).status_code == 200
    assert shared.calls == calls


async def test_probes_may_call_us_what_they_like(shared: Front) -> None:
    answer = await shared.client.get("/health/live", headers={"Host": "front.ns.svc"})
    assert answer.status_code == 200
    pod = await shared.client.get("/metrics", headers={"Host": "10.244.0.7:8000"})
    assert pod.status_code == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
         400),
        (b"GET / HTTP/1.1\r\nHost: local host\r\nConnection: close\r\n\r\n", 400),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 200),
        (b"GET / HTTP/1.0\r\n\r\n", 200),
        (b"GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421),
    ],
    ids=["none", "two", "no name", "another in the address", "HTTP/1.0", "HTTP/1.0 and a name"],
)  # fmt: skip
async def test_one_host_is_named(shared: Front, head: bytes, status: int) -> None:
    assert (await ended(shared.client.base_url.port or 0, head)).status == status


async def test_a_name_that_is_set_works_as_a_plain_address_in_a_local_network(
    var: Path, png: bytes
) -> None:
    """Over plain http from a name a browser sends no Sec-Fetch-Site, and Origin with forms."""
    async with running() as runners, front(var, runners, hosts="dxa.clinic.example") as opened:
        port = opened.client.base_url.port
        headers = {
            "Host": f"dxa.clinic.example:{port}",
            "Origin": f"http://dxa.clinic.example:{port}",
        }
        page = await opened.client.post("/", files={"file": ("a", png)}, headers=headers)
        assert page.status_code == 303
        sent = await opened.client.post(API, content=png, headers={**headers, "Origin": "null"})
        assert_problem(sent, "cross_origin")
