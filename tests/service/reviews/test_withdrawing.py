"""Comments that leave what stands, and signatures that are withdrawn for everybody to see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from lxml import html

from service.predictions.query import Query
from service.reviews.schemas import Comment, Override, Signature, Withdrawal, standing
from service.storage.database import Database
from tests.service.kit.accounts import PASSWORD, person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_problem, assert_well_made
from tests.service.reviews.test_accounts import signed_in_long_ago

pytestmark = pytest.mark.anyio

SIGN = {"action": "sign", "reviewer": "A. Reader"}
COMMENT = {"action": "comment", "reviewer": "C. Reader", "reason": "Compare with the hip scan."}
WITHDRAW = {"action": "withdraw", "reviewer": "A. Reader", "reason": "Signed the wrong result."}
OVERRIDE = {"action": "override", "outcome": "normal", "reviewer": "B. Reader",
            "reason": "Only degeneration."}  # fmt: skip


async def judged(opened: Front, png: bytes) -> str:
    return str((await opened.post(png)).headers["location"])


async def said(opened: Front, location: str, *drafts: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for one in drafts:
        answer = await opened.client.post(f"{location}/reviews", json=one)
        assert answer.status_code == 201, answer.text
        found.append(answer.json())
    return found


async def test_a_comment_leaves_what_stands(shared: Front, png: bytes) -> None:
    location = await judged(shared, png)
    await said(shared, location, COMMENT)
    assert (await shared.client.get(location)).json()["review"] is None
    signed, _, overridden, comment = await said(shared, location, SIGN, COMMENT, OVERRIDE, COMMENT)
    assert (await shared.client.get(location)).json()["review"] == overridden
    # A comment is on what stood when it was written.
    assert (signed["outcome"], comment["outcome"]) == ("osteoporosis", "normal")
    address = location.replace("/api/v1/predictions", "/results")
    page = html.fromstring((await shared.client.get(address)).text)
    assert_well_made(page)
    told = " ".join(page.xpath("string(//*[@id='review'])").split())
    assert told.count("Comment by C. Reader") == 3
    assert "Compare with the hip scan." in told
    stands = " ".join(page.xpath("string(//*[@class='standing override'])").split())
    assert "Overridden by B. Reader" in stands


async def test_a_withdrawn_signature_makes_the_result_preliminary_again(
    shared: Front, png: bytes
) -> None:
    location = await judged(shared, png)
    await said(shared, location, SIGN, WITHDRAW)
    assert (await shared.client.get(location)).json()["review"] is None
    listed = (await shared.client.get(API, params={"reviewed": "false", "limit": 1})).json()
    assert listed["items"][0]["id"] == location.rsplit("/", 1)[1]
    address = location.replace("/api/v1/predictions", "/results")
    page = html.fromstring((await shared.client.get(address)).text)
    assert_well_made(page)
    told = " ".join(page.xpath("string(//*[@id='review'])").split())
    for line in ("Preliminary until signed.", "No signature stands.",
                 "Signature withdrawn by A. Reader", "Signed the wrong result.",
                 "Signed by A. Reader"):  # fmt: skip
        assert line in told
    report = await shared.client.get(f"{location}/report.pdf")
    assert report.status_code == 200
    # It was signed once: it is kept.
    assert_problem(await shared.client.delete(location), "result_signed")
    (again,) = await said(shared, location, SIGN)
    assert again["number"] == 3
    assert (await shared.client.get(location)).json()["review"] == again


async def test_what_nobody_has_signed_cannot_be_withdrawn(shared: Front, png: bytes) -> None:
    location = await judged(shared, png)
    address = location.replace("/api/v1/predictions", "/results")
    for before in ([], [COMMENT], [SIGN, WITHDRAW]):
        await said(shared, location, *before)
        answer = await shared.client.post(f"{location}/reviews", json=WITHDRAW)
        body = assert_problem(answer, "invalid_review")
        assert set(body["faults"]) == {"action"}
        page = html.fromstring((await shared.client.get(address)).text)
        assert not page.xpath("//input[@name='action'][@value='withdraw']")
    answer = await shared.client.post(f"{address}/reviews", data=WITHDRAW)
    assert answer.status_code == 422
    assert "Nothing stands that could be withdrawn." in answer.text


@pytest.mark.parametrize("action", ["comment", "withdraw"])
async def test_both_need_words(shared: Front, png: bytes, action: str) -> None:
    location = await judged(shared, png)
    await said(shared, location, SIGN)
    for reason in (None, "short", "x" * 1001):
        sent = {"action": action, "reviewer": "A. Reader"}
        sent |= {} if reason is None else {"reason": reason}
        answer = await shared.client.post(f"{location}/reviews", json=sent)
        assert set(assert_problem(answer, "invalid_review")["faults"]) == {"reason"}
    assert len((await shared.client.get(f"{location}/reviews")).json()) == 1


async def test_the_page_s_forms_do_both_without_scripts(shared: Front, png: bytes) -> None:
    location = await judged(shared, png)
    address = location.replace("/api/v1/predictions", "/results")
    await said(shared, location, SIGN)
    page = html.fromstring((await shared.client.get(address)).text)
    for sent in (COMMENT, WITHDRAW):
        (form,) = page.xpath(f"//form[input[@name='action'][@value='{sent['action']}']]")
        assert {one.get("name") for one in form.xpath(".//*[@name]")} == {*sent, "version"}
        answer = await shared.client.post(form.action, data=sent)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{address}#review")
    actions = [one["action"] for one in (await shared.client.get(f"{location}/reviews")).json()]
    assert actions == ["sign", "comment", "withdraw"]


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners, auth="local") as opened,
    ):
        yield opened


async def test_whoever_withdraws_proves_who_they_are_and_whoever_comments_need_not(
    guarded: Front, png: bytes
) -> None:
    reason = "Seen again beside the hip."
    async with (
        person(guarded, "ann", "clinician") as ann,
        person(guarded, "bob", "clinician") as bob,
    ):
        id = (await ann.client.post(API, content=png)).json()["id"]
        await ann.client.post(f"{API}/{id}/reviews", json={"action": "sign"})
        await signed_in_long_ago(guarded, bob)
        page = html.fromstring((await bob.client.get(f"/results/{id}")).text)
        asking = page.xpath("//form[.//input[@type='password']]/input[@name='action']/@value")
        assert asking == ["sign", "override", "withdraw"]
        comment = {"action": "comment", "reason": reason}
        assert (await bob.client.post(f"/results/{id}/reviews", data=comment)).status_code == 303
        withdraw = {"action": "withdraw", "reason": reason}
        refused = await bob.client.post(f"{API}/{id}/reviews", json=withdraw)
        assert_problem(refused, "sign_in_again")
        withdraw["password"] = PASSWORD
        assert (await bob.client.post(f"/results/{id}/reviews", data=withdraw)).status_code == 303
        reviews = (await ann.client.get(f"{API}/{id}/reviews")).json()
        assert [(one["action"], one["reviewer"]) for one in reviews] == [
            ("sign", "Ann"), ("comment", "Bob"), ("withdraw", "Bob"),
        ]  # fmt: skip


async def test_what_only_has_comments_can_be_deleted(database: Database) -> None:
    one, other = made(0), made(1)
    await keep(database, one, other)
    on = verbs(database)
    words = "Please look at the hip."
    comment = Comment(action="comment", reviewer="A. Reader", reason=words)
    await on.reviews.comment(ANYONE, one.id, comment, one.outcome)
    assert await on.predictions.delete(ANYONE, one.id)


async def test_the_database_finds_what_stands_as_reading_all_reviews_does(
    database: Database,
) -> None:
    drafts = {
        "s": Signature(action="sign", reviewer="A. Reader"),
        "o": Override(action="override", reviewer="A. Reader", outcome="normal", reason="x" * 10),
        "c": Comment(action="comment", reviewer="A. Reader", reason="x" * 10),
        "w": Withdrawal(action="withdraw", reviewer="A. Reader", reason="x" * 10),
    }
    on = verbs(database)
    stories = ["", "c", "s", "sc", "sw", "scw", "sws", "swc", "so", "sow", "owoc", "swocwsc"]
    for number, story in enumerate(stories):
        one = made(number)
        await keep(database, one)
        for letter in story:
            await on.reviews.add(ANYONE, one.id, drafts[letter], one.outcome)
        expected = standing(await on.reviews.of(ANYONE, one.id))
        found = await on.predictions.get(ANYONE, one.id)
        assert found is not None
        assert found.review == expected, story
        for reviewed in (True, False):
            page, _ = await on.predictions.page(ANYONE, Query(reviewed=reviewed, limit=100))
            assert (one.id in {it.id for it in page}) == (reviewed == (expected is not None))
