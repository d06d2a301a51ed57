"""The quality table of a batch: a row an image, as CSV and as a workbook, harmless to open."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from lxml import etree, html
from sqlalchemy import select, update

from models.gate import Reason
from models.vertebrae.findings import Code
from service.batches.api import TABLE
from service.batches.quality import COLUMNS, FAULTS, HEADINGS, KINDS, NO_FAULTS, Row
from service.batches.schemas import Line
from service.batches.tables import FORMULA, Sheet, comma_separated
from service.language.locale import speaking
from service.predictions.contexts import REASONS
from service.predictions.schemas import EXAMPLE, Prediction
from service.storage.database import Database
from service.storage.tables.images import ImageRow
from service.storage.tables.predictions import PredictionRow
from tests.service.kit import images
from tests.service.kit.batches import BATCHES, holding, parts, read
from tests.service.kit.fronts import API, Front
from tests.service.kit.records import ANYONE, keep, made, verbs

pytestmark = pytest.mark.anyio

SPREADSHEET = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def line(prediction: Prediction | None, problem: dict[str, Any] | None = None) -> Line:
    return Line(line=1, index=0, prediction=prediction, problem=problem)


def cells(row: Row) -> dict[str, Any]:
    return dict(zip(COLUMNS, row.cells(in_words=False), strict=True))


def found(reasons: Sequence[str] = (), findings: Sequence[str] = (), **changed: Any) -> Prediction:
    """Return the example with these codes of the gate; refused where there are ``reasons``."""
    quality = {"accepted": not reasons, "reasons": list(reasons), "findings": list(findings)}
    refused = {"outcome": "refused", "probability": None, "vertebrae": None} if reasons else {}
    return Prediction.model_validate({**EXAMPLE, "quality": quality, **refused, **changed})


def geometry(*codes: str) -> dict[str, Any]:
    said = [{"code": code, "level": "L2", "value": 6.25, "rule": "a rule"} for code in codes]
    vertebrae: dict[str, Any] = EXAMPLE["vertebrae"]
    return {**vertebrae, "findings": said, "axis_tilt": -6.25}


def workbook(data: bytes) -> list[list[str | float | None]]:
    """Return the cells of a workbook's only sheet, by the format's own schema."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert [name for name in names if "/worksheets/sheet" in name] == [
            "xl/worksheets/sheet1.xml"
        ]
        tree = etree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    assert not tree.xpath("//x:f", namespaces=SPREADSHEET), "a formula"
    assert not tree.xpath("//x:hyperlink", namespaces=SPREADSHEET)
    rows = []
    for row in tree.xpath("//x:row", namespaces=SPREADSHEET):
        values: list[str | float | None] = [None] * len(COLUMNS)
        for cell in row:
            place = ord(cell.get("r").rstrip("0123456789")) - ord("A")
            text = "".join(cell.itertext())
            values[place] = text if cell.get("t") == "inlineStr" else float(text)
        rows.append(values)
    return rows


def written(*rows: Row) -> list[list[str | float | None]]:
    file = io.BytesIO()
    sheet = Sheet(file)
    sheet.add(rows)
    sheet.close()
    return workbook(file.getvalue())


def test_every_code_is_a_fault_of_the_scan_or_said_to_be_none() -> None:
    assert not set(FAULTS) & NO_FAULTS
    assert {reason.value for reason in Reason} | set(get_args(Code)) | set(REASONS) <= (
        set(FAULTS) | NO_FAULTS
    )
    assert set(FAULTS.values()) == set(KINDS)


def test_the_documented_table_is_that_of_the_documented_answer() -> None:
    row = Row.of(line(Prediction.model_validate(EXAMPLE)), None, None)
    assert comma_separated([row], headed=True) == TABLE


def test_a_sound_scan_has_no_fault_whatever_its_bones_look_like() -> None:
    bones = geometry("curve", "denser_than_neighbours", "height_outlier")
    row = Row.of(line(found(vertebrae=bones)), "1.2.3", "1.2.3.4")
    assert cells(row) == {
        "position": 1,
        "sha256": "9b" * 32,
        "path": f"/results/{EXAMPLE['id']}",
        "study_uid": "1.2.3",
        "image_uid": "1.2.3.4",
        "region": "lumbar_spine",
        "class": 0,
        "fault_probability": None,
        "faults": "",
        "status": "Success",
        "seconds": 0.081,
        "axis_tilt": -6.25,
        "details": "curve L2 6.25 (a rule); denser_than_neighbours L2 6.25 (a rule); "
        "height_outlier L2 6.25 (a rule)",
    }


