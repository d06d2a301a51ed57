"""CDS Hooks 2.0: who may call, what a card says, and what no card ever says."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from joserfc import jwt
from sqlalchemy import select

from service.app import create_app
from service.integration.cds.cards import drugs
from service.integration.cds.clients import ClientsError, read
from service.integration.cds.metrics import CALLS, FEEDBACK
from service.integration.cds.schemas import SERVICES
from service.settings import SettingsError, load
from service.storage.tables.audit import AuditEventRow
from service.storage.tables.ledger import CdsFeedbackRow
from tests.service.integration.cds.records import (
    ISSUER,
    ORDER,
    VIEW,
    Record,
    drug,
    order,
    patient,
    record,
    result,
    rsa,
    scan,
    stranger,
    view,
)
from tests.service.kit.accounts import bearer, key

pytestmark = pytest.mark.anyio

TODAY = datetime.now(UTC).date()
FACTS = {
    "acquired_on": (TODAY - timedelta(days=100)).isoformat(),
    "vertebrae": ["L1", "L2", "L3", "L4"],
    "bmd_g_cm2": 0.702,
    "t_score": -3.1,
    "sex": "female",
    "age_years": 71,
}


@pytest.fixture(scope="module")
async def ehr(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Record]:
    async with record(tmp_path_factory.mktemp("record"), public_url=None) as one:
        await result(one.front, "4711", sign=True, **FACTS)
        await result(one.front, "4711", acquired_on=TODAY.isoformat())
        await result(one.front, "0815")
        yield one


def fits(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the cards of an answer, after holding them against the invariants of CDS Hooks 2.0."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) <= {"cards", "systemActions"}
    for card in body["cards"]:
        assert 0 < len(card["summary"]) < 140
        assert card["indicator"] in ("info", "warning", "critical")
        assert card["source"]["label"]
        UUID(card["uuid"])
        assert ("selectionBehavior" in card) == ("suggestions" in card)
        for suggestion in card.get("suggestions", []):
            assert suggestion["label"]
            for action in suggestion["actions"]:
                assert action["type"] in ("create", "update", "delete")
                assert action["description"]
                assert ("resourceId" in action) == (action["type"] == "delete")
        for link in card.get("links", []):
            assert set(link) == {"label", "url", "type"}
        assert all(one["display"] for one in card["overrideReasons"])

    def empty(value: Any) -> bool:
        if isinstance(value, dict):
            return any(one in (None, "", [], {}) or empty(one) for one in value.values())
        return isinstance(value, list) and any(map(empty, value))

    assert not empty(body["cards"])
    found: list[dict[str, Any]] = body["cards"]
    return found


async def test_discovery_says_what_is_answered_to_anybody(ehr: Record) -> None:
    answer = await ehr.front.client.get("/cds-services")
    assert answer.status_code == 200
    services = answer.json()["services"]
    assert [(one["hook"], one["id"]) for one in services] == [
        ("patient-view", VIEW), ("order-select", ORDER),
    ]  # fmt: skip
    for one in services:
        assert one["description"]
        # Case 43: prefetch goes by root-level primitive fields of the context alone.
        assert list(one["prefetch"].values()) == ["Patient/{{context.patientId}}"]


async def test_a_chart_that_is_opened_shows_what_waits_and_what_was_signed(ehr: Record) -> None:
    cards = fits(await ehr.ask(VIEW, view(patient("4711"))))
    waiting, signed, guidance = cards
    assert waiting["summary"] == f"Spine DXA of {TODAY} waits for a reader"
    assert signed["summary"].startswith(f"Spine DXA of {FACTS['acquired_on']}, signed: ")
    assert "T-score as the scanner reported it: -3.1." in signed["detail"]
    assert "Guidelines" in guidance["summary"]
    assert all("Research use only" in one["detail"] for one in cards)


async def test_no_card_has_a_probability_or_an_outcome_that_nobody_signed(ehr: Record) -> None:
    (card,) = fits(await ehr.ask(VIEW, view(patient("0815"))))
    text = json.dumps(card)
    assert "0.83" not in text
    assert "83" not in card["summary"]
    assert "steoporosis" not in card["detail"].replace("Research use only; not a diagnosis.", "")
    assert "waits for a reader" in card["summary"]


async def test_guidance_is_of_facts_and_not_of_the_image(ehr: Record) -> None:
    """Of the newest exam no fact is known: there is no card of guidelines on it alone."""
    cards = fits(await ehr.ask(VIEW, view(patient("0815"))))
    assert not [one for one in cards if "Guidelines" in one["summary"]]


async def test_another_scan_so_soon_is_told(ehr: Record) -> None:
    signed_alone = "1234"
    await result(ehr.front, signed_alone, **FACTS)
    (card,) = fits(await ehr.ask(ORDER, order(patient(signed_alone), scan())))
    assert card["indicator"] == "warning"
    assert "0.030 g/cm²" in card["detail"]
    (suggestion,) = card["suggestions"]
    assert suggestion["actions"][0]["resourceId"] == "ServiceRequest/s1"
    late = {**FACTS, "acquired_on": (TODAY - timedelta(days=800)).isoformat()}
    await result(ehr.front, "5678", **late)
    (card,) = fits(await ehr.ask(ORDER, order(patient("5678"), scan())))
    assert (card["indicator"], "suggestions" in card) == ("info", False)
    # What is no scan, and what was not selected, is no matter.
    other = {"resourceType": "ServiceRequest", "id": "s2", "code": {"text": "chest"}}
    assert fits(await ehr.ask(ORDER, order(patient("5678"), other))) == []
    body = order(patient("5678"), scan())
    body["context"]["selections"] = []
    assert fits(await ehr.ask(ORDER, body)) == []


async def test_a_drug_comes_with_what_is_to_be_known_of_it(ehr: Record) -> None:
    await result(ehr.front, "9999", **FACTS)
    (card,) = fits(await ehr.ask(ORDER, order(patient("9999"), drug("Romosozumab 105 mg"))))
    assert card["summary"].startswith("Romosozumab")
    assert "infarction" in card["detail"] or "stroke" in card["detail"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Alendronate 70 mg weekly", ("alendronate",)),
        ("zoledronate infusion", ("zoledronate",)),
        ("Ibandronate 150 mg tablet", ("ibandronate",)),
        ("ibandronate 3 mg intravenous", ("ibandronate_iv",)),
        ("aspirin", ()),
    ],
)
def test_a_drug_is_known_by_its_name(text: str, found: tuple[str, ...]) -> None:
    assert drugs(drug(text)) == found
    assert drugs({"medicationCodeableConcept": {"coding": [{"display": text}]}}) == found
    assert drugs({"medicationCodeableConcept": text}) == ()


async def test_who_is_not_known_has_no_card(ehr: Record) -> None:
    assert fits(await ehr.ask(VIEW, view(patient("nobody")))) == []
    assert fits(await ehr.ask(VIEW, view({"resourceType": "Patient", "id": "p1"}))) == []
    # An identifier of another system is another's number.
    assert fits(await ehr.ask(VIEW, view(patient("4711", system="urn:oid:9")))) == []
    assert await ehr.front.sample(CALLS, service=VIEW, result="no_patient") >= 2


async def test_two_patients_are_never_one(ehr: Record) -> None:
    assert fits(await ehr.ask(VIEW, view(patient("4711", "0815")))) == []
    assert await ehr.front.sample(CALLS, service=VIEW, result="ambiguous") == 1


async def test_another_site_s_patient_is_nobody(ehr: Record) -> None:
    await result(ehr.front, "north-1", site="north", **FACTS)
    assert fits(await ehr.ask(VIEW, view(patient("north-1")))) == []


@pytest.mark.parametrize("prefetched", [None, {"resourceType": "OperationOutcome"}, "x", 7])
async def test_case_44_without_a_prefetch_the_record_s_own_server_is_asked(
    ehr: Record, prefetched: Any
) -> None:
    body = view(prefetched)
    assert (await ehr.ask(VIEW, body)).status_code == 412
    told = {"access_token": "abc", "token_type": "Bearer"}
    asked = {**body, "fhirServer": ehr.server, "fhirAuthorization": told}
    assert len(fits(await ehr.ask(VIEW, asked))) == 3
    # Another server than the one that is known is never asked.
    for server in ("http://169.254.169.254/", f"{ehr.server}x", "https://elsewhere.example/r4"):
        answer = await ehr.ask(VIEW, {**asked, "fhirServer": server})
        assert answer.status_code == 412
        assert answer.json()["resourceType"] == "OperationOutcome"
    unknown = {**asked, "context": {"userId": "Practitioner/1", "patientId": "p2"}}
    assert (await ehr.ask(VIEW, unknown)).status_code == 412
    del body["prefetch"]
    assert (await ehr.ask(VIEW, body)).status_code == 412


@pytest.mark.parametrize(
    "changes",
    [
        {"hook": "order-select"},
        {"hook": None},
        {"hookInstance": "one"},
        {"context": None},
        {"context": {"userId": "Practitioner/1"}},
        {"context": {"userId": "Practitioner/1", "patientId": "../Patient"}},
        {"context": {"patientId": "p1"}},
        {"fhirAuthorization": {"access_token": "x"}},
    ],
)
async def test_a_call_that_is_none_is_refused(ehr: Record, changes: dict[str, Any]) -> None:
    answer = await ehr.ask(VIEW, view(patient("4711"), **changes))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
async def test_a_body_that_is_none_is_refused(ehr: Record, content: bytes) -> None:
    headers = bearer(ehr.token(ehr.url(VIEW)))
    answer = await ehr.front.client.post(f"/cds-services/{VIEW}", content=content, headers=headers)
    assert answer.status_code == 400


async def test_case_46_only_a_token_that_is_whole_is_taken_and_once(ehr: Record) -> None:
    url, body = ehr.url(VIEW), view(patient("4711"))
    at = int(time.time())
    claims = {"iss": ISSUER, "aud": url, "iat": at, "exp": at + 60, "jti": str(uuid4())}

    def signed(key: Any, algorithm: str) -> str:
        return jwt.encode({"alg": algorithm, "kid": "one"}, claims, key, algorithms=[algorithm])

    public = ehr.signing.as_pem(private=False)
    unsigned = ehr.token(url).split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"HS384","kid":"one"}').rstrip(b"=").decode()
    mac = hmac.digest(public, f"{head}.{unsigned[1]}".encode(), "sha384")
    confused = f"{head}.{unsigned[1]}." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    wrong = {
        "none": "eyJhbGciOiJub25lIn0." + unsigned[1] + ".",
        "stripped": ".".join(unsigned[:2]) + ".",
        "hmac of the public key": confused,
        "another key": signed(stranger(), "ES384"),
        "rsa where ec was registered": signed(rsa(), "RS384"),
        "another audience": ehr.token(ehr.url(ORDER)),
        "no audience": ehr.token(url, aud=None),
        "another issuer": ehr.token(url, iss="https://other.example"),
        "over": ehr.token(url, iat=at - 400, exp=at - 200),
        "too long a life": ehr.token(url, exp=at + 3600),
        "no end": ehr.token(url, exp=None),
        "not yet": ehr.token(url, iat=at + 600, exp=at + 700),
        "no number": ehr.token(url, jti=None),
    }
    for name, token in wrong.items():
        answer = await ehr.ask(VIEW, body, token)
        # Whoever guesses is slowed down, as with keys.
        assert answer.status_code in (401, 429), name


async def test_a_token_is_used_once(ehr: Record, tmp_path: Path) -> None:
    async with record(tmp_path / "fresh") as fresh:
        token = fresh.token(fresh.url(VIEW))
        assert (await fresh.ask(VIEW, view(patient("1")), token)).status_code == 200
        assert (await fresh.ask(VIEW, view(patient("1")), token)).status_code == 401


async def test_a_token_opens_nothing_but_its_endpoint(tmp_path: Path) -> None:
    async with record(tmp_path / "fresh") as fresh:
        base = str(fresh.front.client.base_url)
        for path in ("/api/v1/predictions", "/history", "/dicom-web/studies"):
            token = fresh.token(f"{base}{path}".replace("//api", "/api"))
            answer = await fresh.front.client.get(path, headers=bearer(token))
            assert answer.status_code in (303, 401)


async def test_behind_a_proxy_the_audience_is_the_public_address(tmp_path: Path) -> None:
    async with record(tmp_path / "fresh", public_url="https://dxa.example") as fresh:
        await result(fresh.front, "4711", **FACTS)
        token = fresh.token(f"https://dxa.example/cds-services/{VIEW}")
        cards = fits(await fresh.ask(VIEW, view(patient("4711")), token))
        (link,) = cards[0]["links"]
        assert link["url"].startswith("https://dxa.example/results/")
        assert link["type"] == "absolute"
        assert (await fresh.ask(VIEW, view(patient("4711")))).status_code == 401


async def test_a_key_of_a_reader_may_call_and_one_that_sends_may_not(ehr: Record) -> None:
    reader, sender = await key(ehr.front, "viewer"), await key(ehr.front, "integrator")
    assert fits(await ehr.ask(VIEW, view(patient("4711")), reader))
    assert (await ehr.ask(VIEW, view(patient("4711")), sender)).status_code == 403
    # It has no server that may be asked.
    asked = view(None, fhirServer=ehr.server)
    assert (await ehr.ask(VIEW, asked, reader)).status_code == 412


async def test_case_45_a_browser_s_record_may_call_from_its_own_pages(ehr: Record) -> None:
    ours, other = {"Origin": ISSUER}, {"Origin": "https://other.example"}
    for path in ("/cds-services", f"/cds-services/{VIEW}", f"/cds-services/{VIEW}/feedback"):
        asked = {**ours, "Access-Control-Request-Method": "POST"}
        answer = await ehr.front.client.options(path, headers=asked)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == ISSUER
        assert "Authorization" in answer.headers["access-control-allow-headers"]
        answer = await ehr.front.client.options(path, headers=other)
        assert "access-control-allow-origin" not in answer.headers
    answer = await ehr.ask(VIEW, view(patient("4711")), **ours)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ISSUER
    assert (await ehr.ask(VIEW, view(patient("4711")), **other)).status_code == 403


async def test_what_is_read_is_in_the_trail_and_no_number_of_a_patient(ehr: Record) -> None:
    database = ehr.front.app.state.health.database
    fits(await ehr.ask(VIEW, view(patient("4711"))))
    async with database.connect() as connection:
        rows = (await connection.execute(select(AuditEventRow))).all()
    read_ = [row for row in rows if row.kind == "read" and row.object_kind == "patient"]
    assert read_
    assert not [row for row in rows if "4711" in f"{row.detail} {row.object_id}"]


async def test_feedback_is_kept_without_what_somebody_wrote(ehr: Record) -> None:
    (card, *_) = fits(await ehr.ask(VIEW, view(patient("4711"))))
    moment = datetime.now(UTC).isoformat()
    overridden = {
        "card": card["uuid"],
        "outcome": "overridden",
        "overrideReason": {
            "reason": {"code": "known", "system": "x"},
            "userComment": "Mrs Doe, 4711",
        },
        "outcomeTimestamp": moment,
    }
    accepted = {
        "card": str(uuid4()),
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": str(uuid4())}],
        "outcomeTimestamp": moment,
    }
    url = ehr.url(VIEW, feedback=True)
    path = f"/cds-services/{VIEW}/feedback"
    answer = await ehr.front.client.post(
        path, json={"feedback": [overridden, accepted]}, headers=bearer(ehr.token(url))
    )
    assert answer.status_code == 200
    async with ehr.front.app.state.health.database.connect() as connection:
        rows = (await connection.execute(select(CdsFeedbackRow))).all()
        kinds = list(await connection.scalars(select(AuditEventRow.kind)))
    assert [(row.outcome, row.suggestions, row.reason) for row in rows] == [
        ("overridden", 0, "known"), ("accepted", 1, None),
    ]  # fmt: skip
    assert "Doe" not in str(rows)
    assert kinds.count("card_answered") == 2
    assert await ehr.front.sample(FEEDBACK, service=VIEW, outcome="accepted") == 1


@pytest.mark.parametrize(
    "feedback",
    [
        None,
        [],
        [{}],
        [{"card": "x", "outcome": "accepted"}],
        [{"card": str(uuid4()), "outcome": "seen", "outcomeTimestamp": "2026-01-01"}],
        [{"card": str(uuid4()), "outcome": "accepted", "outcomeTimestamp": "2026-01-01"}],
        [{"card": str(uuid4()), "outcome": "overridden"}],
        [{}] * 51,
    ],
)
async def test_feedback_that_is_none_is_refused(ehr: Record, feedback: Any) -> None:
    path = f"/cds-services/{VIEW}/feedback"
    headers = bearer(ehr.token(ehr.url(VIEW, feedback=True)))
    answer = await ehr.front.client.post(path, json={"feedback": feedback}, headers=headers)
    assert answer.status_code == 400


async def test_a_service_that_there_is_not_is_404(ehr: Record) -> None:
    answer = await ehr.ask("other", view(patient("1")), ehr.token(ehr.url("other")))
    assert answer.status_code == 404


async def test_it_is_off_by_itself(tmp_path: Path) -> None:
    async with record(tmp_path / "off", cds=False) as off:
        assert (await off.front.client.get("/cds-services")).status_code == 404


def test_a_file_of_clients_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "clients.toml"
    good = f'[[client]]\nname = "ehr"\nissuer = "{ISSUER}"\nkeys = "{tmp_path / "keys.json"}"\n'
    for text, says in (
        (good, "no JWK set"),
        (good.replace("issuer", "iss"), "client.0.iss"),
        (good + 'origins = ["ehr.example"]\n', "client.0.origins"),
        ("[[client]", "TOML"),
    ):
        path.write_text(text)
        with pytest.raises(ClientsError, match=says.replace(".", r"\.")):
            read(path)
        with pytest.raises(SettingsError, match="OSTEOSERVE_CDS_CLIENTS"):
            create_app(load(cds=True, cds_clients=path))
    with pytest.raises(ClientsError, match="cannot be read"):
        read(tmp_path / "none.toml")


def test_every_service_has_a_hook_of_its_own() -> None:
    assert len({one["hook"] for one in SERVICES}) == len(SERVICES)
