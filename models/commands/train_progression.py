"""``python -m models train-progression``: how BMD goes on, from simulated visits or a site's own.

On one busy core it takes ten minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from models.cohort import table


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, help="a site's visits (docs/progression.md); simulated without"
    )
    parser.add_argument("--out", type=Path, default=Path("var/artifacts"))
    parser.add_argument("--provenance", help="a sentence for the card: whose visits these are")
    parser.add_argument("--seed", type=int, default=2026)


def run(options: argparse.Namespace) -> int:
    """Train and serve from ``--out``, and print the card."""
    from models.training.progression import training  # noqa: PLC0415 - TensorFlow takes seconds

    if options.data is None:
        cohorts = training.simulated(options.seed)
    else:
        cohorts = training.divided(table.read(options.data), options.seed)
    provenance = options.provenance
    if options.data is not None and provenance is None:
        provenance = "A site's own visits, of which nothing else was said."
    written = training.train(cohorts, options.out, options.seed, provenance)
    print(written.path("card.md").read_text(encoding="utf-8"), end="")
    return 0
