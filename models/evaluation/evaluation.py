"""An evaluation, of reports on the base models and on the stack's subsets."""

from __future__ import annotations

from collections.abc import Mapping

from models.dataset import Dataset
from models.evaluation import metrics
from models.evaluation.published import CLAIMS
from models.evaluation.report import judge
from models.evaluation.schema import Evaluation, Leak, Report, Source, Subgroup
from models.evaluation.scored import Scored
from models.evaluation.subgroups import subgroups
from models.inference.stack import key
from models.manifest import DataFacts
from models.types import BASES


def evaluate(
    bases: Mapping[str, Scored],
    subsets: Mapping[str, Scored],
    data: Dataset,
    facts: DataFacts,
    source: Source,
    leak: Leak | None = None,
    resamples: int = metrics.RESAMPLES,
) -> Evaluation:
    """Return the evaluation on ``data`` of ``bases`` (name → what it answered) and the stack's
    ``subsets`` (key → …)."""
    reports = {name: judge(scored, data, resamples) for name, scored in bases.items()}
    combined = {name: judge(scored, data, resamples) for name, scored in subsets.items()}
    return assemble(
        reports,
        combined,
        facts,
        source,
        subgroups(subsets[key(BASES)], data, resamples),
        leak,
    )


def assemble(
    bases: Mapping[str, Report],
    subsets: Mapping[str, Report],
    facts: DataFacts,
    source: Source,
    cells: tuple[Subgroup, ...],
    leak: Leak | None,
) -> Evaluation:
    """Return the evaluation of reports that were made one by one."""
    return Evaluation(
        source=source,
        data=facts,
        models={**bases, **{name: r for name, r in subsets.items() if name not in bases}},
        alone={name: r for name, r in subsets.items() if name in bases},
        subgroups=cells,
        leak=leak,
        published=CLAIMS,
    )
