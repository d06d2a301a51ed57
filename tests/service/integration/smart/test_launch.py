"""A patient's results opened out of a record: the way there and back, and who gets how far."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import sqlalchemy as sa
from aiohttp import web

from service.clock import now
from service.integration.assertion import read
from service.integration.smart import flow
from service.integration.smart.metrics import LAUNCHES, UP
from tests.ports import free_port
from tests.service.identity.oidc.trail import count, rows, told
from tests.service.integration.cds.records import result
from tests.service.integration.fhir.test_backend_services import private
from tests.service.integration.kit import image
from tests.service.integration.smart.conftest import Opening, entry, settings
from tests.service.integration.smart.ehr import (
    OTHER,
    SCOPES,
    Ehr,
    at_ehr,
    ehr,
    launched,
    query,
    refused,
    to_ehr,
)
from tests.service.integration.web.hospitals import hospital
from tests.service.kit.accounts import bearer, browser, key, transactions
from tests.service.kit.fronts import API, Front
from tests.service.kit.idp import CLIENT, through

pytestmark = pytest.mark.anyio

ADDRESS = re.compile(r"/patients/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def test_a_patients_results_are_opened_out_of_their_chart(door: Front, record: Ehr) -> None:
    await result(door, "4711-A")
    async with browser(door) as client:
        answer = await launched(client, record, record.chart("p1", "4711-A"))
        assert (answer.status_code, "no-store" in answer.headers["cache-control"]) == (303, True)
        # By an id of ours: no number of a patient stands in an address.
        assert ADDRESS.fullmatch(answer.headers["location"])
        page = await client.get(answer.headers["location"])
        assert page.status_code == 200
        assert "4711-A" in page.text
    id = answer.headers["location"].rpartition("/")[2]
    (row,) = await rows(
        door,
        "SELECT account_id, object_kind, object_id, detail FROM audit_event "
        "WHERE kind = 'launched' AND object_id = :id", id=id,
    )  # fmt: skip
    assert (row.object_kind, row.detail) == ("patient", '{"found":"patient","record":"ehr"}')
    (read,) = await rows(
        door, "SELECT account_id FROM audit_event WHERE kind = 'read' AND object_id = :id", id=id
    )
    assert read.account_id == row.account_id is not None
    assert (await told(door, "signed_in"))[-1] == {"how": "provider"}
    # Nothing that comes from the record is kept: neither its patient nor its tokens.
    (session,) = await rows(
        door, "SELECT id_token, issuer FROM session WHERE idp_sub = :sub", sub=record.sub
    )
    assert tuple(session) == (None, record.issuer)
    assert await count(door, "launch_flow") == 0
    assert await door.sample(LAUNCHES, outcome="patient") >= 1
    assert await door.sample(UP, record="ehr") == 1


async def test_what_the_record_is_asked(door: Front, record: Ehr) -> None:
    async with browser(door) as client:
        launch = record.chart("p1", "x")
        asked = query(await to_ehr(client, record, launch))
    (row,) = await rows(door, "SELECT * FROM launch_flow WHERE nonce = :it", it=asked["nonce"])
    digest = hashlib.sha256(row.verifier.encode()).digest()
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": f"{door.settings.public_url}/smart/callback/ehr",
        "scope": SCOPES,
        "launch": launch,
        "aud": record.iss,
        "state": asked["state"],
        "nonce": row.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    assert asked["state"] not in str(await rows(door, "SELECT * FROM launch_flow"))


@pytest.mark.parametrize("change", ["{}/", "{}x", "{}?a=b", " {}", "HTTP{}", "", "{}#", "{}%2f"])
async def test_a_record_that_is_not_named_is_asked_nothing(
    door: Front, record: Ehr, change: str
) -> None:
    iss = change.format(record.iss if "HTTP" not in change else record.iss.removeprefix("http"))
    before = await count(door, "launch_flow")
    async with browser(door) as client:
        answer = await client.get("/smart/launch", params={"iss": iss, "launch": "x"})
    assert (answer.status_code, "<code>record_unknown</code>" in answer.text) == (403, True)
    assert record.asked == []
    assert await count(door, "launch_flow") == before


async def test_a_stranger_that_listens_hears_nothing(door: Front) -> None:
    """An address in a link is no address of ours to ask: neither the cloud's nor this machine's."""
    heard: list[str] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readline()).decode())
        writer.close()

    port = free_port()
    server = await asyncio.start_server(hear, "127.0.0.1", port)
    async with server, browser(door) as client:
        for iss in (f"http://127.0.0.1:{port}/r4", f"http://localhost:{port}"):
            answer = await client.get("/smart/launch", params={"iss": iss, "launch": "x"})
            assert answer.status_code == 403
            twice = urlencode([("iss", iss), ("iss", iss), ("launch", "x")])
            assert (await client.get(f"/smart/launch?{twice}")).status_code == 403
    assert heard == []


@pytest.mark.parametrize("launch", ["", "x" * 2001, "é", "a\nb"])
async def test_a_launch_that_is_none_is_refused_here(door: Front, record: Ehr, launch: str) -> None:
    async with browser(door) as client:
        answer = await client.get("/smart/launch", params={"iss": record.iss, "launch": launch})
    assert (answer.status_code, "<code>launch_malformed</code>" in answer.text) == (400, True)


async def test_a_launch_that_the_record_does_not_know(door: Front, record: Ehr) -> None:
    answer = await refused(door, record, "made-up", "provider_refused")
    assert answer.status_code == 403


async def test_what_was_used_is_used_up(door: Front, record: Ehr) -> None:
    async with browser(door) as client:
        back = await at_ehr(await to_ehr(client, record, record.chart("p1", "none")))
        cookies = dict(client.cookies)
        assert (await client.get(back)).status_code == 303
        for name, value in cookies.items():
            client.cookies.set(name, value, domain="127.0.0.1")
        again = await client.get(back)
        assert (again.status_code, "<code>flow_unknown</code>" in again.text) == (400, True)


async def test_a_code_is_taken_once_by_whomever(door: Front, record: Ehr) -> None:
    """A code that was seen goes with another launch of the thief's own: the record refuses it."""
    async with browser(door) as client, browser(door) as thief:
        back = await at_ehr(await to_ehr(client, record, record.chart("p1", "none")))
        code = query(back)["code"]
        assert (await client.get(back)).status_code == 303
        mine = query(await to_ehr(thief, record, record.chart("p1", "none")))
        stolen = urlencode({"state": mine["state"], "code": code, "iss": record.issuer})
        answer = await thief.get(f"/smart/callback/ehr?{stolen}")
        assert "<code>code_refused</code>" in answer.text
        # And before it was used, by the challenge.
        fresh = query(await at_ehr(await to_ehr(client, record, record.chart("p1", "none"))))
        mine = query(await to_ehr(thief, record, record.chart("p1", "none")))
        stolen = urlencode({**fresh, "state": mine["state"]})
        answer = await thief.get(f"/smart/callback/ehr?{stolen}")
        assert "<code>code_refused</code>" in answer.text
        assert (await thief.get("/history")).status_code == 303


