"""``python -m models evaluate-progression``: does the card of progression tell the truth?

The held-out patients are drawn again from the seed that the manifest names, every model is asked
again, and what comes out is held against the manifest. Two minutes on one busy core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from models import artifact
from models.cohort import table
from models.cohort.cohort import cohort, digest
from models.cohort.parameters import HELD_OUT
from models.evaluation import progression as evaluation
from models.evaluation import tables
from models.manifest import Estimate, ProgressionManifest
from models.progression import loading
from models.progression.mixed import Mixed


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, help="a site's visits (docs/progression.md) to judge instead"
    )


def run(options: argparse.Namespace) -> int:
    """Print every figure; exit status 1 where one is not what the manifest says."""
    found = artifact.load(loading.NAME)
    facts = found.facts(ProgressionManifest)
    models = evaluation.candidates(
        Mixed(**facts.mixed.model_dump()), loading.recurrent(found), facts.widening
    )
    told = facts.cohorts["judged"]
    seed = int(found.manifest["seed"])
    if options.data is not None:
        patients = table.read(options.data)
    elif told.seed is None:
        raise artifact.ArtifactError("this model was made of a site's visits: name them by --data")
    else:
        patients = cohort(told.seed, told.patients, HELD_OUT)
    is_same = digest(patients) == told.digest
    again = evaluation.figures(models, patients, seed)
    rows, differ = [], []
    for name, value in again.metrics.items():
        kept = facts.metrics.get(name)
        rows.append([name, str(value), "–" if kept is None or not is_same else str(kept)])
        if is_same and not _alike(value, kept):
            differ.append(name)
    print(tables.table(["figure", "now", "in the manifest"], rows))
    print(f"\n{again.judged} patients; {again.chosen} is better, {facts.chosen} is served.")
    if not is_same:
        print("These are other patients than those of the manifest.")
        return 1 if options.data is None else 0
    for name in differ:
        print(f"differs: {name}")
    return 1 if differ or again.chosen != facts.chosen else 0


def _alike(one: Estimate, other: Estimate | None) -> bool:
    """Compare as printed: sums differ in their last digits from processor to processor."""
    if other is None or one.value is None or other.value is None:
        return other is not None and one.value == other.value
    return abs(one.value - other.value) < 2e-3
