"""The card of the model of progression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models.evaluation.tables import table

TITLES: Final = {
    "last": "last value",
    "drift": "last value and the drift of age and sex",
    "mixed": "linear mixed model",
    "recurrent": "recurrent network (GRU) over the mixed model",
}

USE: Final = """\
## Intended use

Research use only. Not cleared by any authority and not a diagnosis. For the lumbar spine's BMD of
adults with three or more scans of one machine and the same vertebrae, up to five years ahead, while
the treatment of the last visit goes on. Nothing is converted between machines, and no forecast
decides a treatment or the date of another scan.
"""

LIMITS: Final = """\
## Limits

- {provenance}
- Raloxifene and hormones are unknown to it, and so are glucocorticoids and diseases of bone.
- The spine alone: hip and forearm go otherwise. Degeneration raises the spine's BMD and hides loss.
- An interval says where a *scan* of the same machine would be, nine times of ten on patients like
  those it was made on.
"""


def text(facts: Mapping[str, Any]) -> str:
    """Return the card as Markdown."""
    told = facts["metrics"]
    won = facts["chosen"] == "recurrent"
    rows = [
        [
            TITLES[name],
            _grams(told[f"error_{name}"]),
            _percent(told.get(f"better_than_last_{name}")),
            _percent(told.get(f"coverage_{name}")),
        ]
        for name in TITLES
    ]
    horizons = [
        [
            f"to {years} years",
            *(_percent(told[f"coverage_{name}_to_{years}"]) for name in ("mixed", "recurrent")),
        ]
        for years in ("1.5", "3", "5")
    ]
    beside = table(
        ["recurrent network against", "mean absolute error less by"],
        [
            [TITLES[name], _percent(told[f"recurrent_better_than_{name}"])]
            for name in ("last", "drift", "mixed")
        ],
    )
    said = (
        "Served: the recurrent network. Its mean absolute error is less than that of every "
        "baseline, with intervals (95 %, bootstrap by patient) that exclude nought:"
        if won
        else "Served: the linear mixed model. The recurrent network is **not** served, because it "
        "did not beat every baseline with an interval (95 %, bootstrap by patient) that excludes "
        "nought:"
    )
    head = ["model", "mean absolute error, g/cm²", "less than last value", "intervals hold (90 %)"]
    parts = [
        "# Progression: how the spine's BMD goes on between visits",
        USE.rstrip(),
        f"## How good it is{' – SYNTHETIC' if facts['simulated'] else ''}",
        f"{facts['judged']} patients whom nothing was learnt from, one later scan each, chosen by "
        "chance. `python -m models evaluate-progression` gives these figures again.",
        table(head, rows),
        said,
        beside,
        table(["intervals hold, ahead", "mixed", "recurrent"], horizons),
        *_reached(facts),
        "## Made of",
        _cohorts(facts),
        LIMITS.format(provenance=facts["provenance"]).rstrip(),
    ]
    return "\n\n".join(parts) + "\n"


def _reached(facts: Mapping[str, Any]) -> list[str]:
    if not facts["reached"]:
        return []
    rows = [
        [
            str(one["years"]),
            f"{one['truly']:.1%}",
            f"{one['said']:.1%}",
            f"{one['brier']:.3f}",
            f"{one['brier_of_share']:.3f}",
        ]
        for one in facts["reached"]
    ]
    head = ["within years", "truly", "said on average", "Brier score", "Brier of saying the share"]
    return [
        "Reaching T = −2.5, of those above it, whatever becomes of their treatment:",
        table(head, rows),
    ]


def _cohorts(facts: Mapping[str, Any]) -> str:
    return table(
        ["cohort", "patients", "seed", "digest"],
        [
            [name, str(one["patients"]), str(one["seed"] or "–"), one["digest"][:19]]
            for name, one in facts["cohorts"].items()
        ],
    )


def _grams(one: Mapping[str, float]) -> str:
    return f"{one['value']:.4f} ({one['low']:.4f}–{one['high']:.4f})"


def _percent(one: Mapping[str, float] | None) -> str:
    if one is None or one["value"] is None:
        return "–"
    return f"{one['value']:.1%} ({one['low']:.1%}–{one['high']:.1%})"