def test_kinds_of_fault_are_named_once_each() -> None:
    leaning = geometry("part_missing", "axis_tilt", "part_missing")
    row = Row.of(line(found(findings=["scan_area"], vertebrae=leaning)), None, None)
    assert (cells(row)["class"], cells(row)["faults"]) == (1, "positioning; axis")


@pytest.mark.parametrize(
    ("reason", "region", "kind"),
    [("not_spine_dxa", "", "region"), ("implant", "lumbar_spine", "foreign_object")],
)
def test_a_refusal_is_a_success_with_a_fault(reason: str, region: str, kind: str) -> None:
    told = cells(Row.of(line(found([reason])), None, None))
    assert (told["status"], told["class"], told["faults"]) == ("Success", 1, kind)
    assert (told["region"], told["details"], told["axis_tilt"]) == (region, reason, None)


def test_an_image_without_a_result_is_a_failure_and_of_no_class() -> None:
    problem = {"code": "corrupt_file", "title": "Damaged file", "detail": "It is cut short."}
    told = cells(Row.of(line(None, problem), None, None))
    assert (told["status"], told["class"], told["details"]) == ("Failure", None, "corrupt_file")
    assert told["sha256"] == told["path"] == told["region"] == ""
    waiting = cells(Row.missing(4))
    assert (waiting["position"], waiting["status"]) == (5, "Failure")
    assert waiting["details"] == "not_analysed"


@pytest.mark.parametrize("begins", FORMULA)
def test_no_text_is_taken_for_a_formula(begins: str) -> None:
    text = f'{begins}HYPERLINK("http://elsewhere.example","a")'
    told = Row.of(line(None, {"code": text, "detail": text}), None, None)
    named = Row.of(line(found()), text, text)
    lines = io.StringIO(comma_separated([told, named], headed=True), newline="")
    first, second = csv.DictReader(lines)
    assert first["details"] == second["study_uid"] == second["image_uid"] == f"'{text}"
    texts = [value for row in written(told, named) for value in row if isinstance(value, str)]
    # XML knows no other line's end than \n.
    assert sum(text.startswith("'") for text in texts) == 3
    assert not [text for text in texts if text.startswith(FORMULA)]


def test_a_negative_angle_stays_a_number() -> None:
    row = Row.of(line(found(vertebrae=geometry("axis_tilt"))), None, None)
    (read_back,) = csv.DictReader(io.StringIO(comma_separated([row], headed=True)))
    assert read_back["axis_tilt"] == "-6.25"
    assert written(row)[1][COLUMNS.index("axis_tilt")] == -6.25


@pytest.mark.parametrize("code", ["en", "de"])
def test_a_workbook_speaks_the_readers_language(code: str) -> None:
    with speaking(code) as language:
        row = Row.of(line(found(["off_centre"])), None, None)
        assert (language.gettext("Details") == "Details") is (code == "en")
        headings, values = written(row)
        assert headings == [language.gettext(heading) for heading in HEADINGS.values()]
        assert values[COLUMNS.index("details")] == language.gettext(REASONS["off_centre"])
        assert values[COLUMNS.index("region")] == language.gettext("lumbar spine")
        # Programs are told the same in every language.
        assert comma_separated([row], headed=True).splitlines()[0] == ",".join(COLUMNS)
        assert cells(row)["details"] == "off_centre"


def test_text_that_no_cell_can_hold_is_cut() -> None:
    row = Row.of(line(None, {"code": "corrupt_file", "detail": "a" * 40_000}), None, None)
    assert len(str(written(row)[1][COLUMNS.index("details")])) == 32_767


