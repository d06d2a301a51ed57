from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.benchmark import documents, results
from loadtests.benchmark.contenders import NAMES
from loadtests.benchmark.measurement import P99_SECONDS
from tests.loadtests.benchmark.figures import FIGURES, RESULTS, figure

FOLDER = Path(__file__).parents[3] / "docs/benchmarks"

committed = pytest.mark.skipif(
    not (FOLDER / results.FILE).is_file(), reason="`make bench` has not been run and committed yet"
)


def test_ratios_are_ours_divided_by_the_best_of_each_kind() -> None:
    found = results.ratios(FIGURES)

    assert found == {
        "plain": 20.0,
        "best_peer_keras": 8.0,
        "best_peer_same_runtime": 2.0,
        "best_peer_one_process": pytest.approx(40 / 41),
        "limit": 0.8,
    }
    assert results.best(FIGURES)["best_peer_keras"] == "litserve-keras-one"


def test_wrong_answers_are_no_throughput() -> None:
    figures = FIGURES | {"osteoserve": figure(80.0, right=False)}

    assert results.ratios(figures) == {}
    assert results.best(FIGURES)["best_peer_same_runtime"] == "mlserver-runtime-each"


def test_those_that_decide_are_measured_again() -> None:
    figures = FIGURES | {"ray-runtime-each": figure(19.0), "litserve-runtime-one": figure(20.0)}

    assert results.deciding(figures) == [
        "limit",
        "osteoserve",
        "plain",
        "litserve-keras-one",
        "mlserver-runtime-each",
        "ray-runtime-one",
        "ray-runtime-each",
    ]


def test_what_is_written_reads_back_rounded(tmp_path: Path) -> None:
    results.write(tmp_path / "new", {"a": 1.23456789, "b": [2, {"c": "x"}], "d": (0.1,)})

    assert results.read(tmp_path / "new") == {"a": 1.2346, "b": [2, {"c": "x"}], "d": [0.1]}


def test_page_and_pictures_tell_every_contender_and_every_section(tmp_path: Path) -> None:
    told = RESULTS | {
        "ratios": results.ratios(FIGURES), "against": results.best(FIGURES),
    }  # fmt: skip
    documents.write(tmp_path, told)

    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    for one in FIGURES.values():
        assert one["title"] in page
    assert "Not measured in this run: " in page
    assert "41 minutes; rounds of searches: 3." in page
    assert "**wrong**: 3 outcomes changed" in page
    assert "cpu **not kept**, memory kept" in page
    assert "| 0.98 | 0.9 | reached |" in page
    assert b"<svg" in (tmp_path / "throughput.svg").read_bytes()
    assert b"<svg" in (tmp_path / "linear.svg").read_bytes()


def test_the_same_results_give_the_same_bytes() -> None:
    told = RESULTS | {"ratios": {}, "against": {}}

    assert documents.documents(told) == documents.documents(told)


def test_a_mode_measured_later_stands_beside_the_others(tmp_path: Path) -> None:
    facts = {"machine": {"memory_gb": 25.123456}, "artefacts": {"cnn": "1"}}
    results.write(tmp_path, facts | {"command": "a", "one": 1, "linear": 2, "load": {"rounds": 3}})

    kept = results.beside(tmp_path, "one", facts | {"command": "b", "load": {"rounds": 1}})
    assert (kept["linear"], kept["load"], kept["command"]) == (2, {"rounds": 3}, "a; b")
    assert "one" not in kept
    assert "load" not in results.beside(tmp_path, "throughput", facts | {"command": "b"})


@pytest.mark.parametrize("fact", ["machine", "artefacts"])
def test_figures_of_another_machine_or_artefact_are_not_kept(tmp_path: Path, fact: str) -> None:
    facts = {"machine": {"cpus": 2}, "artefacts": {"cnn": "1"}, "command": "a"}
    results.write(tmp_path, facts | {"linear": 2})

    assert results.beside(tmp_path, "one", facts | {fact: {"another": 1}}) == {}
    assert results.beside(tmp_path / "none", "one", facts) == {}


@committed
def test_committed_results_have_what_was_asked_for() -> None:
    found = results.read(FOLDER)

    assert set(found["ratios"]) == set(results.RATIOS)
    assert set(found["contenders"]) == set(NAMES)
    assert found["load"]["p99_seconds"] == P99_SECONDS
    assert {"one", "front", "overload", "linear"} <= set(found)
    ours = found["contenders"]["osteoserve"]
    assert {"front", "cnn", "vgg16", "resnet", "stack"} <= set(ours["cpu_seconds_per_image"])
    for one in found["contenders"].values():
        assert "error" in one or one["checked"]["answers"] > 0
        assert one["command"]
        assert one["versions"]


@committed
def test_committed_ratios_are_those_of_the_committed_figures() -> None:
    found = results.read(FOLDER)

    assert results.ratios(found["contenders"]) == pytest.approx(found["ratios"], rel=1e-3)


@committed
def test_page_and_pictures_are_those_of_the_committed_results() -> None:
    """`python -m loadtests.benchmark table --out docs/benchmarks` writes them anew."""
    for name, content in documents.documents(results.read(FOLDER)).items():
        assert (FOLDER / name).read_bytes() == content, name
