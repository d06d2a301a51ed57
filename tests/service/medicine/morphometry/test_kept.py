"""Keeping points: versions of one result, whose they are, and what cannot be kept."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
from lxml import html
from PIL import Image

from models.phantom import lateral
from service.medicine.morphometry.kept import Picture
from service.medicine.morphometry.schemas import EXAMPLE
from tests.service.kit import images
from tests.service.kit.accounts import person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_problem, assert_well_made
from tests.service.medicine.morphometry.test_pages import POINTS

pytestmark = pytest.mark.anyio

VERTEBRAE = EXAMPLE["vertebrae"]
MOVED = {
    **EXAMPLE,
    "vertebrae": [{**VERTEBRAE[0], "upper": [[99.5, 40.0], *VERTEBRAE[0]["upper"][1:]]}],
}


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners, auth="local") as opened,
    ):
        yield opened


@pytest.fixture
async def id(shared: Front) -> str:
    """A refused image of 160 by 800 pixels."""
    response = await shared.upload(images.unusable())
    return str(response.json()["id"])


def drawn(text: str) -> html.HtmlElement:
    page = html.fromstring(text)
    assert_well_made(page)
    return page


def sent(place: int = 0, **changes: Any) -> dict[str, Any]:
    """Return the example with another vertebra in it."""
    vertebrae = [dict(one) for one in VERTEBRAE]
    vertebrae[place] |= changes
    return {**EXAMPLE, "vertebrae": vertebrae}


async def test_versions_are_added_and_the_last_counts(shared: Front, id: str) -> None:
    place = f"{API}/{id}/heights"
    empty = await shared.client.get(place)
    assert (empty.status_code, empty.json()["versions"]) == (200, [])
    assert empty.headers["etag"] == '"0"'
    first = await shared.client.put(place, json=EXAMPLE, headers={"If-Match": '"0"'})
    assert (first.status_code, first.headers["etag"]) == (200, '"1"')
    assert first.headers["cache-control"] == "no-store"
    (one,) = first.json()["versions"]
    found = {it["level"]: it for it in one["vertebrae"]}
    assert (found["L1"]["grade"], found["L1"]["shape"]) == (2, "wedge")
    assert found["L1"]["upper"] == VERTEBRAE[1]["upper"]
    assert {it["as_proposed"] for it in one["vertebrae"]} == {False}
    assert (one["number"], one["by"], one["after_signature"]) == (1, None, None)
    # Sent twice is kept once, whichever version was seen.
    again = await shared.client.put(place, json=EXAMPLE, headers={"If-Match": '"0"'})
    assert again.json() == first.json()
    other = await shared.client.put(place, json=MOVED, headers={"If-Match": '"1"'})
    assert [it["number"] for it in other.json()["versions"]] == [1, 2]
    assert other.json()["versions"][0] == one
    gone = await shared.client.delete(place, headers={"If-Match": '"2"'})
    assert [len(it["vertebrae"]) for it in gone.json()["versions"]] == [3, 1, 0]
    assert (await shared.client.get(place)).json() == gone.json()
    assert (await shared.client.delete(place)).json() == gone.json()


async def test_who_has_not_seen_the_last_version_changes_nothing(shared: Front, id: str) -> None:
    place = f"{API}/{id}/heights"
    kept = (await shared.client.put(place, json=EXAMPLE)).json()
    for ask in (
        shared.client.put(place, json=MOVED, headers={"If-Match": '"0"'}),
        shared.client.delete(place, headers={"If-Match": '"7", "x"'}),
    ):
        answer = await ask
        body = assert_problem(answer, "changed_meanwhile")
        assert (body["kept"], answer.headers["etag"]) == (kept["versions"], '"1"')
    assert (await shared.client.get(place)).json() == kept


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (sent(upper=[[160.5, 40.0], *VERTEBRAE[0]["upper"][1:]]), "invalid_points", "outside"),
        (sent(upper=[[-0.1, 40.0], *VERTEBRAE[0]["upper"][1:]]), "invalid_points", "outside"),
        (sent(lower=VERTEBRAE[0]["upper"]), "invalid_points", "below that of the upper one"),
        (sent(1, level="T12"), "invalid_points", "there twice"),
        (sent(upper=VERTEBRAE[0]["upper"][:2]), "invalid_points", "vertebrae.0.upper"),
        (sent(upper=[*VERTEBRAE[0]["upper"], [1, 2]]), "invalid_points", "vertebrae.0.upper"),
        ({"vertebrae": []}, "invalid_points", "vertebrae"),
        (b'{"vertebrae": [{"level": "L1", "upper": [[NaN, 1]]}]}', "malformed_body", "JSON"),
        (
            b'{"vertebrae": [{"level": "L1", "upper": [[1e999, 1], [2, 1], [3, 1]],'
            b' "lower": [[1, 9], [2, 9], [3, 9]]}]}',
            "invalid_points", "vertebrae.0.upper",
        ),
    ],
    ids=["right of it", "left of it", "flat", "twice", "two", "four", "none", "NaN", "endless"],
)  # fmt: skip
async def test_points_that_cannot_be_are_not_kept(
    shared: Front, id: str, body: Any, code: str, words: str
) -> None:
    place = f"{API}/{id}/heights"
    how: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
    before = (await shared.client.get(place)).json()
    answer = await shared.client.put(place, **how)
    assert_problem(answer, code)
    assert words in answer.text
    assert (await shared.client.get(place)).json() == before


async def test_points_of_a_frontal_image_are_not_kept(shared: Front, png: bytes) -> None:
    id = (await shared.upload(png)).json()["id"]
    answer = await shared.client.put(f"{API}/{id}/heights", json=EXAMPLE)
    assert_problem(answer, "not_lateral")
    page = drawn((await shared.client.get(f"/results/{id}/heights")).text)
    assert "Points of this image cannot be kept" in page.text_content()
    assert not page.xpath("//button[@formaction]")
    posted = await shared.client.post(f"/results/{id}/heights/keep", data=POINTS)
    assert posted.status_code == 409
    told = drawn(posted.text)
    assert "another one than a lateral one" in told.xpath("//*[@role='alert']")[0].text_content()
    assert told.xpath("//input[@name='L1']/@value") == [POINTS["L1"]]
    assert (await shared.client.get(f"{API}/{id}/heights")).json()["versions"] == []


@pytest.mark.parametrize(
    ("outcome", "reasons", "may"),
    [
        ("refused", ("lateral_view",), True), ("refused", ("not_spine_dxa",), True),
        ("refused", ("other_view", "wrong_shape"), True), ("refused", ("other_body_part",), False),
        ("normal", (), False), ("osteoporosis", (), False), ("indeterminate", (), False),
    ],
)  # fmt: skip
def test_what_the_gate_took_for_another_image_is_not_lateral(
    outcome: str, reasons: tuple[str, ...], may: bool
) -> None:
    picture = Picture.model_validate(
        {"outcome": outcome, "quality": {"reasons": reasons}, "image": {"width": 1, "height": 1}}
    )
    assert picture.may_be_lateral is may


async def test_a_form_without_scripts_keeps_points_and_shows_whose_they_are(
    guarded: Front,
) -> None:
    async with person(guarded, "keeper", "clinician") as reader:
        id = (await reader.client.post(API, content=images.unusable())).json()["id"]
        address = f"/results/{id}/heights"
        page = drawn((await reader.client.get(address)).text)
        (button,) = page.xpath("//button[@formaction]")
        assert button.text_content() == "Keep these points"
        fields = {**POINTS, "version": page.xpath("//input[@name='version']/@value")[0]}
        done = await reader.client.post(button.get("formaction"), data=fields)
        assert (done.status_code, done.headers["location"]) == (303, f"{address}#kept")
        for where, section in ((address, "kept"), (f"/results/{id}", "kept-heights")):
            page = drawn((await reader.client.get(where)).text)
            (told,) = page.xpath(f"//section[@aria-labelledby='{section}']")
            words = " ".join(told.text_content().split())
            assert "Points kept by Keeper" in words
            assert "grade 2, moderate" in words
            assert words.count("set by the reader") == 3
            assert told.xpath(".//time/@datetime")
        german = await reader.client.get(f"/results/{id}", headers={"Accept-Language": "de"})
        assert "Punkte behalten von Keeper" in german.text
        # Measuring other points leaves them as they are.
        other = {"L2": POINTS["L2"], "version": "1"}
        measured = drawn((await reader.client.post(address, data=other)).text)
        assert "Measured just now, and not kept." in measured.text_content()
        assert len(measured.xpath("//section[@aria-labelledby='kept']//tbody/tr")) == 3
        (one,) = (await reader.client.get(f"{API}/{id}/heights")).json()["versions"]
        assert (one["by"], one["person_id"]) == ("Keeper", str(reader.id))
        async with person(guarded, "second", "clinician") as second:
            await second.client.put(f"{API}/{id}/heights", json=MOVED)
            late = await reader.client.post(f"{address}/keep", data=other)
            assert late.status_code == 412
            page = drawn(late.text)
            assert "Somebody else has kept points" in page.text_content()
            assert "Points kept by Second" in page.text_content()
            assert page.xpath("//input[@name='L2']/@value") == [POINTS["L2"]]
            (seen,) = page.xpath("//input[@name='version']/@value")
            again = await reader.client.post(f"{address}/keep", data={**other, "version": seen})
            assert again.status_code == 303
        removed = {"remove": "yes", "version": "3"}
        assert (await reader.client.post(f"{address}/keep", data=removed)).status_code == 303
        page = drawn((await reader.client.get(f"/results/{id}")).text)
        assert "Points removed by Keeper" in page.text_content()


async def test_the_form_leaves_the_shape_of_pixels_as_it_was_said(shared: Front, id: str) -> None:
    place, address = f"{API}/{id}/heights", f"/results/{id}/heights"
    before = await shared.client.put(place, json={**EXAMPLE, "pixel_aspect": 2.0})
    page = drawn((await shared.client.get(address)).text)
    fields = {
        one.get("name"): one.get("value")
        for one in page.xpath("//form[@id='points']//input")
        if one.get("value")
    }
    # Sent as it came it is the same version.
    assert (await shared.client.post(f"{address}/keep", data=fields)).status_code == 303
    assert (await shared.client.get(place)).json() == before.json()


async def test_faults_of_kept_points_stand_beside_their_vertebra(shared: Front, id: str) -> None:
    outside = POINTS["L2"].replace("100.0,", "900.0,", 1)
    answer = await shared.client.post(f"/results/{id}/heights/keep", data={**POINTS, "L2": outside})
    assert answer.status_code == 422
    (error,) = drawn(answer.text).xpath("//p[@id='points-L2-error']")
    assert "outside of the image, which is 160 pixels wide and 800 high" in error.text_content()


async def test_points_kept_after_a_signature_are_none_of_it(guarded: Front) -> None:
    async with person(guarded, "signer", "clinician") as reader:
        id = (await reader.client.post(API, content=images.no_spine())).json()["id"]
        place = f"{API}/{id}/heights"
        before = await reader.client.put(place, json=EXAMPLE)
        assert before.json()["versions"][0]["after_signature"] is None
        signed = await reader.client.post(f"{API}/{id}/reviews", json={"action": "sign"})
        assert signed.status_code == 201
        assert "after the result was signed" not in (await reader.client.get(f"/results/{id}")).text
        after = await reader.client.put(place, json=MOVED)
        assert [it["after_signature"] for it in after.json()["versions"]] == [False, True]
        for where in (f"/results/{id}", f"/results/{id}/heights"):
            page = drawn((await reader.client.get(where)).text)
            assert "Points were kept after the result was signed" in page.text_content()
        # Signed once more it is of them, too.
        await reader.client.post(
            f"{API}/{id}/reviews", json={"action": "sign", "reason": "Seen: all points."}
        )
        assert "after the result was signed" not in (await reader.client.get(f"/results/{id}")).text


async def test_whoever_may_not_review_reads_and_keeps_nothing(guarded: Front) -> None:
    async with (
        person(guarded, "keepers", "clinician") as reader,
        person(guarded, "onlooker", "viewer") as viewer,
        person(guarded, "elsewhere", "clinician", site="north") as other,
    ):
        id = (await reader.client.post(API, content=images.unusable())).json()["id"]
        place, nothing = f"{API}/{id}/heights", f"{API}/{uuid4()}/heights"
        await reader.client.put(place, json=EXAMPLE)
        kept = (await viewer.client.get(place)).json()
        assert len(kept["versions"]) == 1
        page = drawn((await viewer.client.get(f"/results/{id}/heights")).text)
        assert "Points kept by Keepers" in page.text_content()
        assert not page.xpath("//button[@formaction]")
        assert (await viewer.client.put(place, json=MOVED)).status_code == 403
        assert (await viewer.client.delete(place)).status_code == 403
        form = f"/results/{id}/heights/keep"
        assert (await viewer.client.post(form, data=POINTS)).status_code == 403

        # At another site it is as if it had never been.
        async def told(method: str, address: str) -> httpx.Response:
            body = {"json": MOVED} if method == "PUT" else {}
            return await other.client.request(method, address, **body)

        for method in ("GET", "PUT", "DELETE"):
            theirs, nobodys = await told(method, place), await told(method, nothing)
            assert_problem(theirs, "prediction_not_found")
            assert theirs.text.replace(place, "") == nobodys.text.replace(nothing, "")
        assert (await other.client.post(form, data=POINTS)).status_code == 404
        assert (await reader.client.get(place)).json() == kept


async def test_what_was_proposed_stays_told_apart_from_what_was_set(shared: Front) -> None:
    phantom = lateral.draw(np.random.default_rng([26, 5]), {"L1": lateral.Fracture("wedge", 0.35)})
    buffer = io.BytesIO()
    Image.fromarray(phantom.image).save(buffer, "PNG")
    id = (await shared.upload(buffer.getvalue())).json()["id"]
    page = drawn((await shared.client.get(f"/results/{id}/heights?propose=true")).text)
    fields = {
        one.get("name"): one.get("value")
        for one in page.xpath("//form[@id='points']//input")
        if one.get("value")
    }
    assert set(fields) == {*phantom.points, "version"}
    x, rest = fields["L2"].split(",", 1)
    fields["L2"] = f"{float(x) + 0.5},{rest}"
    done = await shared.client.post(f"/results/{id}/heights/keep", data=fields)
    assert done.status_code == 303
    (kept,) = (await shared.client.get(f"{API}/{id}/heights")).json()["versions"]
    proposed = {one["level"]: one["as_proposed"] for one in kept["vertebrae"]}
    assert proposed == {**dict.fromkeys(phantom.points, True), "L2": False}
    grades = {one["level"]: (one["grade"], one["shape"]) for one in kept["vertebrae"]}
    assert grades["L1"] == (2, "wedge")
    page = drawn((await shared.client.get(f"/results/{id}")).text)
    (table,) = page.xpath("//section[@aria-labelledby='kept-heights']//table")
    rows = {row[0].text: row[-1].text for row in table.xpath(".//tbody/tr")}
    assert rows["L2"] == "set by the reader"
    assert rows["L1"] == "kept as proposed, unmoved"
