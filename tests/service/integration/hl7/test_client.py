"""What becomes of a message at an interface engine: taken, refused, cut off, not answered."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from service.integration.compose import oru
from service.integration.destinations import Hl7Destination
from service.integration.hl7 import client, frame
from service.integration.ledger.schemas import Sent
from tests import ports
from tests.service.integration.compose.kit import made
from tests.service.integration.hl7.engines import answering, engine

pytestmark = pytest.mark.anyio

STUDY = made()


def message(destination: Hl7Destination) -> bytes:
    return oru.compose(destination, STUDY)


@pytest.mark.parametrize("code", ["AA", "CA"])
@pytest.mark.parametrize("mode", ["original", "enhanced"])
async def test_a_message_that_is_taken_arrives_as_it_was_made(code: str, mode: str) -> None:
    async with engine(answering(code)) as opened:
        to = opened.destination(acknowledgement=mode)
        sent = await client.send(to, message(to), {})
        assert sent == Sent(objects={"answer": code}, reason=None)
        assert opened.taken == [message(to)]
        head = opened.taken[0].split(b"\r")[0].split(b"|")
        assert head[14:16] == ([b"AL", b"NE"] if mode == "enhanced" else [b"", b""])


@pytest.mark.parametrize("code", ["AE", "AR", "CE", "CR"])
async def test_case_38_a_refusal_is_tried_again_so_often_and_no_more(code: str) -> None:
    async with engine(answering(code, "\rERR||PID^1|204^Unknown key|E||||no such patient")) as one:
        to = one.destination(refusals=3)
        before: dict[str, str] = {}
        for attempt in (1, 2, 3):
            sent = await client.send(to, message(to), before)
            before |= sent.objects
            assert (sent.reason, sent.passes) == (f"refused {code} 204", attempt < 3)
            assert sent.detail is not None
            assert "no such patient" in sent.detail
        assert len({client.control_id(one) for one in one.taken}) == 1
        assert len(set(one.taken)) == 1


async def test_what_a_refusal_says_of_the_patient_is_hidden() -> None:
    said = "|Patient 4711 DOE, Jane is unknown (order A1)"
    async with engine(answering("AR", said)) as opened:
        to = opened.destination()
        sent = await client.send(to, message(to), {})
    assert sent.detail == "Patient … …, … is unknown (order …)"


async def test_case_37_no_answer_is_tried_again_as_the_same_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.3)

    async def silent(*_: object) -> None:
        return None

    async with engine(silent, answering("AA")) as opened:
        to = opened.destination()
        first = await client.send(to, message(to), {})
        assert first == Sent(objects={}, reason="no_answer")
        assert (await client.send(to, message(to), {})).reason is None
        assert opened.taken[0] == opened.taken[1]


async def test_an_answer_to_an_earlier_message_is_passed_over() -> None:
    async def late(data: bytes, writer: asyncio.StreamWriter) -> None:
        await answering("AE", control="EARLIER")(data, writer)
        await answering("AA")(data, writer)

    async with engine(late) as opened:
        to = opened.destination()
        assert (await client.send(to, message(to), {})).reason is None


async def test_case_41_bytes_outside_the_declared_set_hang_nobody() -> None:
    async with engine(answering("AE", "|größer", charset="latin-1")) as opened:
        to = opened.destination()
        sent = await client.send(to, message(to), {})
    assert (sent.reason, sent.detail) == ("refused AE", "größer")


@pytest.mark.parametrize(
    "said",
    [b"hello\x1c\r", frame.framed(b"hello"), frame.framed(b"MSH|^~\\&|E\rMSA|XX|1\r"),
     frame.START + b"x" * (client.MOST + 1)],
)  # fmt: skip
async def test_what_is_no_acknowledgement_is_none(said: bytes) -> None:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    async with engine(answer) as opened:
        to = opened.destination()
        sent = await client.send(to, message(to), {})
    assert sent == Sent(objects={}, reason="no_acknowledgement")


async def test_a_line_that_is_cut_is_tried_again() -> None:
    async def cut(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with engine(cut) as opened:
        to = opened.destination()
        assert (await client.send(to, message(to), {})).reason == "cut off"


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate for this machine that is its own authority; return it and its key."""
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(made)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made, key


async def test_by_tls_both_sides_are_who_their_certificates_say(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    theirs, their_key = certificate(tmp_path, "engine")
    ours, our_key = certificate(tmp_path, "gateway")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(theirs, their_key)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(ours)
    async with engine(answering("AA"), tls=tls) as opened:
        known = {"authorities": theirs, "certificate": ours, "key": our_key}
        to = opened.destination(**known)
        assert (await client.send(to, message(to), {})).reason is None
        for wrong, said in (
            ({**known, "authorities": ours}, "tls"),
            ({"authorities": theirs}, "cut off"),
            ({"authorities": theirs, "certificate": theirs, "key": their_key}, "cut off"),
            ({**known, "authorities": tmp_path / "none.pem"}, "certificate_unreadable"),
            ({**known, "authorities": our_key}, "certificate_unreadable"),
        ):
            to = opened.destination(**wrong)
            sent = await client.send(to, message(to), {})
            assert (sent.reason, sent.passes) == (said, True)
        assert len(opened.taken) == 1


async def test_an_engine_that_is_away_is_unreachable() -> None:
    to = Hl7Destination(name="engine", kind="hl7", host="127.0.0.1", port=ports.free_port())
    assert await client.send(to, message(to), {}) == Sent(objects={}, reason="unreachable")
