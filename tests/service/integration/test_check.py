"""DICOM TLS to a destination, and what ``python -m service gateway check`` says of each fault."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE

from service.__main__ import main
from service.integration.archives import Archive, Worklist
from service.integration.destinations import DicomDestination
from service.integration.dicom.check import ECHO, check
from service.integration.dicom.query import FIND, GET, MOVE
from service.integration.dicom.sender import send
from service.integration.dicom.worklist import SOP_CLASS as WORKLIST
from tests import ports
from tests.chart.authority import OPENSSL, Certified, certified
from tests.service.integration import archives
from tests.service.integration.counterparts import environment, orthanc, tool
from tests.service.integration.gateways import peers_file
from tests.service.integration.test_sender import SC, SR, made


def destination(port: int, **changes: Any) -> DicomDestination:
    values = {"name": "pacs", "called": "PACS", "calling": "US", "host": "localhost"}
    return DicomDestination(**{**values, "port": port, **changes})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    if OPENSSL is None:
        pytest.skip("no openssl to make certificates with")
    return certified(tmp_path_factory.mktemp("site"), "localhost")


@pytest.fixture(scope="module")
def storescp(site: Certified, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """DCMTK's storescp, which wants a certificate that the site's authority has signed."""
    folder, port = tmp_path_factory.mktemp("stored"), ports.free_port()
    process = subprocess.Popen(
        [
            tool("storescp"), "+tls", str(site.key), str(site.certificate),
            "+cf", str(site.authority), "-od", str(folder), "-aet", "PACS", str(port),
        ],
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def mutual(site: Certified) -> dict[str, Any]:
    return {"authorities": site.authority, "certificate": site.certificate, "key": site.key}


def test_results_go_by_tls_with_certificates_of_both_sides(site: Certified, storescp: int) -> None:
    pacs = destination(storescp, **mutual(site))
    assert check(pacs) is None
    results = made(2)
    sent = send(pacs, results, {})
    assert (sent.reason, set(sent.objects.values())) == (None, {"0000"})


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("other"), "localhost")


def test_who_is_not_who_it_should_be_is_sent_nothing(
    site: Certified, other: Certified, storescp: int
) -> None:
    faults = {
        "shows a certificate that is signed by nobody in": {
            **mutual(site), "authorities": other.authority,
        },
        "shows a certificate that is not for 127.0.0.1": {**mutual(site), "host": "127.0.0.1"},
        "asks for a certificate and none is set": {"authorities": site.authority},
        "does not take our certificate": {
            **mutual(site), "certificate": other.certificate, "key": other.key,
        },
        "takes connections and answers no association: does it speak TLS alone?": {},
    }  # fmt: skip
    for says, changes in faults.items():
        pacs = destination(storescp, **changes)
        said = check(pacs)
        assert said is not None
        assert says in said
        assert send(pacs, made(1), {}).reason == "unreachable"


def test_files_that_cannot_be_used_are_named(
    site: Certified, storescp: int, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.pem"
    pacs = destination(storescp, authorities=gone)
    assert check(pacs) == f"pacs needs {gone}, which cannot be read."
    assert send(pacs, made(1), {}).reason == "tls_files"
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    said = check(destination(storescp, authorities=junk))
    assert said is not None
    assert "no PEM files" in said


def test_a_server_that_has_no_tls_is_told_so(site: Certified, tmp_path: Path) -> None:
    with orthanc(tmp_path / "pacs", ports.free_port(), ports.free_port()) as one:
        said = check(destination(one.dicom, **mutual(site)))
    assert said is not None
    assert "speaks none" in said or "does not speak TLS" in said


@contextmanager
def pacs(classes: tuple[str, ...] = ("1.2.840.10008.1.1", SC, SR), **more: Any) -> Iterator[int]:
    ae = AE("PACS")
    ae.require_called_aet = True
    for key, value in more.items():
        setattr(ae, key, value)
    for one in classes:
        ae.add_supported_context(one)
    server = ae.start_server(("127.0.0.1", 0), block=False, ae_title="PACS")
    try:
        yield server.socket.getsockname()[1]
    finally:
        ae.shutdown()


@pytest.mark.parametrize(
    ("server", "changes", "says"),
    [
        ({}, {}, None),
        ({}, {"called": "ELSE"}, "pacs is not called ELSE: correct called."),
        (
            {"require_calling_aet": ["THEM"]}, {},
            "pacs does not know US as a calling AE title: enter it there, or correct calling.",
        ),
        (
            {"classes": ("1.2.840.10008.1.1", SC)}, {},
            "pacs answers, but takes no Comprehensive 3D SR.",
        ),
        (
            {"classes": ("1.2.840.10008.1.1",)}, {},
            "pacs answers, but takes no Comprehensive 3D SR, and no Secondary Capture.",
        ),
        ({}, {"pdf": True}, "pacs answers, but takes no Encapsulated PDF."),
        (
            {}, {"commitment": True, "addresses": ["127.0.0.1"]},
            "pacs answers, but takes no storage commitment, which commitment asks for.",
        ),
    ],
    ids=["whole", "called", "calling", "report", "nothing", "sheet", "commitment"],
)  # fmt: skip
def test_what_a_pacs_does_not_take_is_said(
    server: dict[str, Any], changes: dict[str, Any], says: str | None
) -> None:
    with pacs(**server) as port:
        assert check(destination(port, **changes)) == says


def test_who_is_not_there_is_said() -> None:
    with ports.held() as holder:
        port = holder.getsockname()[1]
        said = check(destination(port, host="127.0.0.1"))
    assert said == (
        f"pacs does not listen at 127.0.0.1:{port}: another port, or it is not running."
    )
    said = check(destination(104, host="pacs.invalid"))
    assert said == "pacs has a host, pacs.invalid, that no DNS here knows."


def test_orthanc_is_whole(tmp_path: Path) -> None:
    with orthanc(tmp_path / "pacs", ports.free_port(), ports.free_port()) as one:
        asked = {"commitment": True, "addresses": ["127.0.0.1"]}
        assert check(destination(one.dicom, **asked)) is None


def test_the_command_says_all_of_it_and_fails_where_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pacs() as port, ports.held() as holder:
        away = holder.getsockname()[1]
        more = (
            '\n[[destination]]\nname = "cloud"\nkind = "dicomweb"\n'
            f'base = "http://127.0.0.1:{away}/web"\n'
            '\n[[destination]]\nname = "away"\ncalled = "A"\ncalling = "B"\nhost = "127.0.0.1"\n'
            f"port = {away}\n"
            '\n[[destination]]\nname = "engine"\nkind = "hl7"\nhost = "127.0.0.1"\n'
            f"port = {port}\n"
            '\n[[destination]]\nname = "record"\nkind = "fhir"\n'
            f'base = "http://127.0.0.1:{away}/r4"\n'
        )
        file = peers_file(tmp_path, port, more=more)
        monkeypatch.setenv("OSTEOSERVE_GATEWAY_PEERS", str(file))
        assert main(["gateway", "check"]) == 1
        said = capsys.readouterr()
        assert said.out == "pacs answers.\nengine takes connections.\n"
        assert [one.split(" at ")[0] for one in said.err.splitlines()] == [
            "cloud does not listen", "away does not listen", "record does not listen",
        ]  # fmt: skip
        file.write_text(peers_file(tmp_path / "whole", port).read_text())
        assert main(["gateway", "check"]) == 0
        assert capsys.readouterr().err == ""
    monkeypatch.delenv("OSTEOSERVE_GATEWAY_PEERS")
    assert main(["gateway", "check"]) == 2
    assert "OSTEOSERVE_GATEWAY_PEERS names no file of peers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("models", "asked", "said"),
    [
        ([FIND, MOVE], "archive", None),
        ([FIND, GET], "archive", "answers, but takes no C-MOVE of them"),
        ([], "archive", "answers, but takes no C-FIND of studies, and no C-MOVE of them"),
        ([FIND], "archive", "answers, but takes no C-MOVE of them"),
        ([WORKLIST], "worklist", None),
        ([FIND], "worklist", "answers, but takes no modality worklist"),
    ],
)
def test_who_is_asked_says_what_it_does_not_offer(
    models: list[str], asked: str, said: str | None
) -> None:
    with archives.serving(archives.Archive(), [*models, ECHO]) as one:
        values: dict[str, Any] = {
            "name": "one", "called": "VNA", "calling": "US", "host": "127.0.0.1", "port": one.port,
        }  # fmt: skip
        entry = Archive(peer="one", **values) if asked == "archive" else Worklist(**values)
        found = check(entry)
    assert found == (None if said is None else f"one {said}.")
