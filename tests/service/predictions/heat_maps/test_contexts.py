"""Which heat maps a page offers: those that passed their check, the others for research alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import html

from models.explanation import location
from models.explanation.location import Evidence, Inside, Location
from service.predictions.contexts import ResultPage
from service.predictions.heat_maps.contexts import Map, maps
from service.predictions.schemas import EXAMPLE, Prediction
from service.web.templates import Templates
from tests.service.kit.fronts import front
from tests.service.kit.runners import Down, running

pytestmark = pytest.mark.anyio

EXAMPLED = Prediction.model_validate(EXAMPLE)


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(tmp_path))
    return tmp_path


def measured(inside: int) -> Inside:
    return Inside(inside, 60, 1.0)


def vgg16(artifacts: Path, *inside: int, **options: Any) -> Map:
    version = EXAMPLE["models"]["vgg16"]["version"]
    location.write(artifacts, {"vgg16": Location(version, Evidence(*map(measured, inside)))})
    return next(one for one in maps(EXAMPLED, **options) if one.model == "vgg16")


def test_a_map_that_passed_is_offered_without_a_word(artifacts: Path) -> None:
    found = vgg16(artifacts, 50, 50, 50)
    assert found.address == f"/api/v1/predictions/{EXAMPLED.id}/maps/vgg16"
    assert (found.why, found.cautions) == ("", ())


@pytest.mark.parametrize(
    ("inside", "why", "said"),
    [
        ((50, 9, 60), "one of its colours", ["Do not take orange", "9 of 60"]),
        ((50, 60, 24), "one of its colours", ["Do not take blue", "24 of 60"]),
        ((50, 30, 30), "one of its colours", ["Do not take orange", "Do not take blue"]),
        ((30, 60, 60), "this model’s evidence", ["For research alone"]),
        ((30, 30, 30), "this model’s evidence", ["For research alone", "orange", "blue"]),
    ],
)
def test_one_that_failed_is_offered_for_research_alone(
    artifacts: Path, inside: tuple[int, int, int], why: str, said: list[str]
) -> None:
    found = vgg16(artifacts, *inside)
    assert found.address is None
    assert why in found.why
    assert found.cautions == ()
    shown = vgg16(artifacts, *inside, research=True)
    assert shown.address is not None
    assert shown.why == ""
    told = " ".join(shown.cautions)
    assert [one for one in said if one not in told] == []


def test_one_that_was_not_measured_is_offered_for_research_alone(artifacts: Path) -> None:
    location.write(artifacts, {"vgg16": Location("sha256:0", Evidence(*[measured(60)] * 3))})
    for one in maps(EXAMPLED):
        assert one.address is None
        assert "has not been measured" in one.why
    for one in maps(EXAMPLED, research=True):
        assert one.address is not None
        assert "has not been measured" in " ".join(one.cautions)


async def test_maps_lie_over_what_models_saw_and_are_asked_for_when_looked_at(
    var: Path, png: bytes
) -> None:
    async with running() as runners, front(var, runners, research_maps=True) as opened:
        page = html.fromstring((await opened.analyse(png)).text)
    panes = page.xpath("//section[contains(@class, 'maps')]//figure")
    # Bone measures, and has a table instead of a map.
    assert [one.findtext("figcaption") for one in panes] == ["CNN", "VGG16", "ResNet + forest"]
    for pane in panes:
        below, above = pane.xpath(".//img")
        assert below.get("src").endswith("/image")
        assert above.get("src").endswith(f"/maps/{pane.get('data-model')}")
        assert above.get("loading") == below.get("loading") == "lazy"
    (details,) = page.xpath("//section[contains(@class, 'maps')]/details")
    assert "open" not in details.attrib
    # The slider does nothing without a script, so it is not shown.
    (slide,) = page.xpath("//*[@class='slide']")
    assert "hidden" in slide.attrib


def test_where_none_may_be_shown_the_page_says_why(artifacts: Path) -> None:
    page = html.fromstring(Templates().render(ResultPage.of(EXAMPLED)))
    (section,) = page.xpath("//section[contains(@class, 'maps')]")
    assert section.xpath(".//img | .//input | .//*[@class='heat-legend']") == []
    assert "has not been measured" in section.text_content()


async def test_a_model_that_did_not_vote_or_does_not_run_says_so(var: Path, png: bytes) -> None:
    async with (
        running(Down("cnn")) as runners,
        front(var, runners, research_maps=True) as opened,
    ):
        made = (await opened.post(png)).headers["location"]
        address = made.replace("/api/v1/predictions", "/results")
        await opened.client.get(f"{made}/maps/vgg16")
        for name in ("vgg16", "resnet"):
            await runners[name].stop()
        states = opened.app.state.health.states
        await opened.settled(lambda: states["vgg16"] == states["resnet"] == "down")
        page = html.fromstring((await opened.client.get(address)).text)
    said = {
        pane.get("data-model"): " ".join(pane.xpath("string(.//*[@class='nothing'])").split())
        for pane in page.xpath("//figure[contains(@class, 'map')]")
    }
    assert said == {
        "cnn": "No heat map: the model did not answer.",
        "vgg16": "",  # kept since it was asked for
        "resnet": "No heat map: the model is not running now.",
    }


async def test_no_map_that_failed_is_in_the_pdf(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners, research_maps=True) as opened:
        made = (await opened.post(png)).headers["location"]
        calls = opened.calls
        assert (await opened.client.get(f"{made}/report.pdf")).status_code == 200
        # None was so much as asked for.
        assert opened.calls == calls
