"""Signing and overriding, over the API and with the page's own forms."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest
from lxml import html

from service.reviews.schemas import (
    EXAMPLE,
    MAX_REASON,
    MIN_REASON,
    Review,
    ReviewError,
    draft,
)
from tests.service.kit.fronts import API, Front
from tests.service.kit.shapes import assert_problem, assert_well_made

pytestmark = pytest.mark.anyio

SIGN = {"action": "sign", "reviewer": "A. Reader"}
REASON = "Marked degeneration at L3 and L4; the hip decides."
OVERRIDE = {
    "action": "override",
    "outcome": "indeterminate",
    "reviewer": "B. Reader",
    "reason": REASON,
}


async def made(shared: Front, png: bytes) -> str:
    return str((await shared.post(png)).headers["location"])


def page_of(location: str) -> str:
    return location.replace("/api/v1/predictions", "/results")


def words(response: httpx.Response, path: str) -> str:
    page = html.fromstring(response.text)
    return " ".join(" ".join(one.text_content() for one in page.xpath(path)).split())


def test_the_documented_example_is_a_review() -> None:
    assert Review.model_validate(EXAMPLE).model_dump(mode="json") == EXAMPLE


async def test_signing_adds_and_changes_nothing_else(shared: Front, png: bytes) -> None:
    location = await made(shared, png)
    before = (await shared.client.get(location)).json()
    assert before["review"] is None
    response = await shared.client.post(f"{location}/reviews", json=SIGN)
    assert response.status_code == 201
    review = response.json()
    assert (review["number"], review["outcome"]) == (1, before["outcome"])
    assert (review["reviewer"], review["reason"]) == ("A. Reader", None)
    after = (await shared.client.get(location)).json()
    assert after == before | {"review": review}


async def test_reviews_are_kept_in_order_and_the_last_counts(shared: Front, png: bytes) -> None:
    location = await made(shared, png)
    sent = [SIGN, OVERRIDE, {**SIGN, "reason": "Seen again with the hip scan."}]
    answers = [(await shared.client.post(f"{location}/reviews", json=one)).json() for one in sent]
    assert [one["number"] for one in answers] == [1, 2, 3]
    assert (await shared.client.get(f"{location}/reviews")).json() == answers
    body = (await shared.client.get(location)).json()
    assert body["review"] == answers[-1]
    assert body["outcome"] == "osteoporosis"


async def test_many_at_once_are_all_kept(shared: Front, png: bytes) -> None:
    location = await made(shared, png)
    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(
                lambda n: shared.client.post(
                    f"{location}/reviews", json={**SIGN, "reviewer": f"Reader {n}"}
                ),
                number,
            )
    kept = (await shared.client.get(f"{location}/reviews")).json()
    assert [one["number"] for one in kept] == list(range(1, 9))
    assert len({one["reviewer"] for one in kept}) == 8


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_there_is_no_way_to_change_one(shared: Front, png: bytes, method: str) -> None:
    location = await made(shared, png)
    response = await shared.client.request(method, f"{location}/reviews", json=SIGN)
    assert_problem(response, "method_not_allowed")


BAD: list[Any] = [
    pytest.param({}, {"action": "choice"}, id="nothing"),
    pytest.param({**SIGN, "action": "approve"}, {"action": "choice"}, id="another action"),
    pytest.param({**SIGN, "reviewer": " A "}, {"reviewer": "length"}, id="one letter"),
    pytest.param({**SIGN, "reviewer": "A" * 81}, {"reviewer": "length"}, id="long name"),
    pytest.param({**SIGN, "reviewer": 7}, {"reviewer": "characters"}, id="a number"),
    pytest.param({**SIGN, "reviewer": "A\nB"}, {"reviewer": "characters"}, id="two lines"),
    pytest.param({**SIGN, "reviewer": "A\u202eB"}, {"reviewer": "characters"}, id="turned round"),
    pytest.param({**SIGN, "reason": "ok"}, {"reason": "length"}, id="short remark"),
    pytest.param({**SIGN, "outcome": "normal"}, {"outcome": "unknown"}, id="outcome on sign"),
    pytest.param({**SIGN, "SECRET": 1}, {"body": "unknown"}, id="unknown field"),
    pytest.param({**OVERRIDE, "reason": None}, {"reason": "characters"}, id="null reason"),
    pytest.param({**OVERRIDE, "reason": " " * 40}, {"reason": "length"}, id="blank reason"),
    pytest.param({**OVERRIDE, "reason": "x" * 9}, {"reason": "length"}, id="short reason"),
    pytest.param({**OVERRIDE, "reason": "x" * 1001}, {"reason": "length"}, id="long reason"),
    pytest.param({**OVERRIDE, "outcome": "fine"}, {"outcome": "choice"}, id="another outcome"),
]


@pytest.mark.parametrize(("sent", "faults"), BAD)
def test_what_cannot_be_taken(sent: dict[str, Any], faults: dict[str, str]) -> None:
    with pytest.raises(ReviewError) as caught:
        draft(sent)
    assert {fault.field: fault.code for fault in caught.value.faults} == faults


async def test_an_override_names_another_outcome(shared: Front, png: bytes) -> None:
    location = await made(shared, png)
    sent = {**OVERRIDE, "outcome": "osteoporosis"}
    response = await shared.client.post(f"{location}/reviews", json=sent)
    body = assert_problem(response, "invalid_review")
    assert set(body["faults"]) == {"outcome"}
    response = await shared.client.post(f"{page_of(location)}/reviews", data=sent)
    assert response.status_code == 422
    assert words(response, "//p[@id='override-outcome-error']")
    assert (await shared.client.get(f"{location}/reviews")).json() == []


async def test_a_refusal_names_each_field_and_repeats_nothing(shared: Front, png: bytes) -> None:
    location = await made(shared, png)
    sent = {"action": "override", "outcome": "SECRET", "reviewer": "?", "SECRET": "SECRET"}
    response = await shared.client.post(f"{location}/reviews", json=sent)
    body = assert_problem(response, "invalid_review")
    assert set(body["faults"]) == {"outcome", "reviewer", "reason", "body"}
    assert (await shared.client.get(f"{location}/reviews")).json() == []


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"action": NaN}', b"\xff\xfe", b"[" * 5000, b"action=sign"],
    ids=["empty", "list", "cut", "nan", "no utf-8", "deep", "form"],
)
async def test_what_is_no_json_object(shared: Front, png: bytes, body: bytes) -> None:
    location = await made(shared, png)
    response = await shared.client.post(f"{location}/reviews", content=body)
    assert_problem(response, "malformed_body")


async def test_limits(shared: Front, png: bytes) -> None:
    location = await made(shared, png)
    for reason in ("x" * MIN_REASON, "ü" * MAX_REASON):
        response = await shared.client.post(
            f"{location}/reviews", json={**OVERRIDE, "reason": reason}
        )
        assert response.status_code == 201
    huge = b'{"action": "' + b"x" * 20_000 + b'"}'
    response = await shared.client.post(f"{location}/reviews", content=huge)
    assert_problem(response, "payload_too_large")
    nobody = f"{API}/7f9c24e8-3b12-4c5d-9a77-2f1e0d6b8c43/reviews"
    assert_problem(await shared.client.post(nobody, json=SIGN), "prediction_not_found")
    assert_problem(await shared.client.get(nobody), "prediction_not_found")


async def test_where_nobody_signs_in_a_name_is_needed(shared: Front, png: bytes) -> None:
    location = await made(shared, png)
    response = await shared.client.post(f"{location}/reviews", json={"action": "sign"})
    assert_problem(response, "invalid_review")
    assert response.json()["faults"].keys() == {"reviewer"}
    page = await shared.client.post(f"{page_of(location)}/reviews", data={"action": "sign"})
    assert page.status_code == 422
    assert "This is needed." in page.text


async def test_other_sites_cannot_sign(shared: Front, png: bytes) -> None:
    location = await made(shared, png)
    for path in (f"{location}/reviews", f"{page_of(location)}/reviews"):
        response = await shared.client.post(
            path, data=SIGN, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert response.status_code == 403
    assert (await shared.client.get(f"{location}/reviews")).json() == []


async def test_the_forms_sign_and_override_without_scripts(shared: Front, png: bytes) -> None:
    location = await made(shared, png)
    address = page_of(location)
    fresh = await shared.client.get(address)
    assert "Preliminary until signed" in words(fresh, "//*[@id='review']")
    forms = html.fromstring(fresh.text).xpath("//*[@id='review']//form")
    # There is nothing that could be withdrawn.
    assert [form.get("action") for form in forms] == [f"{address}/reviews"] * 3
    names = [{f.get("name") for f in form.xpath(".//*[@name]")} for form in forms]
    signing, overriding, commenting = names
    assert commenting == signing
    assert signing == {"action", "version", "reviewer", "reason"}
    assert overriding == {"action", "version", "reviewer", "outcome", "reason"}
    choices = set(forms[1].xpath(".//option/@value"))
    assert choices == {"", "normal", "indeterminate", "refused"}

    signed = await shared.client.post(f"{address}/reviews", data={**SIGN, "reason": ""})
    assert signed.status_code == 303
    assert signed.headers["location"] == f"{address}#review"
    after = await shared.client.get(address)
    assert "Signed by A. Reader" in words(after, "//p[contains(@class, 'standing')]")
    assert "preliminary" not in words(after, "//article").lower()

    await shared.client.post(f"{address}/reviews", data=OVERRIDE)
    after = await shared.client.get(address)
    text = words(after, "//*[@id='review']")
    assert "Overridden by B. Reader: Indeterminate" in text
    assert REASON in text
    assert "Signed by A. Reader" in words(after, "//*[@id='review']//details[1]")
    assert "overridden by a clinician" in words(after, "//article")
    assert words(after, "//h1") == "Indeterminate"
    # What the models said still stands.
    assert "The models said: Signs of osteoporosis" in words(after, "//article")


async def test_a_form_that_cannot_be_taken_comes_back_as_it_was_typed(
    shared: Front, png: bytes
) -> None:
    location = await made(shared, png)
    typed = {**OVERRIDE, "reviewer": '"><script>', "reason": "short"}
    response = await shared.client.post(f"{page_of(location)}/reviews", data=typed)
    page = html.fromstring(response.text)
    assert response.status_code == 422
    assert page.xpath("//input[@id='override-reviewer']/@value") == ['"><script>']
    assert page.xpath("string(//textarea[@id='override-reason'])") == "short"
    assert page.xpath("//option[@selected]/@value") == ["indeterminate"]
    (field,) = page.xpath("//*[@aria-invalid='true']")
    assert field.get("name") == "reason"
    (told,) = page.xpath(f"//*[@id='{field.get('aria-describedby')}']")
    assert "10 to 1000" in told.text_content()
    assert page.xpath("//details[@open]//textarea/@id") == ["override-reason"]
    assert (await shared.client.get(f"{location}/reviews")).json() == []


@pytest.mark.parametrize("body", [b"%zz&&", b"\xff=1", b"a", b"=".join([b"a=1&"] * 100)])
async def test_what_is_no_form(shared: Front, png: bytes, body: bytes) -> None:
    location = await made(shared, png)
    response = await shared.client.post(f"{page_of(location)}/reviews", content=body)
    assert response.status_code in (400, 422)
    assert (await shared.client.get(f"{location}/reviews")).json() == []


async def test_a_review_of_what_was_reviewed_meanwhile_is_not_written_down(
    shared: Front, png: bytes
) -> None:
    location = await made(shared, png)
    address = f"{location}/reviews"
    seen = (await shared.client.get(address)).headers["etag"]
    first = await shared.client.post(address, json=SIGN, headers={"If-Match": seen})
    assert first.status_code == 201
    refused = await shared.client.post(address, json=OVERRIDE, headers={"If-Match": seen})
    body = assert_problem(refused, "changed_meanwhile")
    assert body["kept"] == [first.json()]
    assert refused.headers["etag"] == (await shared.client.get(address)).headers["etag"]
    now = {"If-Match": refused.headers["etag"]}
    assert (await shared.client.post(address, json=OVERRIDE, headers=now)).status_code == 201
    # Whoever asks for nothing is not turned away.
    assert (await shared.client.post(address, json=SIGN)).status_code == 201


async def test_the_page_shows_a_review_that_was_written_meanwhile(
    shared: Front, png: bytes
) -> None:
    location = await made(shared, png)
    address = page_of(location)
    await shared.client.post(f"{location}/reviews", json={**SIGN, "reviewer": "First Reader"})
    fresh = await shared.client.get(address)
    versions = html.fromstring(fresh.text).xpath("//input[@name='version']/@value")
    assert versions == ["1"] * 4
    typed = {**OVERRIDE, "version": versions[1]}
    await shared.client.post(f"{location}/reviews", json={**SIGN, "reviewer": "Fast Reader"})
    refused = await shared.client.post(f"{address}/reviews", data=typed)
    assert refused.status_code == 412
    told = words(refused, "//*[@role='alert']")
    assert "Somebody else has reviewed this result meanwhile." in told
    assert "Signed by Fast Reader" in told
    assert "First Reader" not in told
    page = html.fromstring(refused.text)
    assert_well_made(page)
    form = page.xpath("//details[@open]//form")[0]
    again = dict(form.form_values())
    assert {**again, "version": ""} == {**OVERRIDE, "version": ""}
    assert len((await shared.client.get(f"{location}/reviews")).json()) == 2
    done = await shared.client.post(f"{address}/reviews", data=again)
    assert done.status_code == 303
    # The same form, sent twice by a double click, is one review.
    twice = await shared.client.post(f"{address}/reviews", data=again)
    assert twice.status_code == 303
    assert len((await shared.client.get(f"{location}/reviews")).json()) == 3
