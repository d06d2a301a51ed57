"""A few hundred of the files that ``make fuzz`` makes by the hundred thousand."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis.strategies import builds, randoms, sampled_from

from service.decoding.pool import Pool
from service.medicine.preparation import KNOWN, load
from tests.fuzz.__main__ import attempt, damaged_files
from tests.fuzz.corpus import costly, encoded
from tests.fuzz.mutation import LARGEST, mutated
from tests.models.reading.encodings import ENCODINGS
from tests.service.decoding import calls
from tests.service.kit import images

pytestmark = pytest.mark.anyio

SEARCHED: Final = os.environ.get("FUZZ")
"""How much damage is searched for, by ``make fuzz``; without it little, and always the same."""
WHOLE: Final = (*encoded(), *costly())


def test_the_same_seed_is_the_same_file() -> None:
    data = images.png()
    assert mutated(data, "1") == mutated(data, "1") != mutated(data, "2")
    assert all(len(mutated(data, str(seed))) <= LARGEST for seed in range(200))


@pytest.mark.skipif(sys.platform != "linux", reason="bounded as Linux bounds")
async def test_no_damaged_file_is_a_finding() -> None:
    count = 4 * len(ENCODINGS)
    damaged = damaged_files(count, "tests")
    async with Pool(load, KNOWN, spare=1) as pool:
        outcomes = {await attempt(pool, data) for data in damaged}
    assert not [outcome for outcome, is_finding in outcomes if is_finding]
    assert {"scan", "corrupt_file"} <= {outcome for outcome, _ in outcomes}


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[Pool]:
    async with Pool(load, KNOWN, spare=1) as opened:
        yield opened


@pytest.mark.skipif(sys.platform != "linux", reason="bounded as Linux bounds")
@settings(max_examples=int(SEARCHED or 60), derandomize=SEARCHED is None)
@given(damaged=builds(mutated, sampled_from(WHOLE), randoms(use_true_random=False)))
async def test_no_damage_that_is_searched_for_is_a_finding(pool: Pool, damaged: bytes) -> None:
    """Hypothesis makes a finding smaller, and tries it first the next time."""
    outcome, is_finding = await attempt(pool, damaged)
    assert not is_finding, outcome


@pytest.mark.parametrize(
    ("call", "outcome"),
    [(calls.everything, "memory"), (calls.crash, "died"), (calls.compute, "time")],
)
async def test_what_is_past_the_bounds_is_a_finding(
    call: object, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fuzz.__main__.frame", call)
    async with Pool(calls.load, calls.KNOWN, spare=1) as pool:
        assert await attempt(pool, b"") == (outcome, True)
