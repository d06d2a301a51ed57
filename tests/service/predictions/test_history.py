"""Lists that can be read page by page while results arrive; deletion that leaves nothing."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from lxml import html
from sqlalchemy import text

from service.exams.schemas import from_json
from service.predictions.query import CursorError, Position, Query
from service.predictions.schemas import EXAMPLE, Prediction
from service.predictions.service import Predictions
from service.reviews.schemas import Signature
from service.storage.database import Database
from service.storage.migrations import Schema
from tests.service.kit import images
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_problem, assert_well_made

pytestmark = pytest.mark.anyio


async def ids(history: Predictions, **query: Any) -> list[UUID]:
    """Every result of ``query``, read page by page."""
    found: list[UUID] = []
    after = None
    for _ in range(50):
        page, position = await history.page(ANYONE, Query(**query, after=after))
        found += [one.id for one in page]
        if position is None:
            return found
        assert len(page) == query.get("limit", 20)
        after = position.cursor()
    raise AssertionError("the pages have no end")


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
async def test_pages_are_complete_in_every_order(database: Database, limit: int) -> None:
    # Ties in time and in probability, and images without one.
    probabilities = [0.5, 0.1, None, 0.5, 0.9, None, 0.1 + 0.2]
    all_of_them = [
        made(number // 2, probability=probability)
        for number, probability in enumerate(probabilities)
    ]
    await keep(database, *all_of_them)
    history = verbs(database).predictions
    time = [(one.created_at, one.id.hex) for one in all_of_them]
    rank = [(-1 if p.probability is None else p.probability, p.id.hex) for p in all_of_them]
    for sort, keys, reverse in (
        ("newest", time, True),
        ("oldest", time, False),
        ("highest", rank, True),
        ("lowest", rank, False),
    ):
        expected = [UUID(id) for _, id in sorted(keys, reverse=reverse)]
        assert await ids(history, sort=sort, limit=limit) == expected


async def test_what_arrives_in_between_shifts_nothing(database: Database) -> None:
    old = [made(number) for number in range(6)]
    await keep(database, *old)
    history = verbs(database).predictions
    first, position = await history.page(ANYONE, Query(limit=3))
    await keep(database, made(100), made(101))
    assert position is not None
    second, end = await history.page(ANYONE, Query(limit=3, after=position.cursor()))
    assert [one.id for one in (*first, *second)] == [one.id for one in reversed(old)]
    assert end is None


async def test_filters_narrow_each_other(database: Database) -> None:
    refused = made(0, outcome="refused", probability=None)
    degraded = made(24, degraded=True, version="sha256:" + "9" * 64)
    normal = made(47, outcome="normal", image={**EXAMPLE["image"], "sha256": "0" * 64})
    await keep(database, refused, degraded, normal)
    history = verbs(database).predictions
    signature = Signature(reviewer="A. Reader", action="sign", reason=None)
    await verbs(database).reviews.sign(ANYONE, normal.id, signature, "normal")
    cases: list[tuple[dict[str, Any], list[Prediction]]] = [
        ({}, [normal, degraded, refused]),
        ({"outcome": "refused"}, [refused]),
        ({"degraded": True}, [degraded]),
        ({"degraded": False}, [normal, refused]),
        ({"reviewed": True}, [normal]),
        ({"reviewed": False}, [degraded, refused]),
        ({"from": "2026-01-02"}, [normal, degraded]),
        ({"to": "2026-01-01"}, [refused]),
        ({"from": "2026-01-02", "to": "2026-01-02"}, [normal, degraded]),
        ({"to": "9999-12-31"}, [normal, degraded, refused]),
        ({"image": "0" * 64}, [normal]),
        ({"id": str(degraded.id)[:6]}, [degraded]),
        ({"id": str(degraded.id)}, [degraded]),
        ({"id": str(degraded.id), "outcome": "refused"}, []),
        ({"version": "sha256:" + "9" * 64}, [degraded]),
        ({"version": "sha256:" + "8" * 64}, []),
    ]
    for query, expected in cases:
        found, _ = await history.page(ANYONE, Query.model_validate(query))
        assert [one.id for one in found] == [one.id for one in expected], query
    await verbs(database).worklist.retire(ANYONE, degraded.id, "duplicate")
    for retired, rest in ((False, [normal, refused]), (True, [degraded])):
        found, _ = await history.page(ANYONE, Query(retired=retired))
        assert [one.id for one in found] == [one.id for one in rest]
    both, _ = await history.page(ANYONE, Query(retired=None))
    assert len(both) == 3
    reviewed, _ = await history.page(ANYONE, Query(reviewed=True))
    assert reviewed[0].review is not None
    assert reviewed[0].review.reviewer == "A. Reader"


async def test_deleting_leaves_nothing(database: Database) -> None:
    gone, stays = made(0), made(1)
    await keep(database, gone, stays)
    history = verbs(database).predictions
    facts = from_json({"patient_reference": "p", "bmd_g_cm2": 0.9})
    for one in (gone, stays):
        assert await verbs(database).exams.change(ANYONE, one.id, facts)
    tables = ("prediction", "canonical_image", "image", "exam", "patient")
    assert await history.delete(ANYONE, gone.id)
    assert not await history.delete(ANYONE, gone.id)
    assert await counts(database, *tables) == [1] * 5
    # With the last exam the patient's reference goes.
    assert await history.delete(ANYONE, stays.id)
    assert await counts(database, *tables) == [0] * 5


async def counts(database: Database, *tables: str) -> list[int]:
    async with database.connect() as connection:
        return [
            (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()  # noqa: S608 - names from above
            for table in tables
        ]


async def test_what_was_stored_before_can_be_listed(database: Database) -> None:
    """Migrations copy what lists go by out of the documents."""
    await keep(database, made(0, degraded=True, probability=0.25))
    async with database.begin() as connection:
        await connection.run_sync(Schema.downgrade, "0002")
    assert await database.schema_state() == "behind"
    await database.migrate()
    found, _ = await verbs(database).predictions.page(ANYONE, Query(degraded=True, sort="highest"))
    assert [one.probability for one in found if isinstance(one, Prediction)] == [0.25]
    async with database.connect() as connection:
        row = (await connection.execute(text("SELECT degraded, probability FROM prediction"))).one()
    assert (bool(row.degraded), row.probability) == (True, 0.25)


@pytest.mark.parametrize("sort", ["newest", "oldest", "highest", "lowest"])
@pytest.mark.parametrize("probability", [None, 0.0, 0.1 + 0.2, 1.0])
def test_a_cursor_comes_back_as_it_was(sort: Any, probability: float | None) -> None:
    position = Position.of(made(3, probability=probability), sort)
    assert Position.read(position.cursor(), sort) == position


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z"]
)
async def test_a_cursor_made_by_hand_is_the_senders_mistake(
    database: Database, moment: str
) -> None:
    packed = json.dumps(["newest", moment, str(uuid4())]).encode()
    cursor = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    try:
        found = await verbs(database).predictions.page(
            ANYONE, Query.model_validate({"after": cursor})
        )
    except CursorError:
        return
    # The first moment of all is one, and nothing lies before it.
    assert (found, moment[-1]) == (((), None), "Z")


def test_other_cursors_are_refused() -> None:
    cursor = Position.of(made(3), "newest").cursor()
    ranked = Position.of(made(3), "highest").cursor()
    for wrong, sort in (
        (cursor, "oldest"),
        (cursor, "highest"),
        (ranked, "lowest"),
        ("", "newest"),
        ("ü", "newest"),
        ("AAAA", "newest"),
        (cursor[:-4], "newest"),
        (ranked.replace(ranked[:6], cursor[:6]), "newest"),
        ("WyJuZXdlc3QiLDEsIngiXQ", "newest"),
    ):
        with pytest.raises(CursorError):
            Position.read(wrong, sort)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A front with three results: one judged, one refused, one judged without the stack."""
    async with running() as runners, front(tmp_path_factory.mktemp("var"), runners) as opened:
        for picture in (images.png(), images.unusable()):
            assert (await opened.post(picture)).status_code == 201
        await runners["stack"].stop()
        assert (await opened.post(images.png())).json()["degraded"]
        yield opened


