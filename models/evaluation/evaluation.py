"""All that is said of the models' quality on one set of images: evaluation.json and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from models.dataset import Dataset
from models.evaluation import metrics
from models.evaluation.curves import Curves, PrecisionRecall, Reliability, Roc
from models.evaluation.metrics import Confusion
from models.evaluation.published import CLAIMS, Claim
from models.evaluation.report import Outcomes, Report, judge
from models.evaluation.scored import Scored
from models.evaluation.subgroups import Subgroup, subgroups
from models.inference.stack import key
from models.types import BASES

FORMAT: Final = 1
FILE: Final = "evaluation.json"

Source = Literal["cross-validation", "held-out", "training"]
"""``training``: the models had seen these very images, and the figures only show that they remember
them. No artefact is written from such an evaluation."""


@dataclass(frozen=True)
class DataFacts:
    """What was scored. ``folds`` and ``seed`` are of a cross-validation.

    ``counts`` and ``groups`` are of the images that got a probability. The gate refused
    ``refused_images`` more, for reasons counted in ``refused``: an image may have several.
    """

    provenance: str
    digest: str
    counts: Mapping[str, int]
    groups: int
    folds: int | None = None
    seed: int | None = None
    refused_images: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Leak:
    """What a random split after augmentation gives, and the same model split by group first."""

    auroc: float
    accuracy: float
    grouped_auroc: float
    grouped_accuracy: float
    description: str


@dataclass(frozen=True)
class Evaluation:
    """``models``: the base models, then the stack's subsets of two or more, the whole one first.

    ``alone``: what the stack answers when only that base model is left; its names are the base
    models', so it has a place of its own. ``subgroups`` are of the whole stack.
    """

    source: Source
    data: DataFacts
    models: Mapping[str, Report]
    alone: Mapping[str, Report]
    subgroups: tuple[Subgroup, ...]
    leak: Leak | None
    published: tuple[Claim, ...] = CLAIMS

    @property
    def stack(self) -> Report:
        """The report on the stack with every base model present."""
        return self.models[key(BASES)]

    def to_bytes(self) -> bytes:
        """Return the JSON; the same evaluation gives the same bytes."""
        content = {"format": FORMAT, **asdict(self)}
        return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Evaluation:
        """Raises :class:`ValueError` when ``data`` is no evaluation of this format."""
        try:
            return _read(json.loads(data))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an evaluation of format {FORMAT}: {error}") from error


def evaluate(
    bases: Mapping[str, Scored],
    subsets: Mapping[str, Scored],
    data: Dataset,
    facts: DataFacts,
    source: Source,
    leak: Leak | None = None,
    resamples: int = metrics.RESAMPLES,
) -> Evaluation:
    """Judge ``bases`` (name → what it said) and the stack's ``subsets`` (key → …) on ``data``."""
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
    )


def _read(content: Mapping[str, Any]) -> Evaluation:
    if content["format"] != FORMAT:
        raise ValueError(f"evaluation of format {content['format']}; {FORMAT} is allowed")
    leak = content["leak"]
    return Evaluation(
        source=content["source"],
        data=DataFacts(**content["data"]),
        models={name: _report(found) for name, found in content["models"].items()},
        alone={name: _report(found) for name, found in content["alone"].items()},
        subgroups=tuple(Subgroup(**cell) for cell in content["subgroups"]),
        leak=None if leak is None else Leak(**leak),
        published=tuple(Claim(**claim) for claim in content["published"]),
    )


def _report(content: Mapping[str, Any]) -> Report:
    low, high = content["band"]
    drawn = content["curves"]
    return Report(
        metrics=content["metrics"],
        threshold=content["threshold"],
        band=(low, high),
        curves=Curves(
            Roc(**_tuples(drawn["roc"])),
            PrecisionRecall(**_tuples(drawn["precision_recall"])),
            Reliability(**_tuples(drawn["reliability"])),
        ),
        confusion=Confusion(**content["confusion"]),
        classes={label: Outcomes(**row) for label, row in content["classes"].items()},
    )


def _tuples(lists: Mapping[str, list[Any]]) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(values) for name, values in lists.items()}