async def test_another_browser_ends_nothing_and_the_first_one_still_may(
    door: Front, record: Ehr
) -> None:
    async with browser(door) as client, browser(door) as other:
        back = await at_ehr(await to_ehr(client, record, record.chart("p1", "none")))
        assert "<code>flow_cookie</code>" in (await other.get(back)).text
        await to_ehr(other, record, record.chart("p1", "none"))
        assert "<code>flow_cookie</code>" in (await other.get(back)).text
        assert (await other.get("/history")).status_code == 303
        assert (await client.get(back)).status_code == 303
        assert (await client.get("/history")).status_code == 200


async def test_a_launch_is_over_after_ten_minutes(
    door: Front, record: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browser(door) as client:
        back = await at_ehr(await to_ehr(client, record, record.chart("p1", "none")))
        late = now() + flow.ENDS
        monkeypatch.setattr(flow, "now", lambda: late)
        assert "<code>flow_unknown</code>" in (await client.get(back)).text


async def test_each_record_and_signing_in_end_what_they_have_begun(
    opening: Opening, tmp_path: Path
) -> None:
    """A state of one is none of another: what one server says ends nothing at another one."""
    async with (
        ehr(claims={"groups": ["dxa-readers"]}) as one,
        ehr(claims={"groups": ["dxa-readers"]}) as two,
        opening(
            entry(one, tmp_path, "one"),
            entry(two, tmp_path, "two", roles=None),
            oidc_issuer=two.issuer,
        ) as front,
        browser(front) as client,
    ):
        back = await at_ehr(await to_ehr(client, one, one.chart("p1", "x")))
        at_two = back.replace("/callback/one", "/callback/two")
        assert "<code>flow_unknown</code>" in (await client.get(at_two)).text
        at_sign_in = f"/auth/oidc/callback?{urlsplit(back).query}"
        assert "<code>flow_unknown</code>" in (await client.get(at_sign_in)).text
        at_nobodys = back.replace("/callback/one", "/callback/three")
        assert "<code>record_unknown</code>" in (await client.get(at_nobodys)).text
        assert (await client.get(back)).status_code == 303
    # Another server's answer under this one's state.
    async with (
        ehr(claims={"groups": ["dxa-readers"]}) as one,
        opening(entry(one, tmp_path)) as front,
        browser(front) as client,
    ):
        back = await at_ehr(await to_ehr(client, one, one.chart("p1", "x")))
        mixed = urlencode({**query(back), "iss": "https://other.example"})
        answer = await client.get(f"/smart/callback/ehr?{mixed}")
        assert "<code>answer_issuer</code>" in answer.text


async def test_whoever_has_no_role_by_their_groups_is_kept_nowhere(
    door: Front, record: Ehr
) -> None:
    people, sessions = await count(door, "person"), await count(door, "session")
    for groups in ({}, {"groups": ["others"]}, {"groups": "dxa-clinicians"}):
        record.claims = dict(groups)
        answer = await refused(door, record, record.chart("p1", "4711-B"), "no_role")
        assert answer.status_code == 403
    assert (await count(door, "person"), await count(door, "session")) == (people, sessions)
    assert (await told(door, "launch_refused"))[-1] == {"reason": "no_role", "record": "ehr"}


async def test_whoever_may_not_read_results_is_not_told_whether_there_are_any(
    door: Front, record: Ehr
) -> None:
    await result(door, "4711-C")
    sessions = await count(door, "session")
    for groups in (["dxa-admins"], ["east"]):
        record.sub, record.claims = f"{record.sub}-{groups[0]}", {"groups": groups}
        for number in ("4711-C", "nobody"):
            await refused(door, record, record.chart("p1", number), "no_role")
    assert await count(door, "session") == sessions


async def test_roles_go_by_groups_as_they_are_now(door: Front, record: Ehr) -> None:
    async with browser(door) as client:
        assert (await launched(client, record, record.chart("p1", "x"))).status_code == 303
        record.claims = {}
        await refused(door, record, record.chart("p1", "x"), "no_role")
        assert (await client.get("/history")).status_code in (303, 403)


async def test_somebody_whose_account_is_disabled_is_turned_away(door: Front, record: Ehr) -> None:
    async with browser(door) as client:
        await launched(client, record, record.chart("p1", "x"))
    await rows_changed(
        door,
        "UPDATE person SET disabled_at = created_at WHERE id IN "
        "(SELECT person_id FROM identity WHERE subject = :sub)",
        sub=record.sub,
    )
    await refused(door, record, record.chart("p1", "x"), "disabled")
    (row,) = await rows(
        door,
        "SELECT account_id FROM audit_event WHERE kind = 'launch_refused' AND detail LIKE "
        "'%disabled%' ORDER BY at DESC LIMIT 1",
    )
    assert row.account_id is not None


async def test_whoever_was_signed_in_before_is_not_any_more(door: Front, record: Ehr) -> None:
    """Of a screen that two use: the results are opened by whoever opens them."""
    async with browser(door) as client:
        await launched(client, record, record.chart("p1", "x"))
        before = dict(client.cookies)
        record.sub = f"{record.sub}-second"
        await launched(client, record, record.chart("p1", "x"))
        assert dict(client.cookies) != before
        (session,) = await rows(
            door, "SELECT issuer FROM session WHERE idp_sub = :sub", sub=record.sub
        )
        assert session.issuer == record.issuer
        gone = await rows(
            door, "SELECT hash FROM session WHERE idp_sub = :sub",
            sub=record.sub.removesuffix("-second"),
        )  # fmt: skip
        assert gone == []


async def test_nothing_is_signed_by_having_opened_a_chart(door: Front, record: Ehr) -> None:
    id = await result(door, "4711-D")
    async with browser(door) as client:
        await launched(client, record, record.chart("p1", "4711-D"))
        answer = await client.post(f"{API}/{id}/reviews", json={"action": "sign"})
        assert answer.status_code in (401, 403), answer.text
        assert answer.json()["code"] == "sign_in_again"
    (row,) = await rows(door, "SELECT count(*) FROM review WHERE prediction_id = :id",
                        id=id.replace("-", ""))  # fmt: skip
    assert row[0] == 0


async def test_of_whom_nothing_is_here_a_page_says_so(door: Front, record: Ehr) -> None:
    await result(door, "4711-E")
    for launch in (
        record.chart("p1", "nobody-here"),
        record.chart("p2"),
        # The number is ours, and the system is not.
        record.chart("p3", "4711-E", system=OTHER),
    ):
        async with browser(door) as client:
            answer = await launched(client, record, launch)
            assert (answer.status_code, answer.headers["location"]) == (303, "/smart/nothing")
            page = await client.get("/smart/nothing")
            assert page.status_code == 200
            assert "There is no spine DXA result here" in page.text
            assert "nobody-here" not in page.text
    found = [one["found"] for one in await told(door, "launched")]
    assert found[-3:] == ["none"] * 3


async def test_of_two_patients_none_is_shown(door: Front, record: Ehr) -> None:
    await result(door, "4711-F")
    await result(door, "4711-G")
    async with browser(door) as client:
        answer = await launched(client, record, record.chart("p1", "4711-F", "4711-G"))
        assert answer.headers["location"] == "/smart/nothing?ambiguous"
        page = await client.get(answer.headers["location"])
        assert "Two patients here" in page.text


async def test_another_sites_patient_is_nobody(opening: Opening, tmp_path: Path) -> None:
    async with (
        ehr(claims={"groups": ["dxa-readers", "east"]}) as one,
        opening(entry(one, tmp_path, site="east")) as front,
        browser(front) as client,
    ):
        await result(front, "4711")
        answer = await launched(client, one, one.chart("p1", "4711"))
        assert answer.headers["location"] == "/smart/nothing"
        await result(front, "4711", site="east")
        answer = await launched(client, one, one.chart("p1", "4711"))
        assert ADDRESS.fullmatch(answer.headers["location"])
        assert (await client.get(answer.headers["location"])).status_code == 200


async def test_a_study_that_came_by_dicom_is_opened_by_its_result(tmp_path: Path) -> None:
    async with ehr(claims={"groups": ["dxa-readers"]}) as one:
        told_by = entry(one, tmp_path, authority="CLINIC")
        async with hospital(tmp_path, **settings(tmp_path, told_by)) as opened:
            await opened.judged(image(PatientID="4711", IssuerOfPatientID="CLINIC"))
            # Somebody else's number by another authority is no reason to show nothing.
            await opened.judged(image(PatientID="4711", IssuerOfPatientID="ELSEWHERE"))
            async with browser(opened.front) as client:
                answer = await launched(client, one, one.chart("p1", "4711"))
                assert answer.headers["location"].startswith("/results/")
                page = await client.get(answer.headers["location"])
                assert page.status_code == 200
            reader = bearer(await key(opened.front, "viewer"))
            listed = await opened.front.client.get(API, headers=reader)
            ids = [row["id"] for row in listed.json()["items"]]
            # The one of the clinic's, which came first.
            assert answer.headers["location"].rpartition("/")[2] == ids[-1]


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ({"patient": None}, "no_patient"),
        ({"patient": "../Patient/p2"}, "no_patient"),
        ({"patient": "p1?_summary=true"}, "no_patient"),
        ({"patient": ["p1"]}, "no_patient"),
        ({"patient": "p2"}, "patient_unreadable"),
        ({"access_token": None}, "patient_unreadable"),
        ({"access_token": "a\r\nX: b"}, "patient_unreadable"),
        ({"id_token": None}, "token_malformed"),
        ({"id_token": 7}, "token_malformed"),
    ],
)
async def test_a_context_that_is_none_opens_nothing(
    door: Front, record: Ehr, context: dict[str, object], reason: str
) -> None:
    record.chart("p2", "other")
    record.context = context
    await refused(door, record, record.chart("p1", "x"), reason)
    assert record.read == (["p2"] if context.get("patient") == "p2" else [])


