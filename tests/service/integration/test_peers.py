"""The file of peers: what it takes, and what it says of what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.__main__ import main
from service.integration.peers import Peers, PeersError
from tests.service.integration.gateways import PEERS, peers_file

GOOD = PEERS.format(port=104, attempts=5)


def test_all_that_a_peer_names_must_match(tmp_path: Path) -> None:
    more = (
        '\n[[peer]]\nname = "secure"\ncalling = "TLS1"\ncalled = "OSTEOSERVE"\n'
        'addresses = ["10.1.2.0/24", "fd00::/8"]\nsite = "east"\ncertificate = "dxa.example"\n'
    )
    peers = Peers.read(peers_file(tmp_path, 104, more=more))

    def site(calling: str, called: str, address: str, name: str | None = None) -> str | None:
        found = peers.match(calling, called, address, name)
        return None if found is None else found.site

    assert site("DXA1", "OSTEOSERVE", "127.0.0.1") == "default"
    assert site(" DXA1\0\0", "OSTEOSERVE  ", "127.0.0.1") == "default"
    assert site("DXA1", "OSTEOSERVE", "::ffff:127.0.0.1") == "default"
    assert site("DXA1", "OSTEOSERVE", "127.0.0.2") is None
    assert site("dxa1", "OSTEOSERVE", "127.0.0.1") is None
    assert site("TLS1", "OSTEOSERVE", "10.1.2.9", "dxa.example") == "east"
    assert site("TLS1", "OSTEOSERVE", "fd00::1", "dxa.example") == "east"
    assert site("TLS1", "OSTEOSERVE", "10.1.2.9", "another") is None
    assert site("TLS1", "OSTEOSERVE", "10.1.2.9") is None
    assert site("", "", "") is None
    east, west = peers.peer[1].actor(), peers.peer[0].actor()
    assert (east.site, east.roles) == ("east", frozenset({"integrator"}))
    assert east.id == peers.peer[1].actor().id != west.id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[[peer]]", "[[peers]]"), "peers"),
        (("127.0.0.1/32", "127.0.0.999"), "peer.0.addresses"),
        (('"127.0.0.1/32"', ""), "peer.0.addresses"),
        (("DXA1", "DXA1SEVENTEENCHARS"), "peer.0.calling"),
        (("DXA1", ""), "peer.0.calling"),
        (("port = 104", "port = 0"), "destination.0.port"),
        (("attempts = 5", "attempts = 5\nretries = 5"), "retries"),
        (('name = "pacs"', 'name = "../pacs"'), "destination.0.name"),
        (("[[peer]]", "[[peer"), "TOML"),
        (("attempts = 5", 'certificate = "a.pem"'), "certificate and key go together"),
        (("attempts = 5", 'certificate = "a"\nkey = "b"'), "which needs authorities"),
        (("attempts = 5\n", "commitment = true\n"), None),
        (
            ('host = "127.0.0.1"', 'host = "pacs.example"\ncommitment = true'),
            "commitment needs addresses",
        ),
        (("[[destination]]", 'report_host = "a"\n[[destination]]'), "go together"),
        (("[[destination]]", "report_tls = true\n[[destination]]"), "report_tls is of report_host"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: tuple[str, str], said: str | None) -> None:
    path = tmp_path / "peers.toml"
    path.write_text(GOOD.replace(*change, 1))
    if said is None:
        assert Peers.read(path).destination[0].commitment is True
        return
    with pytest.raises(PeersError) as caught:
        Peers.read(path)
    assert said in str(caught.value)


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "peers.toml"
    path.write_text(GOOD + GOOD)
    with pytest.raises(PeersError, match="same name"):
        Peers.read(path)


def test_a_gateway_without_peers_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OSTEOSERVE_VAR", str(tmp_path))
    assert main(["gateway"]) == 2
    assert "OSTEOSERVE_GATEWAY_PEERS" in capsys.readouterr().err
    monkeypatch.setenv("OSTEOSERVE_GATEWAY_PEERS", str(tmp_path / "none.toml"))
    assert main(["gateway"]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_who_reports_is_known_by_titles_and_address(tmp_path: Path) -> None:
    """A PACS that is told to commit may call back, from its own address or those that it has."""
    more = (
        "commitment = true\n"
        '\n[[destination]]\nname = "far"\ncalled = "FAR"\ncalling = "US"\nhost = "far.example"\n'
        'port = 104\ncommitment = true\naddresses = ["10.1.2.0/24"]\n'
        '\n[[destination]]\nname = "mute"\ncalled = "MUTE"\ncalling = "US"\nhost = "10.9.9.9"\n'
        "port = 104\n"
    )
    peers = Peers.read(peers_file(tmp_path, 104, more=more))

    def name(calling: str, called: str, address: str) -> str | None:
        found = peers.reporter(calling, called, address)
        return None if found is None else found.name

    assert name("PACS", "OSTEOSERVE", "127.0.0.1") == "pacs"
    assert name("PACS ", "OSTEOSERVE", "::ffff:127.0.0.1") == "pacs"
    assert name("FAR", "US", "10.1.2.7") == "far"
    assert name("FAR", "US", "10.1.3.7") is None
    assert name("US", "FAR", "10.1.2.7") is None
    assert name("MUTE", "US", "10.9.9.9") is None
    assert peers.known("10.1.2.7")
    assert not peers.known("10.9.9.9")
    assert peers.callers == {"DXA1", "PACS", "FAR"}
