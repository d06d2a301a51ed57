"""Tables say what the evaluation says, and what it does not know."""

from __future__ import annotations

from dataclasses import replace

from models.evaluation import tables
from models.evaluation.published import REASON
from models.evaluation.schema import Evaluation, Leak
from models.inference import stack
from models.types import BASES
from tests.models.evaluation import invented

LEAK = Leak(0.987, 0.954, 0.812, 0.743, "Invented.")


def rows(markdown: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in markdown.splitlines()
        if line.startswith("|") and not line.startswith("|-")
    ]


def test_a_table_lines_up_in_a_terminal() -> None:
    lines = tables.table(["a", "longer"], [["wide cell", 1], ["x", 22]]).splitlines()

    assert len({len(line) for line in lines}) == 1
    assert rows("\n".join(lines))[1:] == [["wide cell", "1"], ["x", "22"]]


def test_the_report_holds_every_model_every_subset_and_every_figure(
    evaluation: Evaluation,
) -> None:
    said = tables.report(evaluation, ["roc.svg"])

    found = {row[0]: row[1:] for row in rows(said)}
    for name in tables.TITLES.values():
        assert len(found[name]) == len(BASES) + 1
    for names in stack.subsets():
        assert (" + ".join(names) if len(names) > 1 else f"{names[0]} alone") in found
    assert found["AUROC"][-1] == str(evaluation.stack.metrics["auroc"])
    assert "research use only" in said.lower()
    assert "![roc](roc.svg)" in said


def test_no_subgroup_known_is_said_and_not_passed_over(evaluation: Evaluation) -> None:
    assert "Not known" in tables.report(evaluation)


def test_a_subgroup_has_a_row_of_its_own() -> None:
    total = sum(invented.COUNTS.values())
    said = tables.report(invented.evaluated({"sex": ("female", "male") * (total // 2)}))

    assert "sex female" in {row[0] for row in rows(said)}
    assert "Not known" not in said


def test_published_figures_come_with_the_reason_and_the_leak(evaluation: Evaluation) -> None:
    leaky = replace(evaluation, leak=LEAK)

    said = tables.report(leaky)

    assert REASON in said
    assert "0.954" in said
    assert "0.743" in said
    assert ["CNN", "97%"] in [row[:2] for row in rows(said)]
    assert Evaluation.from_bytes(leaky.to_bytes()).leak == LEAK
    assert "was not measured" in tables.report(evaluation)


def test_refused_images_are_counted_apart(evaluation: Evaluation) -> None:
    data = replace(evaluation.data, refused_images=3, refused={"too_small": 1, "low_contrast": 3})

    said = tables.report(replace(evaluation, data=data))

    assert "3 more images were refused" in said
    assert "1 too_small, 3 low_contrast" in said


def test_figures_on_training_images_are_called_memory(evaluation: Evaluation) -> None:
    assert "remember" in tables.report(replace(evaluation, source="training"))
    assert "remember" not in tables.report(evaluation)
