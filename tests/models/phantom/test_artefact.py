from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.phantom import Artefact, Nuisance, Phantom, draw, draw_person
from models.phantom.artefact import ADDED, WEIGHTS
from models.phantom.reference import Label, classify

Spoilt = dict[Artefact, list[Phantom]]


@pytest.mark.parametrize("artefact", list(ADDED))
def test_added_mineral_raises_one_vertebra_by_the_stated_share(
    spoilt: Spoilt, artefact: Artefact
) -> None:
    low, high = ADDED[artefact]
    for phantom in spoilt[artefact]:
        hit = int(phantom.effect.argmax())
        neighbours = 1.0 if artefact is Artefact.IMPLANT else 0.02
        assert low - neighbours - 1e-3 <= phantom.effect[hit] <= high + neighbours
        assert (phantom.effect > -1e-5).all()
        assert not phantom.valid[hit]
        assert phantom.measured_t_score > phantom.t_score


def test_osteophyte_stays_within_the_published_14_percent(spoilt: Spoilt) -> None:
    for phantom in spoilt[Artefact.OSTEOPHYTE]:
        assert 0.07 <= phantom.effect.max() <= 0.14 + 1e-5
        assert phantom.valid.sum() >= 2


def test_fracture_has_the_same_mineral_in_less_area(spoilt: Spoilt) -> None:
    for phantom in spoilt[Artefact.FRACTURE]:
        hit = int(phantom.effect.argmax())
        others = np.arange(4) != hit
        assert phantom.effect[hit] == pytest.approx(0.25, abs=0.04)
        assert np.allclose(phantom.effect[others], 0.0, atol=1e-5)
        assert phantom.valid.tolist() == others.tolist()
        # Mineral of the whole bone: its clean density over the area that it had.
        before = phantom.area[hit] * (1.0 + phantom.effect[hit])
        assert phantom.bmc[hit] == pytest.approx(phantom.clean_bmd[hit] * before, rel=1e-6)


def test_laminectomy_lowers_one_vertebra_by_a_quarter(spoilt: Spoilt) -> None:
    for phantom in spoilt[Artefact.LAMINECTOMY]:
        hit = int(phantom.effect.argmin())
        assert phantom.effect[hit] == pytest.approx(-0.25, abs=1e-4)
        assert phantom.valid.sum() == 3
        assert phantom.measured_t_score < phantom.t_score


@pytest.mark.parametrize("artefact", [Artefact.GAS, Artefact.MOTION, Artefact.OBESITY])
def test_bone_is_untouched_by(spoilt: Spoilt, artefact: Artefact) -> None:
    for phantom in spoilt[artefact]:
        assert np.allclose(phantom.effect, 0.0, atol=1e-5)
        expected = {Artefact.GAS: 4, Artefact.OBESITY: 0}.get(artefact)
        if expected is None:
            assert phantom.valid.sum() < 4
        else:
            assert phantom.valid.sum() == expected


def test_scan_area_cuts_l1_or_l4(spoilt: Spoilt) -> None:
    for phantom in spoilt[Artefact.SCAN_AREA]:
        cut = int(np.flatnonzero(~phantom.valid).item())
        assert cut in (0, 3)
        edge = phantom.vertebrae[0 if cut == 0 else -1]
        assert (edge == cut + 1).any()
        assert phantom.area[cut] < 0.9 * phantom.area[1:3].mean()
        assert np.allclose(phantom.effect, 0.0, atol=1e-5)


def test_obesity_is_noisier(spoilt: Spoilt) -> None:
    def roughness(phantoms: list[Phantom]) -> float:
        return float(
            np.median([np.abs(np.diff(p.image.astype(float), axis=1)).mean() for p in phantoms])
        )

    assert roughness(spoilt[Artefact.OBESITY]) > 1.3 * roughness(spoilt[Artefact.NONE])


@pytest.mark.parametrize(
    ("artefact", "bmd", "true", "seeming"),
    [
        pytest.param(Artefact.LAMINECTOMY, 0.80, "osteopenia", "osteoporosis", id="false alarm"),
        pytest.param(Artefact.IMPLANT, 0.76, "osteoporosis", "osteopenia", id="hidden"),
        pytest.param(
            Artefact.FRACTURE, 0.765, "osteoporosis", "osteopenia", id="hidden by fracture"
        ),
    ],
)
def test_label_is_of_the_bone_where_the_measurement_misleads(
    artefact: Artefact, bmd: float, true: Label, seeming: Label
) -> None:
    rng = np.random.default_rng(13)
    for _ in range(4):
        person = replace(draw_person(rng), sex="female", vendor="hologic", bmd=bmd)
        phantom = draw(rng, artefact=artefact, person=person)
        assert phantom.label == true
        # Implants add so much that the spine may even seem normal.
        assert classify(phantom.measured_t_score) in {seeming, "normal"} - {true}


def test_codes_are_those_of_nhanes() -> None:
    assert {artefact.code for artefact in Artefact} == set(range(7))
    assert Artefact.NONE.code == 0
    assert set(WEIGHTS) == set(Artefact) - {Artefact.NONE}


@pytest.mark.parametrize(
    ("rate", "low", "high"),
    [pytest.param(0.0, 0, 0, id="never"), pytest.param(1.0, 8, 8, id="always")],
)
def test_rate_of_artefacts(rate: float, low: int, high: int) -> None:
    rng = np.random.default_rng(8)
    made = [draw(rng, None, Nuisance(artefacts=rate)) for _ in range(8)]
    assert low <= sum(p.artefact is not Artefact.NONE for p in made) <= high