async def test_the_list_is_read_by_following_next(filled: Front) -> None:
    seen = []
    address = f"{API}?limit=1"
    for _ in range(3):
        body = (await filled.client.get(address)).json()
        assert len(body["items"]) == 1
        seen += body["items"]
        address = f"{API}?limit=1&after={body['next']}"
    assert body["next"] is None
    times = [one["created_at"] for one in seen]
    assert times == sorted(times, reverse=True)
    for one in seen:
        alone = (await filled.client.get(f"{API}/{one['id']}")).json()
        assert {**one, "conflicts": alone["conflicts"]} == alone


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("limit=0", "query.limit: Input should be greater than or equal to 1"),
        ("limit=101", "query.limit: Input should be less than or equal to 100"),
        ("limit=SECRET", "query.limit: "),
        ("outcome=SECRET", "'osteoporosis', 'normal', 'indeterminate' or 'refused'"),
        ("sort=SECRET", "'newest', 'oldest', 'highest' or 'lowest'"),
        ("degraded=SECRET", "query.degraded: "),
        ("from=SECRET", "query.from: "),
        ("from=2026-02-30", "query.from: "),
        ("from=2026-02-02&to=2026-02-01", "from is after to"),
        ("image=SECRET", "query.image: "),
        ("id=SECRET", "query.id: "),
        ("after=SECRET", "query.after: "),
        ("SECRET=1", "a parameter that is not known here"),
    ],
)
async def test_bad_parameters_are_told(shared: Front, query: str, told: str) -> None:
    body = assert_problem(await shared.client.get(f"{API}?{query}"), "invalid_request")
    assert told in body["detail"]
    assert all(name.startswith("query") for name in body.get("faults", ()))
    # The page offers its own address in other languages, so its query is one without a secret.
    page = await shared.client.get("/history?" + query.replace("SECRET", "x"))
    assert_error_page(page, "invalid_request")


