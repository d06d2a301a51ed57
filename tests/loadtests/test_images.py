from __future__ import annotations

import hashlib

import pytest

from loadtests.images import FORMATS, Images, Upload
from models.gate import quality
from models.image import recipe
from models.reading import Limits, read, sniff

COUNT = 120


@pytest.fixture(scope="module")
def uploads() -> list[Upload]:
    images = Images(11)
    images.make(COUNT)
    taken = [images.take() for _ in range(COUNT)]
    assert images.late == 0
    images.close()
    return taken


def framed(upload: Upload) -> str:
    return hashlib.sha256(recipe.frame(read(upload.data, Limits())).tobytes()).hexdigest()


def test_all_formats_come_and_are_what_they_are_sent_as(uploads: list[Upload]) -> None:
    assert {one.format for one in uploads} == set(FORMATS)
    for one in uploads:
        assert sniff(one.data) == one.media_type.rpartition("/")[2]


def test_no_two_are_alike_even_as_the_models_see_them(uploads: list[Upload]) -> None:
    assert len({framed(one) for one in uploads}) == COUNT


def test_another_run_has_others() -> None:
    found = []
    for seed in (1, 2):
        images = Images(seed)
        found.append({framed(images.take()) for _ in range(10)})
        images.close()
    assert not found[0] & found[1]


def test_few_are_refused_and_some_are(uploads: list[Upload]) -> None:
    gate = quality.served_gate()
    refused = 0
    for one in uploads:
        scan = read(one.data, Limits())
        refused += not quality.assess(scan, recipe.frame(scan), gate).accepted
    assert 0 < refused < COUNT / 6


def test_one_too_many_is_made_late_and_said() -> None:
    images = Images(3)
    images.make(1)
    images.take()
    assert images.late == 0
    assert images.take().data
    assert images.late == 1
    images.close()
