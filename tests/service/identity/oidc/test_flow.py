"""The way to the provider and back: cases A1–A3, A13 and attacks 7, 11–15."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from service.clock import now
from service.identity.oidc import cookies
from tests.ports import free_port
from tests.service.identity.oidc.conftest import Opened
from tests.service.identity.oidc.trail import Since, count, rows, told
from tests.service.kit.accounts import browser
from tests.service.kit.fronts import Front
from tests.service.kit.idp import CLIENT, Idp, asked, at_provider, through, to_provider

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"


async def test_somebody_signs_in_and_goes_where_they_wanted(door: Front, provider: Idp) -> None:
    async with browser(door) as client:
        page = await client.get("/signin?next=/history%3Fsort%3Doldest")
        assert "Sign in with Klinikum" in page.text
        assert 'href="/auth/oidc/signin?next=/history%3Fsort%3Doldest"' in page.text
        answer = await through(client, "/history?sort=oldest")
        assert (answer.status_code, answer.headers["location"]) == (303, "/history?sort=oldest")
        assert (await client.get("/history")).status_code == 200
        assert (await client.get("/account")).status_code == 200
        assert "no-store" in answer.headers["cache-control"]
    assert (await told(door, "signed_in"))[-1] == {"how": "provider"}
    (row,) = await rows(
        door, "SELECT issuer, idp_sid FROM session WHERE idp_sub = :sub", sub=provider.sub
    )
    assert tuple(row) == (provider.issuer, provider.sid)


async def test_attack_14_what_the_provider_is_asked(door: Front, provider: Idp) -> None:
    """Attack 14: the challenge is a hash, whatever else the provider would take."""
    async with browser(door) as client:
        query = asked(await to_provider(client))
    assert query["response_type"] == "code"
    assert query["client_id"] == CLIENT
    assert query["redirect_uri"] == f"{door.settings.public_url}/auth/oidc/callback"
    assert query["code_challenge_method"] == "S256"
    assert {"state", "nonce"} <= query.keys()
    assert not {"prompt", "max_age", "response_mode"} & query.keys()
    (row,) = await rows(
        door, "SELECT verifier FROM sign_in_flow WHERE nonce = :nonce", nonce=query["nonce"]
    )
    digest = hashlib.sha256(row.verifier.encode()).digest()
    assert query["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert query["state"] not in str(await rows(door, "SELECT * FROM sign_in_flow"))


async def test_a1_of_two_tabs_each_ends_signed_in(door: Front, provider: Idp) -> None:
    """Case A1."""
    async with browser(door) as client:
        first = await to_provider(client, "/history")
        second = await to_provider(client, "/account")
        for address, place in ((first, "/history"), (second, "/account")):
            answer = await client.get(await at_provider(address))
            assert (answer.status_code, answer.headers["location"]) == (303, place)
            assert (await client.get("/account")).status_code == 200


async def test_a2_begun_at_one_front_ended_at_another(opened: Opened, own: Idp) -> None:
    """Case A2: and without its cookie nothing is made."""
    port = free_port()
    known_as = f"http://127.0.0.1:{port}"
    async with (
        opened(port=port, public_url=known_as) as one,
        opened(public_url=known_as) as two,
        browser(one) as client,
    ):
        back = await at_provider(await to_provider(client))
        since = await Since.now(two)
        async with browser(two) as stranger:
            lost = await stranger.get(back)
        assert lost.status_code == 400
        assert "begin again" in lost.text.lower()
        assert await since.nobody_came()
        assert await since.refused() == ["flow_cookie"]
        answer = await client.get(f"{address(two)}{back}")
        assert answer.status_code == 303
        for front in (one, two):
            there = f"{address(front)}{API}"
            assert (await client.get(there)).status_code == 200


async def test_a3_somebody_elses_code_and_state(door: Front, provider: Idp) -> None:
    """Case A3 and attack 12: the victim's browser has no cookie of that flow, or another's."""
    async with browser(door) as attacker, browser(door) as victim:
        back = await at_provider(await to_provider(attacker))
        since = await Since.now(door)
        assert (await victim.get(back)).status_code == 400
        # With a flow of their own under way it is no better.
        mine = asked(await to_provider(victim))
        assert (await victim.get(back)).status_code == 400
        own = urlsplit(back)
        swapped = asked(back) | {"state": mine["state"]}
        answer = await victim.get(f"{own.path}?{urlencode(swapped)}")
        # The code was made for another challenge: the provider does not confirm it.
        assert answer.status_code == 400
        assert await since.nobody_came()
        assert await since.refused() == ["flow_cookie", "flow_cookie", "code_refused"]
        assert (await victim.get("/history")).status_code == 303


async def test_attack_12_the_cookie_of_another_tab_is_none(door: Front, provider: Idp) -> None:
    """Attack 12."""
    async with browser(door) as client:
        first, second = [asked(await to_provider(client)) for _ in range(2)]
        kept = {cookie.name: cookie.value for cookie in client.cookies.jar}
        assert len(kept) == 2
        one, other = kept
        swapped = {one: kept[other], other: kept[one]}
    since = await Since.now(door)
    async with browser(door, cookies=swapped) as client:
        for flow in (first, second):
            query = urlencode({"code": "x", "state": flow["state"], "iss": provider.issuer})
            assert (await client.get(f"/auth/oidc/callback?{query}")).status_code == 400
    assert await since.refused() == ["flow_cookie", "flow_cookie"]


async def test_attack_11_a_callback_counts_once(door: Front, provider: Idp) -> None:
    """Attack 11: replayed, with a code used before, or with a nonce of an earlier flow."""
    async with browser(door) as client:
        back = await at_provider(await to_provider(client))
        assert (await client.get(back)).status_code == 303
        kept = {cookie.name: cookie.value for cookie in client.cookies.jar}
    since = await Since.now(door)
    async with browser(door, cookies=kept) as client:
        assert (await client.get(back)).status_code == 400
        used = asked(back)["code"]
        client.cookies.clear()
        mine = asked(await to_provider(client))
        again = urlencode({"code": used, "state": mine["state"], "iss": provider.issuer})
        assert (await client.get(f"/auth/oidc/callback?{again}")).status_code == 400
        address = await to_provider(client)
        earlier = address.replace(asked(address)["nonce"], mine["nonce"])
        assert (await client.get(await at_provider(earlier))).status_code == 400
    assert await since.nobody_came()
    assert await since.refused() == ["flow_unknown", "code_refused", "token_nonce"]


async def test_attack_11_an_answer_at_the_same_time_twice_makes_one_session(
    door: Front, provider: Idp
) -> None:
    """Attack 11."""
    async with browser(door) as client:
        back = await at_provider(await to_provider(client))
        before = await count(door, "session")
        answers = await asyncio.gather(*(client.get(back) for _ in range(6)))
    assert sorted(one.status_code for one in answers) == [303, *[400] * 5]
    assert await count(door, "session") == before + 1


@pytest.mark.parametrize("late", [True, False])
async def test_a_flow_ends_after_ten_minutes(
    door: Front, provider: Idp, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browser(door) as client:
        back = await at_provider(await to_provider(client))
        after = timedelta(seconds=601 if late else 590)
        monkeypatch.setattr("service.identity.oidc.flow.now", lambda: now() + after)
        provider.ahead = after.total_seconds()
        answer = await client.get(back)
    assert answer.status_code == (400 if late else 303)
    assert ("ten minutes" in answer.text) is late


async def test_of_many_flows_the_oldest_gives_way(door: Front, provider: Idp) -> None:
    """Five cookies at most, whatever a browser is made to begin."""
    async with browser(door) as client:
        for number in range(9):
            sent = await client.get("/auth/oidc/signin")
            assert sum(len(one) for one in sent.headers.get_list("set-cookie")) < 2000, number
        flows = [one for one in client.cookies.jar if "-flow-" in one.name]
        assert len(flows) == cookies.MOST
        # The last of them is good.
        assert (await through(client)).status_code == 303


async def test_the_cookie_of_a_flow_is_as_it_should_be(door: Front, provider: Idp) -> None:
    async with browser(door) as client:
        (made,) = (await client.get("/auth/oidc/signin")).headers.get_list("set-cookie")
        parts = [part.strip().lower() for part in made.split(";")]
        assert {"httponly", "samesite=lax", "path=/", "max-age=600"} <= set(parts)
        assert not any(part.startswith("domain") for part in parts)
        answer = await through(client)
        gone = [one for one in answer.headers.get_list("set-cookie") if "-flow-" in one]
        assert len(gone) == 1
        assert "max-age=0" in gone[0].lower()


async def test_a13_behind_tls_it_is_the_public_address(opened: Opened, own: Idp) -> None:
    """Case A13: whatever Host and the proxies' headers say."""
    async with opened(public_url="https://dxa.example/", hosts="other.example") as front:
        told_so = {
            "Host": "other.example",
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "http",
            "Forwarded": "host=evil.example;proto=http",
        }
        async with browser(front, headers=told_so) as client:
            sent = await client.get("/auth/oidc/signin")
        assert asked(sent.headers["location"])["redirect_uri"] == (
            "https://dxa.example/auth/oidc/callback"
        )
        (made,) = sent.headers.get_list("set-cookie")
        assert made.startswith("__Host-osteoserve-flow-")
        assert "secure" in made.lower()


