"""Plots are asserted by parsing them: what stands in them, and that nothing else varies."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from models.evaluation.plots import LINES, plots
from models.evaluation.schema import Evaluation

NAMES = {"roc.svg", "precision-recall.svg", "reliability.svg", "confusion.svg"}


@pytest.fixture(scope="module")
def drawn(evaluation: Evaluation) -> dict[str, bytes]:
    return plots(evaluation)


def texts(svg: bytes) -> list[str]:
    return [
        "".join(found.itertext()).strip()
        for found in etree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_there_is_a_small_picture_for_each_question(drawn: dict[str, bytes]) -> None:
    assert set(drawn) == NAMES
    assert max(map(len, drawn.values())) < 40_000


def test_the_same_evaluation_gives_the_same_bytes(
    drawn: dict[str, bytes], evaluation: Evaluation
) -> None:
    assert plots(Evaluation.from_bytes(evaluation.to_bytes())) == drawn


@pytest.mark.parametrize("name", sorted(NAMES))
def test_nothing_in_a_picture_says_when_or_by_what_it_was_made(
    drawn: dict[str, bytes], name: str
) -> None:
    assert not re.search(rb"\d{4}-\d{2}-\d{2}T|Matplotlib v", drawn[name])


@pytest.mark.parametrize("name", sorted(NAMES - {"confusion.svg"}))
def test_every_model_is_named_in_text(drawn: dict[str, bytes], name: str) -> None:
    said = " ".join(texts(drawn[name]))

    for line in LINES.values():
        assert line.title in said


def test_the_confusion_shows_its_counts(drawn: dict[str, bytes], evaluation: Evaluation) -> None:
    counts = evaluation.stack.confusion

    said = texts(drawn["confusion.svg"])

    for count in (counts.true_positive, counts.false_negative, counts.false_positive):
        assert str(count) in said


def test_models_differ_in_more_than_colour() -> None:
    assert len({line.dash for line in LINES.values()}) == len(LINES)
