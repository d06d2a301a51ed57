"""Formulas against textbooks and against a simulation that knows none of them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from loadtests.capacity import costs, page, queueing
from loadtests.capacity.costs import CapacityError, Costs
from loadtests.capacity.day import clinic
from loadtests.capacity.simulation import simulate, wait
from loadtests.capacity.sizing import SPARE, UTILISATION, Balance, size

COSTS = Costs(
    {"front": 0.02, "cnn": 0.01, "vgg16": 0.04, "resnet": 0.02, "stack": 0.005}, {}, "a test"
)


def test_erlang_c_is_the_textbook_s() -> None:
    # One server waits as often as it is busy; two with one erlang: 1/3; the tables' 10 and 8.
    assert queueing.erlang_c(1, 0.7) == pytest.approx(0.7)
    assert queueing.erlang_c(2, 1.0) == pytest.approx(1 / 3)
    assert queueing.erlang_c(10, 8.0) == pytest.approx(0.4092, abs=1e-4)
    assert queueing.erlang_c(3, 3.0) == 1.0


def test_erlang_c_is_its_definition() -> None:
    for servers, load in ((4, 2.5), (20, 17.0), (60, 41.0)):
        top = load**servers / math.factorial(servers) * servers / (servers - load)
        below = sum(load**k / math.factorial(k) for k in range(servers))
        assert queueing.erlang_c(servers, load) == pytest.approx(top / (below + top))


def test_one_server_waits_as_pollaczek_and_khinchine_say() -> None:
    # ρ/(1 − ρ) × (1 + c²)/2 × S
    assert queueing.mean_wait(1, 0.5, 0.1, 0.0) == pytest.approx(0.05)
    assert queueing.mean_wait(1, 0.5, 0.1, 1.0) == pytest.approx(0.1)
    assert queueing.mean_wait(1, 1.0, 0.1, 0.0) == math.inf


@pytest.mark.parametrize("variation", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("balance", Balance)
def test_simulated_waits_are_those_of_the_formulas(balance: Balance, variation: float) -> None:
    rng = np.random.default_rng(2)
    servers, busy, seconds, count = 3, 0.7, 0.04, 300_000
    at = np.cumsum(rng.exponential(seconds / servers / busy, count))
    service = (
        rng.gamma(1 / variation, seconds * variation, count)
        if variation
        else np.full(count, seconds)
    )
    found = wait(at, service, servers, balance, rng).mean()
    pooled = servers if balance is Balance.SHARED else 1
    expected = queueing.mean_wait(pooled, busy * pooled, seconds, variation)
    # Exact for one server and for exponential times; an approximation for several otherwise.
    exact = balance is Balance.RANDOM or variation == 1.0
    assert found == pytest.approx(expected, rel=0.05 if exact else 0.12)


def test_lindley_is_the_queue_step_by_step() -> None:
    rng = np.random.default_rng(3)
    at = np.cumsum(rng.exponential(1.0, 500))
    service = rng.exponential(0.9, 500)
    # One server: both ways of simulating must agree to the last digits.
    random, shared = (wait(at, service, 1, balance, rng) for balance in Balance)
    assert random == pytest.approx(shared, abs=1e-9)


def test_the_tail_of_constant_times_is_never_promised_too_short() -> None:
    rng = np.random.default_rng(4)
    for busy in (0.5, 0.7):
        at = np.cumsum(rng.exponential(0.04 / busy, 400_000))
        found = wait(at, np.full(len(at), 0.04), 1, Balance.RANDOM, rng)
        for limit in (0.1, 0.2, 0.3):
            assert (found > limit).mean() <= queueing.longer(limit, 1, busy, 0.04, 0.0) * 1.05


@pytest.mark.parametrize(
    ("scans", "balance"),
    [
        (20_000, Balance.RANDOM),
        (300_000, Balance.RANDOM),
        (10_000_000, Balance.RANDOM),
        # One queue is simulated scan by scan, and slowly.
        (300_000, Balance.SHARED),
    ],
)
def test_what_is_sized_keeps_the_objective_in_simulation(scans: int, balance: Balance) -> None:
    sizing = size(scans, COSTS, clinic(), balance=balance)
    found = simulate(sizing)
    assert found.scans == pytest.approx(scans, rel=0.02)
    assert found.fast >= 0.99
    for name, station in sizing.stations.items():
        assert station.utilisation <= UTILISATION
        assert found.slow[name] <= 0.002


def test_a_replica_fewer_is_not_enough_where_the_queue_decides() -> None:
    slow = Costs({**COSTS.cpu, "vgg16": 0.5}, {}, "a test")
    sizing = size(500_000, slow, clinic())
    station = sizing.stations["vgg16"]
    load = sizing.rate * 0.5
    fewer = load / (station.working - 1)
    assert fewer < UTILISATION
    assert queueing.longer(sizing.wait, 1, fewer, 0.5, 0.0) > 0.002


def test_more_scans_are_more_clusters_of_one_kind() -> None:
    one, ten = (size(count, COSTS, clinic()) for count in (1_000_000, 10_000_000))
    assert (one.clusters, ten.clusters) == (1, 10)
    assert one.stations == ten.stations
    assert ten.replicas == 10 * one.replicas


def test_few_scans_take_one_of_each_and_the_spare() -> None:
    sizing = size(100, COSTS, clinic())
    assert {one.replicas for one in sizing.stations.values()} == {1 + SPARE}


def test_gpus_are_those_of_replicas_that_use_one() -> None:
    gpu = Costs(COSTS.cpu, {"vgg16": 0.0025}, "a test")
    sizing = size(10_000_000, gpu, clinic())
    assert sizing.gpus == 10 * sizing.stations["vgg16"].replicas
    assert size(10_000_000, COSTS, clinic()).gpus == 0


@pytest.mark.parametrize("peak", [1.0, 1.7, 4.0, 9.0])
def test_a_day_has_the_peak_asked_for(peak: float) -> None:
    day = clinic(peak)
    assert day.peak == pytest.approx(peak, rel=1e-6)
    assert sum(day.shares) == pytest.approx(1)


@pytest.mark.parametrize("peak", [0.5, 24.0])
def test_a_peak_that_cannot_be_is_refused(peak: float) -> None:
    with pytest.raises(CapacityError, match="1 to 11 can be"):
        clinic(peak)


def test_arrivals_fall_on_hours_as_the_day_says() -> None:
    day = clinic()
    at = day.arrivals(200_000, np.random.default_rng(5))
    counted = np.bincount((at // 3600).astype(int), minlength=24) / len(at)
    assert counted == pytest.approx(np.array(day.shares), abs=0.004)
    assert (np.diff(at) >= 0).all()


def test_the_benchmark_s_costs_are_read_where_they_are(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    ours = {
        "cpu_seconds_per_image": {"total": 0.095, **COSTS.cpu},
        "gpu_seconds_per_image": {"cnn": 0.003, "total": 0.01},
    }
    results.write_text(json.dumps({"contenders": {"osteoserve": ours}}))
    assert costs.read(results).cpu == COSTS.cpu
    assert costs.benchmark_gpu(results) == {"cnn": 0.003}
    assert costs.read(tmp_path / "none.json").source.startswith("measured on")
    results.write_text(json.dumps({"contenders": {"plain": {}}}))
    assert costs.read(results).source.startswith("measured on")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"cpu_seconds_per_image": {}}, "costs are wanted of front, cnn"),
        ({"cpu_seconds_per_image": {"front": 0.1}}, "costs are wanted of front, cnn"),
        ({"cpu_seconds_per_image": {**COSTS.cpu, "cnn": -1}}, "cnn costs -1 s an image"),
    ],
)
def test_a_benchmark_that_says_something_else_is_refused(
    tmp_path: Path, document: dict[str, object], says: str
) -> None:
    results = tmp_path / "results.json"
    results.write_text(json.dumps({"contenders": {"osteoserve": document}}))
    with pytest.raises(CapacityError, match=says):
        costs.read(results)


def test_the_page_is_what_it_would_be_written_as() -> None:
    for path, text in page.written().items():
        assert path.read_text("utf-8") == text, "python -m loadtests capacity --page"
    assert page.PICTURE.exists()