@pytest.mark.parametrize(
    "next",
    [
        "//evil", "/\\evil", "/%5cevil\\", "https:evil", "https://evil", "javascript:alert(1)",
        "/a\r\nSet-Cookie: a=b", "/" + "a" * 8192, "\\\\evil", "/" + "é" * 1999,
    ],
)  # fmt: skip
async def test_attack_7_the_way_back_is_ours(door: Front, provider: Idp, next: str) -> None:
    """Attack 7."""
    async with browser(door) as client:
        answer = await through(client, next)
    (place,) = answer.headers.get_list("location")
    assert answer.status_code == 303
    assert place in ("/", "/evil")


async def test_attack_15_a_session_set_before_signing_in_is_none(
    door: Front, provider: Idp
) -> None:
    """Attack 15."""
    fixed = "a" * 43
    async with browser(door, cookies={"osteoserve": fixed}) as client:
        answer = await through(client)
        made = answer.cookies["osteoserve"]
    assert made != fixed
    async with browser(door) as client:
        for token, status in ((fixed, 401), (made, 200)):
            headers = {"Cookie": f"osteoserve={token}"}
            assert (await client.get(API, headers=headers)).status_code == status


@pytest.mark.parametrize("iss", ["https://other.example", "", None])
async def test_attack_13_an_answer_of_another_provider(
    door: Front, provider: Idp, iss: str | None
) -> None:
    """Attack 13: mix-up. This provider always says who it is."""
    since = await Since.now(door)
    async with browser(door) as client:
        back = urlsplit(await at_provider(await to_provider(client)))
        query = {name: value for name, value in asked(back.geturl()).items() if name != "iss"}
        if iss is not None:
            query["iss"] = iss
        answer = await client.get(f"{back.path}?{urlencode(query)}")
    assert answer.status_code == 400
    assert await since.refused() == ["answer_issuer"]
    assert await since.nobody_came()


