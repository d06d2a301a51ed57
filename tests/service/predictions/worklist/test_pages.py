"""The worklist's page: what a row tells, links that order and turn, forms that act, roles."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from lxml import html
from PIL import Image

from service.http.problem_types import KINDS
from service.language.locale import speaking
from service.medicine.vertebrae.view import SENTENCES
from service.predictions.contexts import REASONS
from service.predictions.worklist.findings import SHORT
from tests.service.audit.test_trail import entries
from tests.service.kit.accounts import Somebody, person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_problem, assert_well_made

pytestmark = pytest.mark.anyio

SIGN = {"action": "sign", "reviewer": "A. Reader"}


async def sent(opened: Any, png: bytes, reference: str = "", name: str = "scan.png") -> str:
    files = {"file": (name, png + uuid4().bytes, "image/png")}
    facts = {"patient_reference": reference, "acquired_on": "2025-11-03"} if reference else {}
    answer = await opened.client.post(API, files=files, data=facts)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def rows(page: html.HtmlElement) -> dict[str, str]:
    """Return the words of each row by the result that it leads to."""
    return {
        row.get("data-result").rsplit("/", 1)[1]: " ".join(row.text_content().split())
        for row in page.xpath("//tbody/tr")
    }


async def listed(opened: Any, address: str = "/history") -> html.HtmlElement:
    answer = await opened.client.get(address)
    assert answer.status_code == 200, answer.text
    page = html.fromstring(answer.text)
    assert_well_made(page)
    return page


def test_every_code_has_a_short_word() -> None:
    assert SHORT.keys() == REASONS.keys() | SENTENCES.keys()
    with speaking("de"):
        assert SHORT


async def test_a_row_tells_whom_what_and_who(shared: Front, png: bytes) -> None:
    id = await sent(shared, png, "ward-3/0815", "Knee of Jane.png")
    told = rows(await listed(shared))[id]
    for word in ("ward-3/0815", "3 November 2025", "Signs of osteoporosis", "Preliminary",
                 "Knee of Jane.png"):  # fmt: skip
        assert word in told
    await shared.client.post(f"{API}/{id}/reviews", json=SIGN)
    assert "Signed" in rows(await listed(shared))[id]
    other = {"action": "override", "outcome": "normal", "reviewer": "B. Reader",
             "reason": "Only degeneration."}  # fmt: skip
    await shared.client.post(f"{API}/{id}/reviews", json=other)
    told = rows(await listed(shared))[id]
    # The reader's finding comes first.
    assert told.index("No sign of osteoporosis found") < told.index("The models said: Signs")


async def test_columns_order_by_a_click_and_back(shared: Front, png: bytes) -> None:
    for reference in ("b", "a", "c"):
        await sent(shared, png, f"order/{reference}")
    page = await listed(shared)
    (there,) = page.xpath("//thead//th[@class='patient']/a/@href")
    once = await listed(shared, there)
    assert once.xpath("//th[@aria-sort]/@aria-sort") == ["ascending"]
    names = [one for one in once.xpath("//tbody//th/a/text()") if one.startswith("order/")]
    assert names == ["order/a", "order/b", "order/c"]
    (back,) = once.xpath("//thead//th[@class='patient']/a/@href")
    twice = await listed(shared, back)
    assert twice.xpath("//th[@aria-sort]/@aria-sort") == ["descending"]
    names = [one for one in twice.xpath("//tbody//th/a/text()") if one.startswith("order/")]
    assert names == ["order/c", "order/b", "order/a"]


async def test_rows_and_views_keep_each_other(shared: Front, png: bytes) -> None:
    await sent(shared, png)
    page = await listed(shared, "/history?reviewed=false&sort=oldest&limit=50")
    assert page.xpath("//p[contains(@class, 'limits')]/a[@aria-current]/text()") == ["50"]
    assert page.xpath("//nav[@class='lists']//a[@aria-current]/text()") == ["Unread"]
    for address in page.xpath("//p[contains(@class, 'limits')]/a/@href"):
        assert {"reviewed", "sort"} <= parse_qs(urlsplit(address).query).keys()
    (flagged,) = page.xpath("//nav[@class='lists']//a[text()='Flagged']/@href")
    assert parse_qs(urlsplit(flagged).query) == {
        "flagged": ["true"], "sort": ["oldest"], "limit": ["50"],
    }  # fmt: skip


async def test_a_patient_is_found_by_a_part_and_no_address_says_so(
    shared: Front, png: bytes
) -> None:
    mark = uuid4().hex[:8]
    ids = {await sent(shared, png, f"Ward-{mark}/{n}") for n in range(3)}
    await sent(shared, png, "somebody else")
    form = {"part": f"ward-{mark.upper()}", "sort": "oldest", "reviewed": "false"}
    answer = await shared.client.post("/history", data=form)
    assert answer.status_code == 303
    where = answer.headers["location"]
    assert mark not in where
    assert mark.upper() not in where
    page = await listed(shared, where)
    assert rows(page).keys() == ids
    assert page.xpath("//p[@class='note-box']/strong/text()") == [
        f"Ward-{mark}/{n}" for n in range(3)
    ]
    assert parse_qs(urlsplit(where).query).keys() == {"patient", "sort", "reviewed"}
    # The other form narrows these further.
    assert page.xpath("//form[@role='search']//input[@name='patient']/@value")


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("no such person", "No patient’s reference contains this."),
        ("", "1 to 64 printable characters"),
        ("x" * 65, "1 to 64 printable characters"),
        ("a\u202eb", "1 to 64 printable characters"),
    ],
)
async def test_a_search_that_finds_nobody_says_so_at_its_field(
    shared: Front, part: str, told: str
) -> None:
    answer = await shared.client.post("/history", data={"part": part})
    assert answer.status_code == 422
    page = html.fromstring(answer.text)
    assert_well_made(page)
    assert told in page.xpath("string(//*[@id='part-error'])")
    assert page.xpath("//input[@id='part']/@value") == [part]
    assert page.xpath("//input[@name='back']/@value")[0].startswith("/history")


async def test_where_references_are_encrypted_the_whole_one_finds_a_patient(
    tmp_path: Path, png: bytes
) -> None:
    keys = tmp_path / "column-keys"
    keys.write_text("k" * 32)
    given = {"column_keys": keys, "column_encryption": True}
    async with running() as runners, front(tmp_path / "var", runners, **given) as opened:
        id = await sent(opened, png, "Ward-7/12", "Jane.png")
        page = await listed(opened)
        assert page.xpath("//label[@for='part']/text()") == ["The whole reference"]
        assert "a part of one finds nobody" in page.xpath("string(//*[@id='part-help'])")
        assert "Jane.png" in rows(page)[id]
        for part in ("Ward-7", "ward-7/12"):
            answer = await opened.client.post("/history", data={"part": part})
            assert answer.status_code == 422
            assert "No patient has exactly this reference." in answer.text
        answer = await opened.client.post("/history", data={"part": "Ward-7/12"})
        assert answer.status_code == 303
        found = await listed(opened, answer.headers["location"])
        assert rows(found).keys() == {id}
        assert found.xpath("//p[@class='note-box']/strong/text()") == ["Ward-7/12"]
        files = tuple((tmp_path / "var").glob("osteoserve.db*"))
        assert files
        assert not any(b"Ward-7" in one.read_bytes() for one in files)
        assert not any(b"Jane" in one.read_bytes() for one in files)


async def test_more_patients_than_an_address_holds(shared: Front, png: bytes) -> None:
    mark = uuid4().hex[:8]
    for number in range(41):
        await sent(shared, png, f"{mark}-{number}")
    answer = await shared.client.post("/history", data={"part": mark})
    assert answer.status_code == 422
    assert "More than 40 patients fit" in answer.text
    answer = await shared.client.post("/history", data={"part": f"{mark}-3"})
    assert len((await listed(shared, answer.headers["location"])).xpath("//tbody/tr")) == 11


async def test_a_flag_is_set_from_the_list_and_leads_back_to_it(shared: Front, png: bytes) -> None:
    id = await sent(shared, png)
    address = "/history?reviewed=false&sort=oldest&limit=100"
    page = await listed(shared, address)
    (form,) = page.xpath(f"//form[@action='/results/{id}/flag']")
    assert form.xpath("./button/@aria-pressed") == ["false"]
    answer = await shared.client.post(form.action, data=dict(form.form_values()))
    assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert id in rows(await listed(shared, "/history?flagged=true"))
    (form,) = (await listed(shared, address)).xpath(f"//form[@action='/results/{id}/flag']")
    await shared.client.post(form.action, data=dict(form.form_values()))
    assert id not in rows(await listed(shared, "/history?flagged=true"))
    elsewhere = {"flagged": "yes", "back": "https://evil.example/"}
    answer = await shared.client.post(form.action, data=elsewhere)
    assert answer.headers["location"] == "/"


async def test_a_signed_result_is_retired_with_a_reason_and_listed_again(
    shared: Front, png: bytes
) -> None:
    id = await sent(shared, png)
    await shared.client.post(f"{API}/{id}/reviews", json=SIGN)
    assert_problem(await shared.client.delete(f"{API}/{id}"), "result_signed")
    question = html.fromstring((await shared.client.get(f"/results/{id}/delete")).text)
    assert f"/results/{id}/retire" in question.xpath("//main//a/@href")
    form = html.fromstring((await shared.client.get(f"/results/{id}/retire")).text)
    assert_well_made(form)
    refused = await shared.client.post(f"/results/{id}/retire", data={"reason": "because"})
    assert refused.status_code == KINDS["invalid_request"].status
    assert html.fromstring(refused.text).xpath("//select[@aria-invalid='true']")
    done = await shared.client.post(f"/results/{id}/retire", data={"reason": "wrong_patient"})
    assert (done.status_code, done.headers["location"]) == (303, f"/results/{id}")
    assert id not in rows(await listed(shared, "/history?limit=100"))
    assert "Retired" in rows(await listed(shared, "/history?retired=true"))[id]
    page = html.fromstring((await shared.client.get(f"/results/{id}")).text)
    assert_well_made(page)
    assert "It was filed under another patient." in page.text_content()
    # What it says stands as it is, and so does its signature.
    assert (await shared.client.get(f"{API}/{id}")).json()["review"]["action"] == "sign"
    back = await shared.client.post(f"/results/{id}/restore")
    assert back.status_code == 303
    assert id in rows(await listed(shared, "/history?limit=100"))


async def test_what_is_not_there_is_not_flagged(shared: Front) -> None:
    place = f"/results/{uuid4()}"
    for path in ("flag", "assign", "retire", "restore"):
        data = {"reason": "test"} if path == "retire" else {}
        answer = await shared.client.post(f"{place}/{path}", data=data)
        assert_error_page(answer, "prediction_not_found")
    assert_error_page(await shared.client.get(f"{place}/retire"), "prediction_not_found")
    assert (await shared.client.get(f"{place}/thumbnail.png")).status_code == 404


async def test_a_thumbnail_is_small_and_kept_nowhere(shared: Front, png: bytes) -> None:
    id = await sent(shared, png)
    for _ in range(2):
        answer = await shared.client.get(f"/results/{id}/thumbnail.png")
        assert answer.headers["cache-control"] == "no-store"
        with Image.open(io.BytesIO(answer.content)) as found:
            assert (found.size, found.mode, found.format) == ((64, 64), "L", "PNG")
        assert len(answer.content) < 6000


async def test_programs_do_the_same(shared: Front, png: bytes) -> None:
    id = await sent(shared, png)
    place = f"{API}/{id}/worklist"
    nothing = {"flagged": False, "assigned_to": None, "retired_at": None, "retired_reason": None}
    assert (await shared.client.get(place)).json() == nothing
    answer = await shared.client.patch(place, json={"flagged": True, "retired": "test"})
    body = answer.json()
    assert (body["flagged"], body["retired_reason"]) == (True, "test")
    assert body["retired_at"]
    answer = await shared.client.patch(place, json={"retired": None})
    assert answer.json() == {**nothing, "flagged": True}
    for wrong in ({"flagged": "SECRET"}, {"retired": "SECRET"}, {"assigned_to": "SECRET"},
                  {"SECRET": 1}):  # fmt: skip
        assert_problem(await shared.client.patch(place, json=wrong), "invalid_request")
    nobody = {"assigned_to": str(uuid4())}
    assert_problem(await shared.client.patch(place, json=nobody), "no_such_reader")
    gone = f"{API}/{uuid4()}/worklist"
    assert_problem(await shared.client.get(gone), "prediction_not_found")
    assert_problem(await shared.client.patch(gone, json={"flagged": True}), "prediction_not_found")


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners, auth="local") as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
async def ann(guarded: Front) -> AsyncIterator[Somebody]:
    async with person(guarded, "ann", "clinician") as somebody:
        yield somebody


async def test_a_result_is_assigned_and_found_by_whom_it_is_for(
    guarded: Front, ann: Somebody, png: bytes
) -> None:
    async with person(guarded, "bob", "clinician") as bob:
        id = await sent(ann, png)
        page = html.fromstring((await ann.client.get(f"/results/{id}")).text)
        assert_well_made(page)
        choices = page.xpath("//select[@name='person']/option/text()")
        assert choices == ["Whoever comes first", "Ann (you)", "Bob"]
        data = {"person": str(bob.id)}
        answer = await ann.client.post(f"/results/{id}/assign", data=data)
        assert answer.status_code == 303
        assert "Bob" in rows(await listed(ann))[id]
        assert rows(await listed(bob, "/history?mine=true")).keys() == {id}
        assert rows(await listed(ann, "/history?mine=true")) == {}
        answer = await ann.client.post(f"/results/{id}/assign", data={"person": "x"})
        assert_error_page(answer, "no_such_reader")
        # The trail says who did what to which result, and names nobody.
        (row,) = await entries(guarded, kind="result_assigned")
        assert (row.account_id, row.object_id) == (ann.id, id)
        assert row.detail == f'{{"to":"{bob.id}"}}'


async def test_next_unread_leads_from_one_to_the_other(ann: Somebody, png: bytes) -> None:
    ids = [await sent(ann, png) for _ in range(2)]
    first = await ann.client.get("/history/next")
    assert (first.status_code, first.headers["location"]) == (303, f"/results/{ids[1]}")
    assert first.headers["cache-control"] == "no-store"
    page = html.fromstring((await ann.client.get(f"/results/{ids[1]}")).text)
    (there,) = page.xpath("//a[@id='next-unread']/@href")
    signed = await ann.client.post(f"/results/{ids[1]}/reviews", data={"action": "sign"})
    assert signed.status_code == 303
    second = await ann.client.get(there)
    assert second.headers["location"] == f"/results/{ids[0]}"


async def test_a_viewer_sees_and_does_nothing(guarded: Front, ann: Somebody, png: bytes) -> None:
    id = await sent(ann, png)
    async with person(guarded, "vic", "viewer") as vic:
        page = await listed(vic)
        assert id in rows(page)
        assert not page.xpath("//form[contains(@action, '/flag')]")
        result = html.fromstring((await vic.client.get(f"/results/{id}")).text)
        for act in ("flag", "assign", "retire", "restore"):
            assert not result.xpath(
                f"//*[contains(@action, '/{act}') or contains(@href, '/{act}')]"
            )


async def test_an_administrator_retires_and_sees_no_result(
    guarded: Front, ann: Somebody, png: bytes
) -> None:
    id = await sent(ann, png)
    async with person(guarded, "boss", "administrator") as boss:
        page = html.fromstring((await boss.client.get(f"/results/{id}/retire")).text)
        assert f"/results/{id}" not in page.xpath("//main//a/@href")
        answer = await boss.client.post(f"/results/{id}/retire", data={"reason": "test"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/people")
        await boss.client.post(f"/results/{id}/restore")
    kinds = [row.kind for row in await entries(guarded, object_id=id)]
    assert [kind for kind in kinds if kind.startswith("result_")] == [
        "result_retired", "result_restored",
    ]  # fmt: skip
