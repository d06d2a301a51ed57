"""What has no result sent once more, one's own batches, and a batch's page by outcome."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import html

from models.image.errors import ScanError
from service.batches.rest import without
from service.errors import ServiceError
from service.storage.database import Database
from tests.service.kit import images
from tests.service.kit.accounts import person
from tests.service.kit.batches import BATCHES, ended, parts, read, zipped
from tests.service.kit.fronts import Front, front
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_problem, assert_well_made

pytestmark = pytest.mark.anyio


class Files:
    """Items in memory; a file that is None cannot be read."""

    def __init__(self, *contents: bytes | None) -> None:
        self.contents = contents
        self.closed = False

    def __len__(self) -> int:
        return len(self.contents)

    def read(self, index: int) -> bytes:
        found = self.contents[index]
        if found is None:
            raise ServiceError("empty_file", "It is empty.")
        return found

    def name(self, index: int) -> str | None:
        return f"{index}.png"

    def close(self) -> None:
        self.closed = True


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


async def test_files_are_told_by_what_is_in_them() -> None:
    files = Files(b"", b"one", None, b"", b"two")
    rest = await without(files, {EMPTY})
    assert len(rest) == 3
    assert [rest.name(place) for place in range(3)] == ["1.png", "2.png", "4.png"]
    assert (rest.read(0), rest.read(2)) == (b"one", b"two")
    with pytest.raises((ServiceError, ScanError)):
        rest.read(1)
    assert not files.closed
    rest.close()
    assert files.closed


async def test_where_nothing_is_left_the_files_are_let_go() -> None:
    files = Files(b"", b"")
    with pytest.raises(ServiceError) as raised:
        await without(files, {EMPTY})
    assert raised.value.code == "invalid_request"
    assert files.closed


async def test_only_what_has_no_result_is_judged_again(shared: Front, png: bytes) -> None:
    client, refused = shared.client, images.unusable()
    _, batch = read((await client.post(BATCHES, files=parts(png, b"x", refused))).text)
    calls = shared.calls
    # Moved, renamed, packed: the same files all the same; one that came since is new.
    more = png + b"since"
    sent = await client.post(f"{BATCHES}?again={batch['id']}", files=parts(zipped(b"x", png, more)))
    lines, second = read(sent.text)
    assert second["total"] == 2
    lines.sort(key=lambda line: line["index"])
    assert lines[0]["problem"]["code"] == "unsupported_format"
    assert lines[1]["prediction"]["outcome"] == "osteoporosis"
    assert shared.calls > calls
    nothing = await client.post(f"{BATCHES}?again={batch['id']}", files=parts(png, refused))
    assert_problem(nothing, "invalid_request")
    unknown = await client.post(f"{BATCHES}?again={'0' * 8}-{'0' * 4}-4000-8000-{'0' * 12}")
    assert_problem(unknown, "batch_not_found")
    assert_problem(await client.post(f"{BATCHES}?again=x", files=parts(png)), "invalid_request")


def _texts(page: html.HtmlElement, path: str) -> Iterator[str]:
    for one in page.xpath(path):
        yield " ".join(one.text_content().split())


async def test_the_page_counts_by_outcome_and_shows_one(shared: Front, png: bytes) -> None:
    contents = (png, b"x", images.unusable(), png + b"2")
    _, batch = read((await shared.client.post(BATCHES, files=parts(*contents))).text)
    address = f"/bulk/{batch['id']}"
    page = html.fromstring((await shared.client.get(address)).text)
    assert_well_made(page)
    links = page.xpath("//nav[@aria-label='Images by outcome']//a")
    assert list(_texts(page, "//nav[@aria-label='Images by outcome']//a")) == [
        "All 4", "Signs of osteoporosis 2", "Not judged 1", "Without a result 1",
    ]  # fmt: skip
    shown = {"All": ["1", "2", "3", "4"], "Signs": ["1", "4"], "Not": ["3"], "Without": ["2"]}
    for link in links:
        narrowed = html.fromstring((await shared.client.get(link.get("href"))).text)
        rows = [one.split()[0] for one in _texts(narrowed, "//table[@class='rows']/tbody/tr/th")]
        assert rows == shown[link.text_content().split()[0]]
        chosen = narrowed.xpath("//nav//a[@aria-current='true']/@href")
        assert [one for one in chosen if one.startswith(address)] == [link.get("href")]
    again = page.xpath("//form[contains(@action, 'again')]")[0]
    assert again.get("action") == f"/bulk?again={batch['id']}"
    sent = await shared.client.post(again.get("action"), files=parts(*contents))
    assert sent.status_code == 303
    assert (await ended(shared, sent.headers["location"].replace("/bulk", BATCHES)))["total"] == 1
    headers = {"Accept": "text/html"}
    other = await shared.client.get(f"{address}?show=fracture", headers=headers)
    assert_error_page(other, "invalid_request")


async def test_a_batch_without_gaps_offers_nothing_to_send_again(shared: Front, png: bytes) -> None:
    _, batch = read((await shared.client.post(BATCHES, files=parts(png))).text)
    page = html.fromstring((await shared.client.get(f"/bulk/{batch['id']}")).text)
    assert not page.xpath("//form[contains(@action, 'again')]")


async def test_names_and_the_list_are_for_whoever_sent(tmp_path: Path, png: bytes) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local") as opened,
        person(opened, "ann", "clinician") as ann,
        person(opened, "bob", "clinician") as bob,
    ):
        _, batch = read((await ann.client.post(BATCHES, files=parts(png, b"x"))).text)
        address = f"/bulk/{batch['id']}"
        own = html.fromstring((await ann.client.get(address)).text)
        assert list(_texts(own, "//table[@class='rows']/tbody/tr/th")) == [
            "1 SECRET^NAME.png", "2",
        ]  # fmt: skip
        seen = (await bob.client.get(address)).text
        assert "SECRET" not in seen
        mine = html.fromstring((await ann.client.get("/bulk")).text)
        (row,) = mine.xpath("//section[h2/@id='sent-before']//tbody/tr")
        assert row.xpath(".//a/@href") == [address]
        assert "2 of 2 images finished · 1 without a result" in row.text_content()
        assert "Finished" in row.text_content()
        assert not html.fromstring((await bob.client.get("/bulk")).text).xpath(
            "//h2[@id='sent-before']"
        )


async def test_one_s_own_batches_are_the_newest_first(database: Database) -> None:
    on, one = verbs(database).batches, made(0)
    await keep(database, one)
    assert await on.sent(ANYONE, 5) == ()
    started = [await on.start(ANYONE, 3) for _ in range(3)]
    await on.record(ANYONE, started[1].id, 0, one.id)
    await on.record(ANYONE, started[1].id, 1, problem={"code": "empty_file", "detail": "Empty."})
    await on.end(ANYONE, started[2].id, "cancelled")
    found = await on.sent(ANYONE, 2)
    assert len(found) == 2
    by_id = {one.id: one for one in await on.sent(ANYONE, 5)}
    assert set(by_id) == {one.id for one in started}
    counts = by_id[started[1].id]
    assert (counts.total, counts.finished, counts.failed) == (3, 2, 1)
    assert by_id[started[2].id].state == "cancelled"
    assert await on.judged(ANYONE, started[1].id) == {one.image.sha256}