async def test_a_provider_that_does_not_say_who_it_is_need_not(opened: Opened, own: Idp) -> None:
    own.metadata["authorization_response_iss_parameter_supported"] = None
    own.says_iss = False
    async with opened() as front, browser(front) as client:
        assert (await through(client)).status_code == 303


async def test_what_comes_twice_is_nothing(door: Front, provider: Idp) -> None:
    since = await Since.now(door)
    async with browser(door) as client:
        for name in ("code", "state", "iss"):
            back = await at_provider(await to_provider(client))
            assert (await client.get(f"{back}&{name}=x")).status_code == 400
    assert await since.refused() == ["answer_malformed", "flow_unknown", "answer_issuer"]
    assert await since.nobody_came()


@pytest.mark.parametrize("error", ["access_denied", "login_required", "<script>"])
async def test_what_the_provider_refuses_is_said_without_its_words(
    door: Front, provider: Idp, error: str
) -> None:
    provider.error = error
    since = await Since.now(door)
    async with browser(door) as client:
        answer = await through(client)
    assert answer.status_code == 403
    assert "Klinikum has not let you in" in answer.text
    assert "script>alert" not in answer.text
    assert await since.refused() == ["provider_refused"]


async def test_strangers_do_not_fill_the_trail(door: Front, provider: Idp) -> None:
    since = await Since.now(door)
    async with browser(door) as client:
        for _ in range(40):
            answer = await client.get("/auth/oidc/callback?code=x&state=" + "s" * 43)
            assert answer.status_code == 400
    assert len(await since.refused()) < 20


