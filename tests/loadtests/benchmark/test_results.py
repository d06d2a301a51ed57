from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadtests.benchmark import results
from loadtests.benchmark.__main__ import LONGEST, OVERHEAD_SECONDS, main, step_seconds
from loadtests.benchmark.systems import SYSTEMS
from loadtests.benchmark.turn import ALONE, WARM_UP
from loadtests.processes import ROOT
from loadtests.target import COMPONENTS

FOLDER = ROOT / "docs/benchmarks"


def rounds(*shares: float, right: bool = True) -> list[dict[str, Any]]:
    """Invented figures as a turn gives them, on a machine of 50 images a second."""
    return [
        {
            "images_per_second": 50 * share if right else 0.0,
            **({"share": share} if right else {}),
            "p50_ms": 300.0, "p99_ms": 400.0, "alone_p50_ms": 40.0,
            "cpu_seconds_per_image": {"front": 0.004, "vgg16": 0.046},
            "memory_bytes": 1_200_000_000, "start_seconds": 8.0, "faults": {},
            "checked": {"answers": 40, "largest": 0.002, "changed": 3 - 3 * right, "holds": right},
        }
        for share in shares
    ]  # fmt: skip


FIGURES: dict[str, list[dict[str, Any]]] = {
    "osteoserve": rounds(0.8, 0.82, 0.78),
    "roofline": rounds(1.0, 1.0, 1.0),
    "plain": rounds(0.04, 0.041, 0.039),
    "ray-keras": rounds(0.1, 0.2, 0.1),
    "litserve-runtime": rounds(0.6, 0.6, right=False),
    "mlserver-runtime": [{"error": "did not get ready; it said:\n    no"}, *rounds(0.4, 0.4)],
}
SYSTEMS_FOUND = {
    name: {"title": name.upper(), "versions": {"openvino": "2026.4.1"}, "rounds": found}
    for name, found in FIGURES.items()
}
RESULTS: dict[str, Any] = {
    "command": "python -m loadtests.benchmark",
    "measured_on": "2026-02-03",
    "minutes": 41.0,
    "rounds": 3,
    "step_seconds": 20.0,
    "machine": {
        "processor": "A processor", "cpus": 2, "features": ["avx2"], "memory_gb": 24,
        "virtual": True, "python": "3.11.7",
    },
    "systems": SYSTEMS_FOUND,
    "ratios": results.ratios(SYSTEMS_FOUND),
}  # fmt: skip


def test_a_ratio_is_that_of_shares_within_a_round_with_its_spread() -> None:
    found = results.ratios(SYSTEMS_FOUND)
    assert found["plain"] == {
        "ratio": pytest.approx(20.0), "least": pytest.approx(20.0), "most": pytest.approx(20.0),
        "spread": pytest.approx(0.0), "decided": True,
    }  # fmt: skip
    assert found["roofline"]["ratio"] == pytest.approx(0.8)
    assert found["roofline"]["spread"] == pytest.approx(0.05)


def test_a_ratio_that_swings_or_of_two_rounds_decides_nothing() -> None:
    found = results.ratios(SYSTEMS_FOUND)
    assert found["ray-keras"]["spread"] > results.WIDEST
    assert not found["ray-keras"]["decided"]
    assert found["mlserver-runtime"]["ratio"] == pytest.approx((0.82 / 0.4 + 0.78 / 0.4) / 2)
    assert not found["mlserver-runtime"]["decided"]


def test_wrong_answers_are_no_throughput_and_have_no_ratio() -> None:
    assert "litserve-runtime" not in results.ratios(SYSTEMS_FOUND)
    assert results.ratios({name: SYSTEMS_FOUND[name] for name in ("plain", "roofline")}) == {}


def test_the_page_tells_every_system(tmp_path: Path) -> None:
    results.write(tmp_path, RESULTS)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    for name in FIGURES:
        assert f"| {name.upper()} |" in page
    assert "| PLAIN | 20.00 | 20.00–20.00 | 0 % |  |" in page
    assert page.count("| not decided |") == 2
    assert "| LITSERVE-RUNTIME | failed: wrong answers |" in page
    assert "3 rounds of 20 s steps in 41 minutes" in page
    assert main(["--page", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == page


def test_what_is_written_reads_back_rounded(tmp_path: Path) -> None:
    results.write(tmp_path / "new", RESULTS | {"a": 1.23456789, "d": (0.1,)})
    found = results.read(tmp_path / "new")
    assert (found["a"], found["d"]) == (1.2346, [0.1])


def test_the_whole_of_it_fits_into_an_hour() -> None:
    seconds = step_seconds(50, 3, len(SYSTEMS) + 1)
    assert 5 <= seconds <= LONGEST
    turn = OVERHEAD_SECONDS + seconds * (1 + ALONE) * (1 + WARM_UP)
    assert 3 * (len(SYSTEMS) + 1) * turn <= 50 * 60


def test_rounds_that_do_not_fit_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--rounds", "9"])
    assert "9 rounds of 9 systems do not fit into 50 minutes" in capsys.readouterr().err


def test_each_peer_is_there_as_documented_and_with_our_runtime() -> None:
    peers = {"ray", "litserve", "mlserver"}
    assert set(SYSTEMS) == {"osteoserve", "plain"} | {
        f"{peer}-{engine}" for peer in peers for engine in ("keras", "runtime")
    }
    for peer in peers:
        engines = [
            SYSTEMS[f"{peer}-{one}"].environment["BENCH_ENGINE"] for one in ("keras", "runtime")
        ]
        assert engines == ["keras", "runtime"]


def test_every_environment_has_a_lock() -> None:
    wanted = {system.venv for system in SYSTEMS.values() if system.venv != "front"}
    assert wanted == {lock.stem for lock in (ROOT / "requirements").glob("bench-*.txt")}


@pytest.mark.skipif(not (FOLDER / results.FILE).is_file(), reason="no results are committed")
def test_the_page_is_that_of_the_committed_results() -> None:
    """`python -m loadtests.benchmark --page --out docs/benchmarks` writes them anew."""
    found = results.read(FOLDER)
    assert found["ratios"] == pytest.approx(results.ratios(found["systems"]), rel=1e-3)
    assert set(found["systems"]["osteoserve"]["rounds"][0]["cpu_seconds_per_image"]) >= {
        *COMPONENTS
    }
    assert (FOLDER / results.PAGE).read_text("utf-8") == results.page(found)
