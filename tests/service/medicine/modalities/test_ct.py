"""CT by API and by page: true Hounsfield units, a placed region, what is kept, hostile uploads."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from lxml import html
from PIL import Image
from sqlalchemy import func, select

from models.phantom.ct import Series, encode
from service.identity.actor import Actor
from service.medicine.modalities.ct.reading import voice
from service.medicine.modalities.ct.schemas import Attenuation
from service.medicine.modalities.settings import ModalitySettings
from service.predictions import deletion
from service.storage.tables.exams import ExamRow
from service.storage.tables.modalities import CtSliceRow
from service.storage.transaction import Transactions
from tests.service.kit.fronts import API, Front
from tests.service.kit.shapes import assert_problem, assert_well_made
from tests.service.predictions.report.test_report import words as printed_words

pytestmark = pytest.mark.anyio

SMALL = Series(trabecular=95.0, slices=5, side=128, step=6.0, rescale=(0.5, -1000.0))


def region(series: Series = SMALL, **more: Any) -> dict[str, Any]:
    x, y = series.centre
    return {
        "slice": series.middle, "x": x, "y": y, "radius_x_mm": 9.0, "radius_y_mm": 7.0, **more
    }  # fmt: skip


def packed(files: list[bytes], *others: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, one in enumerate([*reversed(files), *others]):
            archive.writestr(f"IM{number}", one)
    return buffer.getvalue()


async def posted(opened: Front, png: bytes) -> str:
    id: str = (await opened.post(png + uuid4().bytes)).json()["id"]
    return id


async def sent(opened: Front, id: str, data: bytes) -> httpx.Response:
    return await opened.client.post(
        f"{API}/{id}/ct", content=data, headers={"Content-Type": "application/zip"}
    )


async def count(opened: Front, table: type[Any]) -> int:
    async with opened.app.state.health.database.connect() as connection:
        return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


async def test_a_series_is_sent_measured_and_removed(
    shared: Front, png: bytes, tmp_path: Path
) -> None:
    id = await posted(shared, png)
    assert_problem(await shared.client.get(f"{API}/{id}/ct"), "ct_not_found")
    assert_problem(await shared.client.put(f"{API}/{id}/ct", json=region()), "ct_not_found")
    made = await sent(shared, id, packed(encode(SMALL), b"no slice", png))
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["slices"], told["received"], told["left_out"]) == ([1, 2, 3, 4, 5], 5, 2)
    assert told["scan"] == {
        "vendor": "Synthetic CT", "model": "Phantom", "acquired_on": "2025-01-02",
        "voltage_kv": 120.0, "contrast": "unknown", "kernel": "B30", "thickness_mm": 6.0,
    }  # fmt: skip
    assert "PHANTOM" not in made.text

    put = await shared.client.put(f"{API}/{id}/ct", json=region(contrast="none"))
    assert put.status_code == 200, put.text
    measured = put.json()["ct"]
    assert abs(measured["mean_hu"] - SMALL.trabecular) <= 2
    assert measured["sd_hu"] == pytest.approx(15, rel=0.15)
    assert measured["contrast"] == "none"
    (said,) = [one for one in put.json()["voices"] if one["source"] == "ct"]
    assert (said["valid"], said["reading"], said["notes"]) == (True, "low", ["limits_of_others"])
    kept = (await shared.client.get(f"{API}/{id}/ct")).json()
    assert (kept["slices"], kept["received"]) == ([SMALL.middle], 5)

    page = await shared.client.get(f"/results/{id}", headers={"Accept-Language": "de"})
    assert "CT von L1" in page.text
    sheet = await shared.client.get(f"/results/{id}/report.pdf")
    paper = printed_words(sheet.content, tmp_path)
    assert "HU (SD" in paper
    assert "no contrast medium" in paper

    gone = await shared.client.delete(f"{API}/{id}/ct")
    assert gone.json()["ct"] is None
    assert_problem(await shared.client.get(f"{API}/{id}/ct"), "ct_not_found")


async def test_a_reader_places_a_region_without_a_script(shared: Front, png: bytes) -> None:
    id = await posted(shared, png)
    empty = html.fromstring((await shared.client.get(f"/results/{id}/ct")).text)
    assert_well_made(empty)
    assert empty.xpath("//input[@type='file']")
    files = [("file", (f"{n}.dcm", one, "application/dicom")) for n, one in
             enumerate(encode(SMALL))]  # fmt: skip
    came = await shared.client.post(f"/results/{id}/ct", files=files)
    assert (came.status_code, came.headers["location"]) == (303, f"/results/{id}/ct")

    page = html.fromstring((await shared.client.get(f"/results/{id}/ct")).text)
    assert_well_made(page)
    overview, slice_ = page.xpath("//input[@type='image']")
    for shown in (overview, slice_):
        assert shown.get("alt")
        picture = await shared.client.get(shown.get("src"))
        assert picture.headers["content-type"] == "image/png"
        opened = Image.open(io.BytesIO(picture.content))
        assert opened.size == (int(shown.get("width")), int(shown.get("height")))
    # A click in the overview chooses the slice that lies there.
    height = int(overview.get("height"))
    for number in range(1, 6):
        click = {"level.x": "20", "level.y": str(round((number - 0.5) * height / 5))}
        looked = html.fromstring((await shared.client.get(f"/results/{id}/ct", params=click)).text)
        assert looked.xpath("string(//input[@id='slice']/@value)") == str(number)
    x, y = SMALL.centre
    at = {"slice": str(SMALL.middle), "at.x": f"{x:g}", "at.y": f"{y:g}"}
    looked = html.fromstring((await shared.client.get(f"/results/{id}/ct", params=at)).text)
    assert_well_made(looked)
    text = " ".join(looked.text_content().split())
    assert "In this region" in text
    assert "Whether contrast medium was given is not known" in text
    outlined = await shared.client.get(looked.xpath("//input[@name='at']/@src")[0])
    plain = await shared.client.get(slice_.get("src").partition("?")[0])
    assert outlined.content != plain.content

    form = {
        one.get("name"): one.get("value")
        for one in looked.xpath("//form[@method='post']//input[@type='text']")
    }
    outside = await shared.client.post(f"/results/{id}/ct/region", data={**form, "x": "1"})
    assert outside.status_code == 422
    page = html.fromstring(outside.text)
    assert_well_made(page)
    assert page.xpath("//*[@role='alert']")
    kept = await shared.client.post(f"/results/{id}/ct/region", data={**form, "contrast": "none"})
    assert (kept.status_code, kept.headers["location"]) == (303, f"/results/{id}#modalities")
    entered = (await shared.client.get(f"{API}/{id}/modalities")).json()["ct"]
    assert abs(entered["mean_hu"] - SMALL.trabecular) <= 2


async def test_what_is_deleted_takes_its_slices_with_it(shared: Front, png: bytes) -> None:
    id = await posted(shared, png)
    before = await count(shared, CtSliceRow), await count(shared, ExamRow)
    await sent(shared, id, packed(encode(SMALL)))
    assert await count(shared, CtSliceRow) == before[0] + 5
    assert (await shared.client.delete(f"{API}/{id}")).status_code == 204
    assert (await count(shared, CtSliceRow), await count(shared, ExamRow)) == before


async def test_slices_go_with_the_exam_s_last_picture_and_numbers_stay(
    shared: Front, png: bytes
) -> None:
    id = await posted(shared, png)
    await sent(shared, id, packed(encode(SMALL)))
    await shared.client.put(f"{API}/{id}/ct", json=region())
    before = await count(shared, CtSliceRow)
    transactions = Transactions(shared.app.state.health.database)
    await transactions.write(
        lambda it: deletion.remove_image(it, Actor.anonymous(), UUID(id), "retention")
    )
    assert await count(shared, CtSliceRow) == before - 1
    told = (await shared.client.get(f"{API}/{id}/modalities")).json()
    assert told["ct"]["mean_hu"] == pytest.approx(SMALL.trabecular, abs=2)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(packed([b"x" * 500]), "invalid_ct", id="no slice"),
        pytest.param(
            packed([*encode(SMALL)[:2], *encode(Series(seed=9, slices=1, side=128))]),
            "invalid_ct",
            id="two series",
        ),
        pytest.param(packed(encode(SMALL))[:-40], "invalid_archive", id="cut short"),
        pytest.param(packed([b"\0" * 30_000_000]), "batch_too_large", id="bomb"),
        pytest.param(b"PK", "unsupported_media_type", id="no archive"),
    ],
)
async def test_hostile_uploads_are_problems(
    shared: Front, png: bytes, data: bytes, code: str
) -> None:
    id = await posted(shared, png)
    response = await sent(shared, id, data)
    assert response.json()["code"] in {code, "invalid_archive"}
    assert_problem(await shared.client.get(f"{API}/{id}/ct"), "ct_not_found")


@pytest.mark.parametrize(
    "query",
    ["x=nan&y=1", "x=1e99&y=1", "x=-5&y=3", "x=a&y=b", "x=5&y=5&radius_x_mm=1e9", "level.y=inf"],
)
async def test_a_query_chooses_what_it_can(shared: Front, png: bytes, query: str) -> None:
    id = await posted(shared, png)
    await sent(shared, id, packed(encode(SMALL)))
    assert (await shared.client.get(f"/results/{id}/ct?{query}")).status_code == 200
    assert (await shared.client.get(f"/results/{id}/ct/1.png?{query}")).status_code == 200
    assert (await shared.client.get(f"/results/{id}/ct/99.png?{query}")).status_code == 404
    for name in (10**30, "{number}", "-1", "0", "x"):
        answer = await shared.client.get(f"/results/{id}/ct/{name}.png")
        assert answer.status_code == 404, name


def attenuation(**changes: Any) -> Attenuation:
    scan = {"voltage_kv": changes.pop("voltage_kv", 120.0)}
    return Attenuation.model_validate(
        {
            "region": {"slice": 1, "x": 1, "y": 1, "radius_x_mm": 9, "radius_y_mm": 7},
            "mean_hu": 100.0, "sd_hu": 20.0, "se_hu": 1.0, "low_hu": 40.0, "high_hu": 160.0,
            "pixels": 300, "area_mm2": 190.0, "scan": scan, "contrast": "none", **changes,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mean", "reading"),
    [(109.9, "low"), (110.0, "low"), (110.1, "between"), (160.0, "between"), (160.1, "not_low")],
)
def test_limits_are_published_ones(mean: float, reading: str) -> None:
    found = voice(attenuation(mean_hu=mean), ModalitySettings())
    assert (found.reading, found.notes) == (reading, ("limits_of_others",))


def test_a_site_has_limits_of_its_own() -> None:
    site = ModalitySettings(ct_low_hu=104, ct_high_hu=169, ct_site_limits=True)
    found = voice(attenuation(mean_hu=108.0), site)
    assert (found.reading, found.notes) == ("between", ("limits_of_site",))
    with pytest.raises(ValueError, match="OSTEOSERVE_CT_LOW_HU"):
        ModalitySettings(ct_low_hu=150, ct_high_hu=149)


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        ({"contrast": "given"}, ("contrast_given",)),
        ({"voltage_kv": 100.0}, ("voltage_differs",)),
        ({"voltage_kv": None}, ("voltage_not_known",)),
        ({"voltage_kv": 140.0, "contrast": "given"}, ("contrast_given", "voltage_differs")),
    ],
)
def test_what_is_not_calibrated_is_shown_and_not_read(
    changes: dict[str, Any], against: tuple[str, ...]
) -> None:
    found = voice(attenuation(**changes), ModalitySettings())
    assert (found.against, found.reading, found.counts) == (against, None, False)
    assert found.present
    unknown = voice(attenuation(contrast="unknown"), ModalitySettings())
    assert (unknown.reading, "contrast_not_known" in unknown.notes) == ("low", True)
