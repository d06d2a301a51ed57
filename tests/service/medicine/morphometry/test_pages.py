"""Points by a form and by the API: the same grades, and each fault beside its vertebra."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from lxml import html
from PIL import Image

from models.phantom import lateral
from models.vertebrae.morphometry import LATERAL_LEVELS
from service.medicine.morphometry.schemas import EXAMPLE
from tests.service.kit import images
from tests.service.kit.fronts import Front
from tests.service.kit.shapes import assert_problem, assert_well_made

pytestmark = pytest.mark.anyio

POINTS = {
    one["level"]: " ".join(f"{x},{y}" for x, y in (*one["upper"], *one["lower"]))
    for one in EXAMPLE["vertebrae"]
}


@pytest.fixture
async def address(shared: Front) -> str:
    response = await shared.upload(images.unusable())
    return f"/results/{response.json()['id']}/heights"


def drawn(text: str) -> html.HtmlElement:
    page = html.fromstring(text)
    assert_well_made(page)
    return page


async def test_the_api_grades_points(shared: Front) -> None:
    response = await shared.client.post("/api/v1/morphometry", json=EXAMPLE)
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    found = response.json()
    assert "not a diagnosis" in found["label"]
    by_level = {one["level"]: one for one in found["vertebrae"]}
    assert by_level["L1"]["heights"] == [21.0, 25.5, 30.0]
    assert by_level["L1"]["losses"]["front"] == pytest.approx(0.3)
    assert (by_level["L1"]["grade"], by_level["L1"]["shape"]) == (2, "wedge")
    assert (by_level["T12"]["grade"], by_level["T12"]["shape"]) == (0, None)


@pytest.mark.parametrize(
    "sent",
    [
        {"vertebrae": []},
        {"vertebrae": EXAMPLE["vertebrae"] + EXAMPLE["vertebrae"][:1]},
        {"vertebrae": [{**EXAMPLE["vertebrae"][0], "level": "L5"}]},
        {"vertebrae": [{**EXAMPLE["vertebrae"][0], "lower": EXAMPLE["vertebrae"][0]["upper"]}]},
        {"vertebrae": EXAMPLE["vertebrae"], "pixel_aspect": 0},
    ],
    ids=["none", "twice", "no such level", "flat", "no aspect"],
)
async def test_points_that_cannot_be_are_refused(shared: Front, sent: dict[str, Any]) -> None:
    response = await shared.client.post("/api/v1/morphometry", json=sent)
    assert_problem(response, "invalid_points")


async def test_pixels_that_are_not_square_are_made_even(shared: Front) -> None:
    flat = [
        {
            **one,
            "upper": [[x, y / 2] for x, y in one["upper"]],
            "lower": [[x, y / 2] for x, y in one["lower"]],
        }
        for one in EXAMPLE["vertebrae"]
    ]
    told = (
        await shared.client.post(
            "/api/v1/morphometry", json={"vertebrae": flat, "pixel_aspect": 2.0}
        )
    ).json()
    assert told == (await shared.client.post("/api/v1/morphometry", json=EXAMPLE)).json()


async def test_a_form_without_scripts_grades_points(shared: Front, address: str) -> None:
    page = drawn((await shared.client.get(address)).text)
    names = page.xpath("//form[@id='points']//input[@type!='hidden']/@name")
    assert names == list(LATERAL_LEVELS)
    (picture,) = page.xpath("//*[@class='points']/*[local-name()='image']/@href")
    assert picture.endswith("/sent-image")
    answered = await shared.client.post(address, data=POINTS)
    assert (answered.status_code, answered.headers["cache-control"]) == (200, "no-store")
    told = drawn(answered.text)
    rows = {
        one.xpath("./th")[0].text_content(): " ".join(one.text_content().split())
        for one in told.xpath("//section[@aria-labelledby='heights']//tbody/tr")
    }
    assert set(rows) == {"T12", "L1", "L2"}
    assert "30.0 %" in rows["L1"]
    assert "grade 2, moderate" in rows["L1"]
    assert "wedge" in rows["L1"]
    assert told.xpath("//input[@name='L1']/@value") == [POINTS["L1"]]


async def test_proposed_points_fill_the_form_and_are_graded_only_when_sent(shared: Front) -> None:
    rng = np.random.default_rng([26, 5])
    drawn_image = lateral.draw(rng, {"L1": lateral.Fracture("wedge", 0.35)})
    buffer = io.BytesIO()
    Image.fromarray(drawn_image.image).save(buffer, "PNG")
    response = await shared.upload(buffer.getvalue())
    address = f"/results/{response.json()['id']}/heights"
    page = drawn((await shared.client.get(f"{address}?propose=true")).text)
    assert "Proposed, and set by nobody" in page.text_content()
    assert not page.xpath("//section[@aria-labelledby='heights']")
    points = {
        one.get("name"): one.get("value")
        for one in page.xpath("//form[@id='points']//input[@type!='hidden']")
        if one.get("value")
    }
    assert set(points) == set(drawn_image.points)
    told = drawn((await shared.client.post(address, data=points)).text)
    rows = {
        one.xpath("./th")[0].text_content(): one.text_content()
        for one in told.xpath("//section[@aria-labelledby='heights']//tbody/tr")
    }
    assert "grade 2, moderate" in rows["L1"]
    assert "wedge" in rows["L1"]
    assert "grade 0" in rows["L3"]


async def test_what_cannot_be_taken_is_told_beside_its_vertebra(
    shared: Front, address: str
) -> None:
    answered = await shared.client.post(address, data={**POINTS, "L1": "1,2 3,4"})
    assert answered.status_code == 422
    page = drawn(answered.text)
    (error,) = page.xpath("//p[@id='points-L1-error']")
    assert "Six points are needed" in error.text_content()
    assert not page.xpath("//section[@aria-labelledby='heights']")
    upside_down = " ".join(reversed(POINTS["L2"].split()))
    answered = await shared.client.post(address, data={**POINTS, "L2": upside_down})
    assert (
        "below that of the upper one"
        in drawn(answered.text).xpath("//p[@id='points-L2-error']")[0].text_content()
    )
    assert (await shared.client.post(address, data={"x": "1"})).status_code == 422


async def test_the_page_is_german_too(shared: Front, address: str) -> None:
    answered = await shared.client.post(address, data=POINTS, headers={"accept-language": "de"})
    assert "Grad 2, mäßig" in answered.text
    assert "Diese Punkte behalten" in answered.text
    assert "not stored" not in answered.text
