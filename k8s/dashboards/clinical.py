"""What came out, what was refused, and whether images and scores still look as they did.

Counts of installations, nothing of any patient. Research use only.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from k8s.dashboards.board import board, lines, numbers, of, rate, share
from k8s.rules.symptoms import DRIFT_INDEX
from service.predictions.metrics import (
    DEGRADED,
    DRIFT_WINDOW,
    FILES_UNREADABLE,
    PREDICTIONS,
    REFUSED,
    SCORE,
    STABILITY_INDEX,
    STATISTICS,
)

HOUR = "1h"


def build() -> Dashboard:
    judged = rate(PREDICTIONS, 'outcome!="refused"', window=HOUR)
    every = rate(PREDICTIONS, window=HOUR)
    return board(
        "clinical",
        "clinical view",
        {
            "Outcomes": [
                lines(
                    "Predictions an hour, by outcome",
                    "short",
                    "Indeterminate: within the band in which no answer is given.",
                    {"{{outcome}}": f"3600 * sum by (outcome) ({every})"},
                ),
                lines(
                    "Share of outcomes among images that were judged",
                    "percentunit",
                    "Over an hour.",
                    {"{{outcome}}": f"sum by (outcome) ({judged}) / scalar(sum({judged}))"},
                ),
                lines(
                    "Median and tenths of scores",
                    "percentunit",
                    "Calibrated probability, of answers that are not degraded.",
                    {
                        f"{level:.0%}": f"histogram_quantile({level}, "
                        f"sum by (le) ({rate(f'{SCORE}_bucket', window=HOUR)}))"
                        for level in (0.1, 0.5, 0.9)
                    },
                ),
                lines(
                    "Answers without a model, an hour",
                    "short",
                    "By the model that was missing.",
                    {"{{missing}}": f"3600 * sum by (missing) ({rate(DEGRADED, window=HOUR)})"},
                ),
            ],
            "Refused and unreadable": [
                lines(
                    "Refused, by reason, an hour",
                    "short",
                    "One image may have several reasons.",
                    {"{{reason}}": f"3600 * sum by (reason) ({rate(REFUSED, window=HOUR)})"},
                ),
                lines(
                    "Share of images that are refused",
                    "percentunit",
                    "Over an hour.",
                    {"refused": share(rate(PREDICTIONS, 'outcome="refused"', window=HOUR), every)},
                ),
                lines(
                    "Files that cannot be read, by code, an hour",
                    "short",
                    "Answered with a 4xx.",
                    {"{{code}}": f"3600 * sum by (code) ({rate(FILES_UNREADABLE, window=HOUR)})"},
                ),
            ],
            "Drift": [
                numbers(
                    "Population stability index",
                    "short",
                    f"Against what the models were made with. From {DRIFT_INDEX} on significant.",
                    {"{{statistic}}": f"max by (statistic) ({of(STABILITY_INDEX)})"},
                    bad_from=DRIFT_INDEX,
                ),
                lines(
                    "Population stability index, over time",
                    "short",
                    "Of the last images of each front.",
                    {"{{statistic}}": f"max by (statistic) ({of(STABILITY_INDEX)})"},
                ),
                lines(
                    "Images compared",
                    "short",
                    "With too few of them the index is not told.",
                    {"{{statistic}}": f"min by (statistic) ({of(DRIFT_WINDOW)})"},
                ),
                *(
                    lines(
                        f"Median and tenths of {name}",
                        "percentunit",
                        "Of accepted images, of the range from black to white.",
                        {
                            f"{level:.0%}": f"histogram_quantile({level}, sum by (le) "
                            f"({rate(f'{metric}_bucket', window=HOUR)}))"
                            for level in (0.1, 0.5, 0.9)
                        },
                    )
                    for name, metric in STATISTICS.items()
                ),
            ],
        },
    )