async def test_rows_come_in_the_order_of_sending(shared: Front, png: bytes) -> None:
    contents = (png, images.unusable(), b"no image")
    lines, batch = read((await shared.client.post(BATCHES, files=parts(*contents))).text)
    answer = await shared.client.get(f"{BATCHES}/{batch['id']}/quality.csv")
    assert answer.headers["content-type"] == "text/csv; header=present; charset=utf-8"
    name = answer.headers["content-disposition"]
    assert name == 'attachment; filename="osteoserve-quality.csv"'
    assert answer.headers["cache-control"] == "no-store"
    assert "SECRET" not in answer.text
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["position"] for row in rows] == ["1", "2", "3"]
    assert [row["status"] for row in rows] == ["Success", "Success", "Failure"]
    assert [row["class"] for row in rows][1:] == ["1", ""]
    first = next(line["prediction"] for line in lines if line["index"] == 0)
    assert rows[0]["sha256"] == first["image"]["sha256"]
    assert (await shared.client.get(rows[0]["path"])).status_code == 200


async def test_page_and_api_give_one_workbook_by_the_readers_language(
    shared: Front, png: bytes
) -> None:
    _, batch = read((await shared.client.post(BATCHES, files=parts(png, b"x"))).text)
    page = html.fromstring((await shared.client.get(f"/bulk/{batch['id']}")).text)
    links = [link for link in page.xpath("//a/@href") if "quality" in link]
    assert links == [f"/bulk/{batch['id']}/quality.{kind}" for kind in ("xlsx", "csv")]
    german = {"Accept-Language": "de"}
    answer = await shared.client.get(links[0], headers=german)
    assert (answer.status_code, answer.headers["content-language"]) == (200, "de")
    name = answer.headers["content-disposition"]
    assert name == 'attachment; filename="osteoserve-quality.xlsx"'
    rows = workbook(answer.content)
    assert [row[0] for row in rows] == ["Bild", 1, 2]
    same = await shared.client.get(f"{BATCHES}/{batch['id']}/quality.xlsx", headers=german)
    assert workbook(same.content) == rows
    english = await shared.client.get(links[0])
    assert workbook(english.content)[0] == list(HEADINGS.values())


async def test_images_that_are_not_analysed_yet_have_a_row(var: Path, png: bytes) -> None:
    async with holding(var) as (opened, held):
        sent = await opened.client.post("/bulk", files=parts(b"x", png))
        await held.asked.wait()
        answer = await opened.client.get(sent.headers["location"] + "/quality.csv")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["details"] for row in rows] == ["unsupported_format", "not_analysed"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_a_batch_that_never_was_is_not_found(shared: Front, kind: str) -> None:
    answer = await shared.client.get(f"{BATCHES}/{UUID(int=3)}/quality.{kind}")
    assert (answer.status_code, answer.json()["code"]) == (404, "batch_not_found")


async def test_a_deleted_result_keeps_its_row(shared: Front, png: bytes) -> None:
    lines, batch = read((await shared.client.post(BATCHES, files=parts(png))).text)
    await shared.client.delete(f"{API}/{lines[0]['prediction']['id']}")
    answer = await shared.client.get(f"{BATCHES}/{batch['id']}/quality.csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["status"], row["details"]) == ("Failure", "prediction_not_found")


async def test_lines_are_paged_by_image_with_what_dicom_calls_it(database: Database) -> None:
    batches = verbs(database).batches
    batch = await batches.start(ANYONE, 7)
    predictions = [made(number) for number in range(2)]
    await keep(database, *predictions)
    for item in (6, 2, 0, 4):
        known = {0: predictions[0].id, 4: predictions[1].id}.get(item)
        await batches.record(ANYONE, batch.id, item, known, None if known else {"code": "x"})
    async with database.begin() as connection:
        of = select(PredictionRow.image_id).where(PredictionRow.id == predictions[0].id)
        named = update(ImageRow).where(ImageRow.id.in_(of)).values(sop_instance_uid="1.2.3")
        await connection.execute(named)
    first, second = [await batches.checked(ANYONE, batch.id, after, 3) for after in (-1, 4)]
    assert [one.line.index for one in (*first, *second)] == [0, 2, 4, 6]
    assert [one.image_uid for one in first] == ["1.2.3", None, None]
    assert [one.line.prediction for one in first] == [predictions[0], None, predictions[1]]
