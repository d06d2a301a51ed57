"""What holds an edge on another kind of processor to one of here."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.reading import read
from service.predictions.schemas import EXAMPLE
from tests.e2e import alike
from tests.e2e.alike import ALIKE, NEAR, Beside, files
from tests.e2e.served import serving


def held(change: Callable[[dict[str, Any]], None]) -> Beside:
    beside, other = Beside(), copy.deepcopy(EXAMPLE)
    change(other)
    beside.hold("png", EXAMPLE, other)
    return beside


def test_the_same_answer_at_another_time_misses_nothing() -> None:
    beside = held(lambda one: one.update(id="another", created_at="later", timings_ms={"read": 1}))
    assert beside.missed == []
    assert set(beside.furthest.values()) == {0.0}
    assert "models.vgg16.probability" in beside.furthest
    assert "vertebrae.levels.centre" in beside.furthest


@pytest.mark.parametrize("path", ["probability", "models.cnn.probability"])
def test_probabilities_are_held_to_a_hundredth(path: str) -> None:
    def moved(far: float) -> Callable[[dict[str, Any]], None]:
        def change(one: dict[str, Any]) -> None:
            *parents, last = path.split(".")
            for parent in parents:
                one = one[parent]
            one[last] += far

        return change

    assert held(moved(ALIKE * 0.9)).missed == []
    beside = held(moved(ALIKE * 1.1))
    assert [words.split(": ")[:2] for words in beside.missed] == [["png", path]]
    assert beside.furthest[path] == pytest.approx(ALIKE * 1.1)


def test_a_decision_a_level_or_a_place_that_is_another_is_missed() -> None:
    assert held(lambda one: one.update(outcome="normal")).missed
    assert held(lambda one: one.update(probability=None)).missed
    assert held(lambda one: one["quality"]["findings"].append("turned")).missed
    assert held(lambda one: one["vertebrae"]["levels"].pop()).missed
    assert held(lambda one: one["models"].pop("bone")).missed

    def aside(one: dict[str, Any]) -> None:
        one["vertebrae"]["levels"][1]["centre"][0] += NEAR * 1.1

    assert len(held(aside).missed) == 1


def test_measurements_that_changed_places_are_told_by_their_names() -> None:
    beside = held(lambda one: one["models"]["bone"]["measurements"].reverse())
    assert beside.missed == []


def test_what_is_sent_is_the_same_each_time_and_can_be_read() -> None:
    sent = files()
    assert sent == files()
    assert {read(data).format for data in sent.values()} == {"dicom", "png", "jpeg", "tiff"}


@pytest.mark.e2e
@pytest.mark.anyio
async def test_all_files_are_sent_and_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(tmp_path) as (url, _):
        assert await alike.main([url, "--beside", url]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{len(files())} files, ")
    assert "0.0000000  probability" in rest
