"""The file of peers: what it takes, and what it says of what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.__main__ import main
from service.integration.destinations import FhirDestination
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


ENGINE = '\n[[destination]]\nname = "engine"\nkind = "hl7"\nhost = "engine"\nport = 2575\n'
CLOUD = '\n[[destination]]\nname = "cloud"\nkind = "dicomweb"\nbase = "https://cloud.example/web"\n'
RECORD = '\n[[destination]]\nname = "record"\nkind = "fhir"\nbase = "https://fhir.example/r4/"\n'


def test_a_destination_is_of_a_kind_and_a_pacs_where_it_is_not_said(tmp_path: Path) -> None:
    more = CLOUD + ENGINE + RECORD + 'pdf = true\ntoken_file = "/run/token"\n'
    peers = Peers.read(peers_file(tmp_path, 104, more=more))
    assert [one.kind for one in peers.destination] == ["dicom", "dicomweb", "hl7", "fhir"]
    # Those that may be asked for storage commitment.
    assert [one.name for one in peers.pacs] == ["pacs"]
    assert peers.wants_sheets
    *_, record = peers.destination
    assert isinstance(record, FhirDestination)
    assert record.base == "https://fhir.example/r4"
    assert not Peers.read(peers_file(tmp_path, 104, more=ENGINE)).wants_sheets


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (ENGINE.replace("hl7", "v2"), "kind is dicom, dicomweb, hl7 or fhir"),
        (CLOUD + 'called = "PACS"\n', "destination.1.called"),
        (CLOUD + "commitment = true\n", "destination.1.commitment"),
        (CLOUD.replace("https", "http"), "https is needed"),
        (CLOUD.replace("/web", "/web?a=b"), "nor a query"),
        (CLOUD + 'user = "us"\n', "user and password_file go together"),
        (CLOUD + 'password_file = "p"\n', "user and password_file go together"),
        (CLOUD + 'user = "u:s"\npassword_file = "p"\n', "destination.1.user"),
        (CLOUD + 'user = "us"\npassword_file = "p"\ntoken_file = "t"\n', "choose one"),
        (CLOUD + 'key = "key.pem"\n', "certificate and key go together"),
        (
            CLOUD.replace("https://cloud.example", "http://localhost")
            + 'key = "k.pem"\ncertificate = "c.pem"\n',
            "shown by https alone",
        ),
        (ENGINE + 'called = "PACS"\n', "destination.1.called"),
        (ENGINE + "commitment = true\n", "destination.1.commitment"),
        (ENGINE + 'charset = "KOI8-R"\n', "destination.1.charset"),
        (ENGINE + 'key = "key.pem"\n', "certificate and key go together"),
        (ENGINE + 'facility = "A\\rMSH"\n', "destination.1.facility"),
        (ENGINE + 'key = "k.pem"\ncertificate = "c.pem"\n', "needs authorities"),
        (RECORD.replace("https", "http"), "https is needed"),
        (RECORD.replace("https", "ftp"), "no http or https address"),
        (RECORD.replace("fhir.example", "me:secret@fhir.example"), "neither a user"),
        (RECORD + 'client_id = "us"\n', "go together"),
        (
            RECORD + 'token_file = "t"\nclient_id = "us"\nclient_secret_file = "s"\n'
            'token_url = "https://fhir.example/token"\n',
            "choose one",
        ),
        (RECORD + 'client_key_file = "k"\n', "client_id and client_key_file go together"),
        (RECORD + 'client_key_id = "1"\n', "client_key_id is of client_key_file"),
        (
            RECORD + 'client_id = "us"\nclient_key_file = "k"\nclient_secret_file = "s"\n',
            "choose one",
        ),
        (
            RECORD + 'client_id = "us"\nclient_key_file = "k"\ntoken_file = "t"\n',
            "choose one",
        ),
        (
            RECORD + 'client_id = "us"\nclient_key_file = "k"\ntoken_url = "http://a.example"\n',
            "https is needed",
        ),
        (CLOUD + 'client_id = "us"\nclient_key_file = "k"\n', "client_key_file"),
    ],
)
def test_a_mistake_in_a_kind_of_destination_is_named(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(PeersError) as caught:
        Peers.read(peers_file(tmp_path, 104, more=more))
    assert said in str(caught.value)
    assert "secret@" not in str(caught.value)


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