PATIENTS = {
    "away": lambda: web.Response(status=503),
    "missing": lambda: web.json_response({"resourceType": "OperationOutcome"}, status=404),
    "another": lambda: web.json_response({"resourceType": "Patient", "id": "p2"}),
    "no patient": lambda: web.json_response({"resourceType": "Group", "id": "p1"}),
    "elsewhere": lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}),
    "large": lambda: web.Response(body=b'{"resourceType": "Patient"' + b" " * 2**21),
    "page": lambda: web.Response(text="<p>Welcome</p>", content_type="text/html"),
    "list": lambda: web.json_response(["Patient"]),
}


@pytest.mark.parametrize("kind", PATIENTS)
async def test_a_patient_that_cannot_be_read_opens_nothing(
    door: Front, record: Ehr, kind: str
) -> None:
    record.instead = PATIENTS[kind]
    answer = await refused(door, record, record.chart("p1", "x"), "patient_unreadable")
    assert answer.status_code == 502


@pytest.mark.parametrize(
    "configuration",
    [
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": None},
        {"issuer": "https://other.example"},
        {"issuer": None},
        {"jwks_uri": None},
        {"token_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)
async def test_a_record_that_is_no_such_server_is_not_gone_to(
    opening: Opening, tmp_path: Path, configuration: dict[str, object]
) -> None:
    async with (
        ehr(configuration=configuration) as one,
        opening(entry(one, tmp_path)) as front,
        browser(front) as client,
    ):
        asked = {"iss": one.iss, "launch": one.chart("p1", "x")}
        answer = await client.get("/smart/launch", params=asked)
        assert (answer.status_code, "<code>provider_unavailable</code>" in answer.text) == (
            503,
            True,
        )
        assert one.count("/authorize") == 0


async def test_a_record_that_is_away_is_said_to_be_and_found_again(
    opening: Opening, tmp_path: Path
) -> None:
    async with (
        ehr(claims={"groups": ["dxa-readers"]}) as one,
        opening(entry(one, tmp_path)) as front,
        browser(front) as client,
    ):
        one.down = True
        asked = {"iss": one.iss, "launch": one.chart("p1", "x")}
        answer = await client.get("/smart/launch", params=asked)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert await front.sample(UP, record="ehr") == 0
        one.down = False
        await asyncio.sleep(1.1)
        assert (await launched(client, one, asked["launch"])).status_code == 303


async def test_a_public_client_and_one_by_key(opening: Opening, tmp_path: Path) -> None:
    """PKCE alone, and a signed assertion (case 47)."""
    file = tmp_path / "client.pem"
    file.write_bytes(private("ES384"))
    for changes in (
        {"client_secret_file": None},
        {"client_secret_file": None, "client_key_file": str(file)},
    ):
        async with (
            ehr(claims={"groups": ["dxa-readers"]}, secret=None) as one,
            opening(entry(one, tmp_path, **changes)) as front,
            browser(front) as client,
        ):
            if "client_key_file" in changes:
                one.registered = read(file).public()
            assert (await launched(client, one, one.chart("p1", "x"))).status_code == 303
            sent = one.last("/token")
            assert ("client_assertion" in sent) == ("client_key_file" in changes)
            assert sent["Authorization"] == ""


async def test_people_of_the_identity_provider_are_the_same_by_either_way(
    opening: Opening, tmp_path: Path
) -> None:
    """Where the record signs people in by it, its groups and roles are those of signing in."""
    async with (
        ehr(claims={"groups": ["dxa-clinicians"]}) as one,
        opening(entry(one, tmp_path, roles=None), oidc_issuer=one.issuer) as front,
        browser(front) as client,
        browser(front) as other,
    ):
        assert (await through(client)).status_code == 303
        assert (await launched(other, one, one.chart("p1", "x"))).status_code == 303
        assert await count(front, "person") == 1
        assert (await told(front, "launched"))[-1]["found"] == "none"


async def test_pages_are_in_no_frame_and_say_nothing_of_what_was_sent(
    door: Front, record: Ehr
) -> None:
    async with browser(door) as client:
        answer = await client.get(
            "/smart/callback/ehr",
            params={"state": "<script>", "error": "x", "error_description": "<b>4711</b>"},
        )
        assert answer.status_code == 400
        assert "4711" not in answer.text.partition("<main")[2].partition("</main")[0]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_where_no_record_is_named_there_are_no_such_pages(
    runners: object, tmp_path: Path, opening: Opening
) -> None:
    async with opening(smart_records=None) as front, browser(front) as client:
        for path in ("/smart/launch?iss=x&launch=y", "/smart/callback/ehr?state=x"):
            answer = await client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 404


async def rows_changed(opened: Front, statement: str, **values: object) -> None:
    async with transactions(opened.settings) as on:
        await on.write(lambda it: it.connection.execute(sa.text(statement), values))
