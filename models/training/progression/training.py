"""All of progression's models, judged, and the better one written to be served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import save

from models import artifact
from models.artifact import Artifact
from models.cohort.cases import cases, series_of
from models.cohort.cohort import NAME as SIMULATOR
from models.cohort.cohort import cohort, digest
from models.cohort.parameters import CALIBRATING, HELD_OUT, TRAINING
from models.cohort.patient import Patient
from models.cohort.table import VisitsError
from models.evaluation import progression as evaluation
from models.manifest import ProgressionManifest
from models.progression.forecast import LEAST_FOR_RATE
from models.progression.loading import NAME, WEIGHTS
from models.progression.series import Series
from models.training import repeatable
from models.training.progression import card, mixed, recurrent

PATIENTS: Final = {"learnt": 4000, "calibrated": 2500, "judged": 2500}
FEWEST: Final = 100
"""Patients with a case, of a site's own: with fewer no interval says anything."""
SIMULATED: Final = (
    f"Simulated patients ({SIMULATOR}): drawn from published figures (docs/domain.md §6), nobody's "
    "visits. The figures say how well the simulator is forecast, nothing of clinical accuracy."
)


@dataclass(frozen=True)
class Cohorts:
    """Three groups of patients without anybody in common."""

    learnt: Sequence[Patient]
    calibrated: Sequence[Patient]
    judged: Sequence[Patient]
    seed: int | None

    def facts(self) -> dict[str, Any]:
        offsets = {"learnt": 0, "calibrated": 1, "judged": 2}
        return {
            name: {
                "digest": digest(getattr(self, name)),
                "patients": len(getattr(self, name)),
                "seed": None if self.seed is None else self.seed + offset,
            }
            for name, offset in offsets.items()
        }


def simulated(seed: int, patients: Mapping[str, int] = PATIENTS) -> Cohorts:
    """Return cohorts of other seeds; those calibrated and judged on are of other ranges too."""
    return Cohorts(
        cohort(seed, patients["learnt"], TRAINING),
        cohort(seed + 1, patients["calibrated"], CALIBRATING),
        cohort(seed + 2, patients["judged"], HELD_OUT),
        seed,
    )


def divided(patients: Sequence[Patient], seed: int) -> Cohorts:
    """Return a site's patients in three: 60, 15 and 25 of a hundred."""
    if len({case.number for case in cases(patients)}) < FEWEST:
        raise VisitsError(
            f"fewer than {FEWEST} patients have three comparable visits and a later one: too few "
            "to learn from"
        )
    order = np.random.default_rng(seed).permutation(len(patients))
    first, second = int(0.6 * len(order)), int(0.75 * len(order))
    learnt, calibrated, judged = (
        [patients[k] for k in group] for group in np.split(order, [first, second])
    )
    return Cohorts(learnt, calibrated, judged, None)


def train(cohorts: Cohorts, root: Path, seed: int, provenance: str | None) -> Artifact:
    """Fit, calibrate, judge, write under ``root`` and serve; return what was written."""
    expected = mixed.fit(list(_series(cohorts.learnt)))
    network = recurrent.fit(expected, list(cases(cohorts.learnt)), seed)
    tried = evaluation.candidates(expected, network, {"mixed": 1.0, "recurrent": 1.0})
    one = evaluation.one_each(list(cases(cohorts.calibrated)), seed)
    judged = evaluation.judge(one, tried, expected)
    widening = {name: round(evaluation.widening(judged, name), 4) for name in tried}
    models = evaluation.candidates(expected, network, widening)
    found = asdict(evaluation.figures(models, cohorts.judged, seed))
    facts = {
        "mixed": asdict(expected),
        "widening": widening,
        "provenance": provenance or SIMULATED,
        "simulated": cohorts.seed is not None,
        "cohorts": cohorts.facts(),
        "seed": seed,
        "made_with": repeatable.facts(),
        **found,
    }
    files = {"card.md": card.text(facts).encode(), WEIGHTS: save(dict(network.weights))}
    written = artifact.write(root, NAME, facts, files, ProgressionManifest)
    artifact.serve(root, {NAME: written.version})
    return written


def _series(patients: Sequence[Patient]) -> Iterator[Series]:
    """Yield every series of two visits or more."""
    for patient in patients:
        done: set[tuple[str, tuple[str, ...]]] = set()
        for end in range(len(patient.visits), 1, -1):
            last = patient.visits[end - 1]
            if (last.machine, last.vertebrae) in done:
                continue
            done.add((last.machine, last.vertebrae))
            series, alike = series_of(patient, patient.visits[:end])
            if len(alike) >= LEAST_FOR_RATE:
                yield series
