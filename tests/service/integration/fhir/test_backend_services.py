"""SMART Backend Services: a key instead of a secret. Cases 46 and 47."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from service.__main__ import main
from service.integration.assertion import KeyFileError, read
from service.integration.compose import bundle
from service.integration.destinations import FhirDestination
from service.integration.fhir.check import check
from service.integration.fhir.client import Client
from tests.service.integration.compose.kit import made, part
from tests.service.integration.fhir.smart import Record, smart
from tests.service.integration.gateways import peers_file

pytestmark = pytest.mark.anyio

STUDY = made(part(PatientID="4711-XY"))
KINDS: Final = ("RS384", "ES384")
SHORT: Final = 1024


def pem(private: Any, encryption: KeySerializationEncryption | None = None) -> bytes:
    return bytes(
        private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()
        )
    )  # fmt: skip


def private(algorithm: str) -> bytes:
    if algorithm == "RS384":
        return pem(rsa.generate_private_key(65537, 2048))
    return pem(ec.generate_private_key(ec.SECP384R1()))


@pytest.fixture(params=KINDS)
def key(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    file = tmp_path / "client.pem"
    file.write_bytes(private(request.param))
    return file


@pytest.fixture
def elliptic(tmp_path: Path) -> Path:
    file = tmp_path / "client.pem"
    file.write_bytes(private("ES384"))
    return file


def transaction(opened: Record) -> bytes:
    plain = FhirDestination(name="record", kind="fhir", base=opened.base)
    return bundle.compose(plain, STUDY)


async def test_case_47_a_token_is_had_by_a_signed_assertion(key: Path) -> None:
    async with smart(keys=[read(key).public()]) as opened:
        one = Client(opened.destination(client_key_file=key))
        for _ in range(3):
            assert (await one.send(transaction(opened))).reason is None
        # One token for all of them, and what it is asked once.
        assert opened.shown == opened.granted * 3
        assert (opened.faults, len(opened.granted), opened.asked) == ([], 1, 1)
        (told,) = opened.assertions
        assert told["exp"] - told["iat"] < 300


async def test_the_endpoint_may_be_given_and_the_key_have_another_id(elliptic: Path) -> None:
    async with smart(keys=[read(elliptic, "theirs").public()], configuration=None) as opened:
        chosen = {"client_key_file": elliptic, "client_key_id": "theirs"}
        one = Client(opened.destination(**chosen, token_url=opened.endpoint))
        assert (await one.send(transaction(opened))).reason is None
        assert (opened.assertions[0]["kid"], opened.asked) == ("theirs", 0)


async def test_a_token_is_used_until_shortly_before_its_end(elliptic: Path) -> None:
    async with smart(keys=[read(elliptic).public()], seconds=30.5) as opened:
        one = Client(opened.destination(client_key_file=elliptic))
        for _ in range(2):
            assert (await one.send(transaction(opened))).reason is None
        await asyncio.sleep(0.6)
        assert (await one.send(transaction(opened))).reason is None
        first, second = opened.granted
        assert opened.shown == [first, first, second]
        assert len({one["jti"] for one in opened.assertions}) == 2


async def test_a_token_that_is_taken_back_is_exchanged_once_and_at_once(elliptic: Path) -> None:
    async with smart(keys=[read(elliptic).public()]) as opened:
        one = Client(opened.destination(client_key_file=elliptic))
        await one.send(transaction(opened))
        opened.good.clear()
        assert (await one.send(transaction(opened))).reason is None
        first, second = opened.granted
        assert opened.shown == [first, first, second]


async def test_who_takes_no_token_at_all_is_asked_no_more_than_twice(elliptic: Path) -> None:
    async with smart(keys=[read(elliptic).public()]) as opened:
        one = Client(opened.destination(client_key_file=elliptic))
        await one.send(transaction(opened))

        class Nothing(set[str]):
            def __contains__(self, _: object) -> bool:
                return False

        opened.good = Nothing()
        before = len(opened.shown)
        sent = await one.send(transaction(opened))
        assert (sent.reason, sent.passes) == ("refused 401", True)
        assert len(opened.shown) - before == 2
        # The next attempt shows a new one, and one that was just given is not given twice.
        sent = await one.send(transaction(opened))
        assert (sent.reason, len(opened.shown) - before) == ("refused 401", 3)


async def test_another_key_than_the_registered_one_is_refused_and_said(
    elliptic: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(private("ES384"))
    registered = {**read(elliptic).public(), "kid": read(other).id}
    async with smart(keys=[registered]) as opened:
        sent = await Client(opened.destination(client_key_file=other)).send(transaction(opened))
        assert sent.reason == "no_token 400 invalid_client"
        assert (opened.faults, opened.shown) == (["signature"], [])


async def test_a_clock_that_is_two_minutes_off_does_no_harm(elliptic: Path) -> None:
    for ahead in (-115, 115):
        async with smart(keys=[read(elliptic).public()], ahead=ahead) as opened:
            one = Client(opened.destination(client_key_file=elliptic))
            assert (await one.send(transaction(opened))).reason is None


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        (None, "no_token_endpoint"),
        ({"token_endpoint": None}, "no_token_endpoint"),
        ({"token_endpoint": "ftp://127.0.0.1/token"}, "no_token_endpoint"),
        ({"token_endpoint": "http://record.example/token"}, "no_token_endpoint"),
        ({"token_endpoint": ["https://record.example"]}, "no_token_endpoint"),
        (
            {"token_endpoint_auth_signing_alg_values_supported": ["RS384"]},
            "no_such_algorithm",
        ),
    ],
)
async def test_a_record_that_names_no_endpoint_for_us_is_sent_nothing(
    elliptic: Path, configuration: dict[str, Any] | None, reason: str
) -> None:
    async with smart(keys=[read(elliptic).public()], configuration=configuration) as opened:
        one = opened.destination(client_key_file=elliptic)
        sent = await Client(one).send(transaction(opened))
        assert (sent.reason, sent.passes) == (reason, True)
        assert (opened.granted, opened.faults, opened.shown) == ([], [], [])
        said = await asyncio.to_thread(check, one)
        assert said is not None
        assert f"{opened.base}/.well-known/smart-configuration" in said


@pytest.mark.parametrize(
    "answer",
    [
        {"access_token": "a\r\nX-Other: b"},
        {"access_token": "a b"},
        {"access_token": ""},
        {"access_token": "tökén"},
        {"access_token": "a", "expires_in": "soon"},
        ["access_token"],
        {},
    ],
)
async def test_an_answer_that_is_no_token_is_shown_to_nobody(elliptic: Path, answer: Any) -> None:
    said = web.json_response(answer)
    async with smart(keys=[read(elliptic).public()], answer=said) as opened:
        sent = await Client(opened.destination(client_key_file=elliptic)).send(transaction(opened))
        assert (sent.reason, opened.shown) == ("no_token", [])


async def test_the_check_uses_the_key_and_says_what_is_wrong_with_it(elliptic: Path) -> None:
    async with smart(keys=[read(elliptic).public()]) as opened:
        one = opened.destination(client_key_file=elliptic)
        assert await asyncio.to_thread(check, one) is None
        opened.keys.clear()
        assert await asyncio.to_thread(check, one) == (
            f"record cannot be asked: {opened.endpoint} answers status 400 invalid_client instead "
            "of a token."
        )
        await asyncio.to_thread(elliptic.write_bytes, b"-----BEGIN PRIVATE KEY-----\n")
        assert await asyncio.to_thread(check, one) == (
            f"record needs a key: {elliptic} is no private key in PEM, RSA or P-384, without a "
            "password."
        )
        await asyncio.to_thread(elliptic.unlink)
        sent = await Client(one).send(transaction(opened))
        assert sent.reason == "secret_unreadable"


UNUSABLE: Final = {
    "curve": (pem(ec.generate_private_key(ec.SECP256R1())), "on another curve than P-384"),
    "koblitz": (pem(ec.generate_private_key(ec.SECP256K1())), "on another curve than P-384"),
    "short": (pem(rsa.generate_private_key(65537, SHORT)), "less than 2048 bits"),
    "kind": (pem(ed25519.Ed25519PrivateKey.generate()), "no private key"),
    "password": (
        pem(ec.generate_private_key(ec.SECP384R1()), BestAvailableEncryption(b"secret")),
        "no private key",
    ),
    "public": (
        ec.generate_private_key(ec.SECP384R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "no private key",
    ),
    "empty": (b"", "no private key"),
    "noise": (bytes(range(256)), "no private key"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_file_that_has_no_usable_key_is_named(tmp_path: Path, kind: str) -> None:
    raw, said = UNUSABLE[kind]
    file = tmp_path / "client.pem"
    file.write_bytes(raw)
    with pytest.raises(KeyFileError, match=said) as caught:
        read(file)
    assert str(file) in str(caught.value)


def test_the_public_keys_are_printed_and_nothing_else_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: tmp_path / f"{name}.pem" for name in KINDS}
    for name, file in files.items():
        file.write_bytes(private(name))
    more = "".join(
        f'\n[[destination]]\nname = "{name}"\nkind = "fhir"\nbase = "https://{name}.example/r4"\n'
        f'client_id = "us"\nclient_key_file = "{file}"\n'
        for name, file in files.items()
    )
    monkeypatch.setenv("OSTEOSERVE_VAR", str(tmp_path))
    monkeypatch.setenv("OSTEOSERVE_GATEWAY_PEERS", str(peers_file(tmp_path, 104, more=more)))
    assert main(["gateway", "jwks"]) == 0
    found = json.loads(capsys.readouterr().out)["keys"]
    assert [one["alg"] for one in found] == list(KINDS)
    secret = {"d", "p", "q", "dp", "dq", "qi", "k"}
    assert all(not secret & one.keys() and one["use"] == "sig" for one in found)
    # Of files whoever has no gateway may ask, too.
    monkeypatch.delenv("OSTEOSERVE_GATEWAY_PEERS")
    assert main(["gateway", "jwks", str(files["ES384"])]) == 0
    assert json.loads(capsys.readouterr().out)["keys"] == [found[1]]
    assert main(["gateway", "jwks", str(tmp_path / "none.pem")]) == 1
    out = capsys.readouterr()
    assert (out.out, "cannot be read" in out.err) == ("", True)