@pytest.mark.parametrize(
    "query",
    ["patient=x", "batch=x", "mine=x", "flagged=x", "retired=x", "before=x", "sort=x", "x=1",
     "after=7f9c24e8-3b12-4c5d-9a77-2f1e0d6b8c43",
     "patient=" + ",".join(["7f9c24e8-3b12-4c5d-9a77-2f1e0d6b8c43"] * 41)],
    ids=lambda query: query[:12],
)  # fmt: skip
async def test_bad_parameters_of_the_page_are_told(shared: Front, query: str) -> None:
    assert_error_page(await shared.client.get(f"/history?{query}"), "invalid_request")
    answer = await shared.client.get(f"/history/export.csv?{query}")
    if not query.startswith("after"):
        assert_error_page(answer, "invalid_request")


async def test_deleted_is_gone(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners) as opened:
        address = (await opened.post(png)).headers["location"]
        done = await opened.client.delete(address)
        assert (done.status_code, done.content) == (204, b"")
        for path in (address, address + "/image", address + "/study"):
            assert_problem(await opened.client.get(path), "prediction_not_found")
        assert_problem(await opened.client.delete(address), "prediction_not_found")


async def test_another_site_cannot_delete(shared: Front, png: bytes) -> None:
    address = (await shared.post(png)).headers["location"]
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert_problem(await shared.client.delete(address, headers=elsewhere), "cross_origin")
    id = address.rsplit("/", 1)[1]
    page = await shared.client.post(f"/results/{id}/delete", headers=elsewhere)
    assert_error_page(page, "cross_origin")
    assert (await shared.client.delete(address)).status_code == 204


async def test_the_page_lists_and_leads_to_results(filled: Front) -> None:
    page = html.fromstring((await filled.client.get("/history")).text)
    assert_well_made(page)
    rows = page.xpath("//table/tbody/tr")
    assert len(rows) == 3
    for row in rows:
        link = row.xpath("./th//a/@href")[0]
        assert (await filled.client.get(link)).status_code == 200
        # Told by word and by shape, not by colour alone.
        assert row.xpath(".//svg[contains(@class, 'shape')]")
    words = [" ".join(row.text_content().split()) for row in rows]
    assert ["Degraded" in word for word in words] == [True, False, False]
    assert "Not judged" in words[1]
    assert all("Preliminary" in word for word in words)


async def test_the_pages_form_finds_again(filled: Front) -> None:
    page = html.fromstring((await filled.client.get("/history")).text)
    form = page.xpath("//form[@method='get']")[0]
    # As a browser sends it: every field, also the empty ones.
    fields = {**dict(form.form_values()), "outcome": "refused"}
    found = html.fromstring((await filled.client.get("/history", params=fields)).text)
    assert len(found.xpath("//table/tbody/tr")) == 1
    chosen = found.xpath("//select[@name='outcome']/option[@selected]/@value")
    assert chosen == ["refused"]
    none = await filled.client.get("/history", params={"from": "2000-01-01", "to": "2000-01-01"})
    assert "No result fits." in html.fromstring(none.text).text_content()


async def test_the_pages_can_be_turned(filled: Front) -> None:
    address: str | None = "/history?limit=1&degraded=false"
    seen = []
    for _ in itertools.count():
        page = html.fromstring((await filled.client.get(address)).text)
        seen += page.xpath("//tbody/tr/th//a/@href")
        following = page.xpath("//nav[@class='pages']/a[@rel='next']/@href")
        if not following:
            break
        address = following[0]
    assert len(seen) == len(set(seen)) == 2
    back = page.xpath("//nav[@class='pages']/a/@href")
    assert back[0] == "/history?degraded=false&limit=1"
    assert "before=" in back[1]
    assert "2 to 2 of 2 · page 2 of 2" in page.text_content()


async def test_an_empty_history_says_what_to_do(var: Path) -> None:
    async with running() as runners, front(var, runners) as opened:
        page = html.fromstring((await opened.client.get("/history")).text)
    assert_well_made(page)
    assert "Nothing has been analysed yet." in page.text_content()
    assert not page.xpath("//table")


async def test_a_page_asks_before_it_deletes(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners) as opened:
        id = (await opened.post(png)).json()["id"]
        asked = await opened.client.get(f"/results/{id}/delete")
        page = html.fromstring(asked.text)
        assert_well_made(page)
        form = page.xpath("//main//form")[0]
        assert (form.method, form.action) == ("POST", f"/results/{id}/delete")
        assert (await opened.client.get(f"/results/{id}")).status_code == 200
        done = await opened.client.post(form.action)
        assert (done.status_code, done.headers["location"]) == (303, "/history")
        assert_error_page(await opened.client.get(f"/results/{id}"), "prediction_not_found")
        again = await opened.client.post(form.action)
        assert_error_page(again, "prediction_not_found")
