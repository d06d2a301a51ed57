from __future__ import annotations

import random
from collections import Counter
from itertools import islice

import pytest

from loadtests import answers, images, mix, requests
from loadtests.images import Images
from models.types import MAPPED
from service.observability.slo import SLOS
from service.predictions.schemas import EXAMPLE


def test_every_objective_is_asked_for_once() -> None:
    assert sorted(kind.slo for kind in mix.MIX) == sorted(slo.name for slo in SLOS)


def test_every_row_of_the_mix_has_an_expected_answer() -> None:
    assert set(answers.EXPECTED) == {kind.slo for kind in mix.MIX}


def test_weights_are_of_two_hundred_and_of_a_hundred() -> None:
    assert sum(kind.weight for kind in mix.MIX) == 200
    assert sum(one.weight for one in images.FORMATS.values()) == 100


def test_a_round_holds_every_row_as_often_as_it_weighs() -> None:
    endless = mix.endless(mix.MIX, random.Random(3))  # noqa: S311 - no secret
    for _ in range(3):
        counted = Counter(kind.slo for kind in islice(endless, 200))
        assert counted == {kind.slo: kind.weight for kind in mix.MIX}


@pytest.mark.parametrize("count", [40, 90, 199, 200, 250, 399, 400, 1000])
def test_the_rare_ones_come_often_enough_however_short_it_is(count: int) -> None:
    for seed in range(20):
        kinds = mix.measured(mix.MIX, count, random.Random(seed))  # noqa: S311 - no secret
        counted = Counter(kind.slo for kind in islice(kinds, count))
        assert all(counted[kind.slo] >= mix.LEAST for kind in mix.MIX)


def test_a_long_load_is_the_mix_and_nothing_more() -> None:
    kinds = mix.measured(mix.MIX, 2000, random.Random(4))  # noqa: S311 - no secret
    assert Counter(kind.slo for kind in islice(kinds, 2000)) == {
        kind.slo: 10 * kind.weight for kind in mix.MIX
    }


def test_every_row_makes_a_request_for_its_route() -> None:
    pool = Images(5)
    pool.make(30)
    known = {"prediction": [("0" * 8, ("cnn",))], "batch": ["1" * 8]}
    for kind in mix.MIX:
        before = len(pool)
        made = requests.request(kind, pool, known)
        assert before - len(pool) == kind.images
        slo = mix.OBJECTIVES[kind.slo]
        assert (made.body is not None) == (slo.method == "POST")
        path = made.path.partition("?")[0]
        filled = slo.route.replace("{model}", "cnn")
        for id in ("0" * 8, "1" * 8):
            if path == filled.replace("{id}", id):
                break
        else:
            pytest.fail(f"{path} is not {slo.route}")
    pool.close()


def test_a_heat_map_is_asked_of_models_that_draw_one() -> None:
    verdict = answers.prediction(EXAMPLE)
    assert set(EXAMPLE["models"]) > set(MAPPED)
    (kind,), pool = mix.kinds(["heat-map"]), Images(7)
    known = {"prediction": [requests.Request("").learnt(verdict)["prediction"]], "batch": []}
    asked = {requests.request(kind, pool, known).path.rpartition("/")[2] for _ in range(200)}
    assert asked == set(MAPPED)
    pool.close()


def test_nothing_is_looked_at_before_it_is_known() -> None:
    (kind,) = mix.kinds(["report"])
    pool = Images(6)
    with pytest.raises(requests.Unanswerable):
        requests.request(kind, pool, {"prediction": [], "batch": []})
    pool.close()
