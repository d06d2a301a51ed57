"""The list as a table: what the filters leave, on all pages; no formulas; noted as an export."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from lxml import etree, html

from service.predictions.worklist import export
from service.web.tables import FORMULA, Sheet, comma_separated
from tests.service.audit.test_trail import entries
from tests.service.kit.accounts import person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

MAIN = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


async def table(opened: Any, query: str = "") -> list[dict[str, str]]:
    answer = await opened.client.get(f"/history/export.csv{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="osteoserve-list.csv"'
    return list(csv.DictReader(io.StringIO(answer.text)))


def cells(data: bytes) -> list[list[str]]:
    """Return the texts of a workbook's only sheet."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        root = etree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert root.xpath("//s:f", namespaces=MAIN) == []
    return [
        ["".join(cell.xpath(".//s:t/text() | ./s:v/text()", namespaces=MAIN)) for cell in row]
        for row in root.xpath("//s:sheetData/s:row", namespaces=MAIN)
    ]


async def sent(opened: Front, png: bytes, reference: str, name: str = "a.png") -> str:
    files = {"file": (name, png + uuid4().bytes, "image/png")}
    facts = {"patient_reference": reference, "acquired_on": "2025-11-03"}
    answer = await opened.client.post(API, files=files, data=facts)
    return str(answer.json()["id"])


async def test_all_pages_that_the_filters_leave(shared: Front, png: bytes) -> None:
    mark = uuid4().hex[:6]
    ids = [await sent(shared, png, f"{mark}-{number}") for number in range(3)]
    await shared.client.post(
        f"{API}/{ids[0]}/reviews",
        json={"action": "override", "outcome": "normal", "reviewer": "B. Reader",
              "reason": "Only degeneration."},
    )  # fmt: skip
    search = await shared.client.post("/history", data={"part": mark})
    query = "?" + search.headers["location"].partition("?")[2]
    found = await table(shared, f"{query}&limit=1&sort=patient")
    assert [row["patient"] for row in found] == [f"{mark}-{number}" for number in range(3)]
    assert list(found[0]) == list(export.COLUMNS)
    first = found[0]
    assert (first["outcome"], first["models_outcome"]) == ("normal", "osteoporosis")
    assert (first["review"], first["reviewer"], first["remark"]) == (
        "override", "B. Reader", "Only degeneration.",
    )  # fmt: skip
    assert (first["exam_date"], first["file"], first["flagged"]) == ("2025-11-03", "a.png", "0")
    assert found[1]["review"] == "unread"
    assert len(await table(shared, f"{query}&reviewed=false")) == 2
    page = html.fromstring((await shared.client.get(f"/history{query}&limit=1")).text)
    for link in page.xpath("//p[contains(@class, 'tables')]/a/@href"):
        answer = await shared.client.get(link)
        assert answer.status_code == 200
    book = cells(answer.content) if answer.content[:2] == b"PK" else []
    assert book == [] or len(book) == 4


async def test_a_workbook_speaks_the_language_of_the_page(shared: Front, png: bytes) -> None:
    mark = uuid4().hex[:6]
    await sent(shared, png, mark)
    search = await shared.client.post("/history", data={"part": mark})
    place = search.headers["location"].replace("/history?", "/history/export.xlsx?")
    answer = await shared.client.get(place, headers={"Accept-Language": "de"})
    assert answer.headers["content-language"] == "de"
    head, row = cells(answer.content)
    assert "Wer es liest" in head
    assert mark in row
    assert "Ungelesen" in row


@pytest.mark.parametrize("start", FORMULA)
def test_no_cell_is_a_formula(start: str) -> None:
    text = f"{start}HYPERLINK(A1)"
    ((cell,),) = csv.reader(io.StringIO(comma_separated([[text]]), newline=""))
    assert cell == f"'{text}"
    buffer = io.BytesIO()
    sheet = Sheet(buffer, "Sheet", ["Heading"], [10])
    sheet.add([[text], [-1.5]])
    sheet.close()
    with zipfile.ZipFile(io.BytesIO(buffer.getvalue())) as book:
        root = etree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert root.xpath("//s:f", namespaces=MAIN) == []
    assert root.xpath("//s:v/text()", namespaces=MAIN) == ["-1.5"]


async def test_a_reference_that_begins_as_a_formula_is_text(shared: Front, png: bytes) -> None:
    mark = uuid4().hex[:6]
    id = await sent(shared, png, f"=1+1;{mark}", "@SUM(A1).png")
    (row,) = [one for one in await table(shared) if one["result"] == id]
    assert row["patient"] == f"'=1+1;{mark}"
    assert row["file"] == "'@SUM(A1).png"


async def test_a_batch_leaves_as_a_table(shared: Front, png: bytes) -> None:
    parts = [("file", ("a", png + uuid4().bytes, "image/png")) for _ in range(2)]
    answer = await shared.client.post("/api/v1/batches", files=[*parts, ("file", ("b", b"no"))])
    batch = answer.headers["location"].rsplit("/", 1)[1]
    page = html.fromstring((await shared.client.get(f"/bulk/{batch}")).text)
    (place,) = page.xpath("//a[contains(@href, 'export.csv')]/@href")
    found = await table(shared, "?" + place.partition("?")[2])
    # What has no result is in the quality table.
    assert [row["file"] for row in found] == ["a", "a"]
    assert len(await table(shared, f"?batch={uuid4()}")) == 0


async def test_an_export_is_in_the_trail_before_it_is_answered(
    tmp_path_factory: pytest.TempPathFactory, png: bytes
) -> None:
    var = tmp_path_factory.mktemp("var")
    async with running() as runners, front(var, runners, auth="local") as opened:
        async with person(opened, "ann", "clinician") as ann:
            files = {"file": ("SECRET.png", png, "image/png")}
            await ann.client.post(API, files=files, data={"patient_reference": "SECRET-1"})
            assert (await table(ann))[0]["patient"] == "SECRET-1"
            batch = uuid4()
            await ann.client.get(f"/history/export.xlsx?batch={batch}")
        async with person(opened, "boss", "administrator") as boss:
            for form in ("csv", "xlsx"):
                refused = await boss.client.get(f"/history/export.{form}")
                assert refused.status_code == 403
        first, second = await entries(opened, kind="list_exported")
        assert (first.account_id, first.object_kind, first.object_id) == (ann.id, "list", None)
        assert first.detail == '{"form":"csv","results":1}'
        assert (second.object_kind, second.object_id) == ("batch", str(batch))
        assert "SECRET" not in repr(await entries(opened))