async def test_nobody_begins_without_end(
    door: Front, provider: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.identity.oidc.flow.MOST", 3)
    async with browser(door) as client:
        answers = [await client.get("/auth/oidc/signin") for _ in range(4)]
        assert answers[-1].status_code == 429


async def test_without_a_provider_there_are_no_such_addresses(opened: Opened) -> None:
    nothing = {
        "oidc_issuer": None, "oidc_client_id": "", "oidc_client_secret": None, "oidc_name": "",
        "oidc_contact": "", "oidc_roles": "", "oidc_audience": "", "oidc_programs": "",
    }  # fmt: skip
    async with opened(**nothing) as front, browser(front) as client:
        assert (await client.get("/auth/oidc/signin")).status_code == 404
        assert (await client.get("/auth/oidc/callback")).status_code == 404
        assert (await client.post("/auth/oidc/logout")).status_code == 404
        assert "Sign in with" not in (await client.get("/signin")).text


@pytest.mark.parametrize("ways", [["client_secret_post"], ["client_secret_basic"], None])
async def test_the_secret_goes_where_the_provider_takes_it(
    opened: Opened, own: Idp, ways: list[str] | None
) -> None:
    own.metadata["token_endpoint_auth_methods_supported"] = ways
    async with opened() as front, browser(front) as client:
        assert (await through(client)).status_code == 303
    sent = own.last("/token")
    assert ("client_secret" in sent) is (ways == ["client_secret_post"])
    assert sent["Authorization"].startswith("Basic ") is (ways != ["client_secret_post"])


async def test_a_secret_in_a_file_is_read_anew(opened: Opened, own: Idp, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("first\n")
    own.secret = "first"  # noqa: S105 - no secret
    async with opened(oidc_client_secret=None, oidc_client_secret_file=file) as front:
        async with browser(front) as client:
            assert (await through(client)).status_code == 303
        own.secret = "second"  # noqa: S105 - no secret
        async with browser(front) as client:
            assert (await through(client)).status_code == 400
        file.write_text("second")
        async with browser(front) as client:
            assert (await through(client)).status_code == 303


async def test_a_public_client_has_its_verifier_alone(opened: Opened, own: Idp) -> None:
    own.secret = None
    async with opened(oidc_client_secret=None) as front, browser(front) as client:
        assert (await through(client)).status_code == 303


async def test_a4_no_answer_names_more_than_there_is_room_for(door: Front, provider: Idp) -> None:
    """Case A4: 300 groups with names of 120 characters; nginx has 4 KB for headers."""
    groups = [f"{number:03d}-" + "g" * 116 for number in range(300)]
    provider.claims["groups"] = [*groups, "dxa-clinicians"]
    async with browser(door) as client:
        sent = await client.get("/auth/oidc/signin")
        back = await client.get(await at_provider(sent.headers["location"]))
        assert back.status_code == 303
        left = await client.post("/signout")
        assert left.status_code == 200
        for answer in (sent, back, left):
            assert size(answer) < 4096


def address(front: Front) -> str:
    return str(front.client.base_url).rstrip("/")


def size(answer: httpx.Response) -> int:
    return sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
