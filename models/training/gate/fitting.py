"""From examples to weights and limits: one line a fault, each fitted on few features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from models.gate import Limits, Lines, Reason, appearance, measurement
from models.gate.gate import LIMIT, MEASURED, SEEN
from models.training.gate.examples import Examples

SEEN_STRENGTH: Final = 1e-3
"""scikit-learn's C: 1764 features, hundreds of images."""

MEASURED_STRENGTH: Final = 0.1
FOLDS: Final = 5

WARNED_TARGET: Final = 0.03
"""Share of true scans that each finding may accompany where fault and no fault overlap."""

MISSED: Final = 0.1
"""Share of spoilt images that may lie nearer to true scans than what a limit is drawn from."""

Floats = NDArray[np.float32]
Rows = NDArray[np.bool_]
Scores = dict[Reason, Floats]


@dataclass(frozen=True, eq=False)
class Table:
    """:class:`Examples` as arrays, n long; ``spine`` is 1, 0 or NaN, ``faults`` "" for none."""

    kinds: NDArray[np.str_]
    groups: NDArray[np.str_]
    origins: NDArray[np.str_]
    faults: NDArray[np.str_]
    spine: Floats
    fitted: Rows
    appearances: Floats
    measurements: Floats
    centred: Floats

    @classmethod
    def of(cls, examples: Examples) -> Table:
        return cls(
            np.array(examples.kinds),
            np.array(examples.groups),
            np.array(examples.origins),
            np.array([fault or "" for fault in examples.faults]),
            np.array([np.nan if s is None else s for s in examples.spine], np.float32),
            np.array(examples.fitted),
            np.stack(examples.appearances),
            np.stack(examples.measurements),
            np.stack(examples.centred),
        )

    @property
    def true(self) -> Rows:
        """The scans as they came."""
        return np.asarray(self.kinds == "dxa")

    @property
    def generated(self) -> Rows:
        """What shares no group with anything that is fitted on."""
        return np.asarray(np.char.startswith(self.kinds, "held-out"))


def fit(table: Table, rows: Rows) -> Lines:
    """Fit every line on those of ``rows`` that it may learn from."""
    rows = rows & table.fitted
    seen = [_fit_spine(table, rows), _fit_direction(table, rows), _fit_area(table, rows)]
    used = table.measurements[rows]
    centre, spread = used.mean(0), used.std(0) + 1e-3
    scaled = np.clip((table.measurements - centre) / spread, -LIMIT, LIMIT)
    measured = [_fit_measured(table, rows, scaled, fault) for fault in MEASURED]
    return Lines(
        np.stack([weights for weights, _ in seen]).astype(np.float32),
        np.array([intercept for _, intercept in seen], np.float32),
        np.stack([weights for weights, _ in measured]).astype(np.float32),
        np.array([intercept for _, intercept in measured], np.float32),
        centre,
        spread,
    )


def _fit_spine(table: Table, rows: Rows) -> tuple[Floats, float]:
    rows = rows & ~np.isnan(table.spine)
    x, other = table.appearances[rows], table.spine[rows] < 0.5
    spread = x.std(0) + 0.05
    line = LogisticRegression(C=SEEN_STRENGTH, max_iter=2000, class_weight="balanced")
    line.fit(x / spread, other)
    return line.coef_[0] / spread, float(line.intercept_[0])


def _fit_direction(table: Table, rows: Rows) -> tuple[Floats, float]:
    """Fit each spine against itself upside down: only what differs between the two can count."""
    rows = rows & (table.spine > 0.5)
    upright = table.appearances[rows]
    differs = upright - appearance.turned(upright)
    spread = differs.std(0) + 0.05
    weight = _balanced(table.origins[rows])
    line = LogisticRegression(C=SEEN_STRENGTH, max_iter=2000, fit_intercept=False)
    line.fit(
        np.concatenate([differs, -differs]) / spread,
        np.repeat([0, 1], len(differs)),
        sample_weight=np.tile(weight, 2),
    )
    weights = (line.coef_[0] / spread).astype(np.float32)
    return weights - appearance.turned(weights), 0.0


def _fit_area(table: Table, rows: Rows) -> tuple[Floats, float]:
    rows = rows & (table.origins != "drawn")
    x, short = table.appearances[rows], table.faults[rows] == Reason.SCAN_AREA
    spread = x.std(0) + 0.05
    line = LogisticRegression(C=SEEN_STRENGTH, max_iter=2000)
    line.fit(x / spread, short, sample_weight=_balanced(table.origins[rows], short))
    return line.coef_[0] / spread, float(line.intercept_[0])


def _fit_measured(table: Table, rows: Rows, scaled: Floats, fault: Reason) -> tuple[Floats, float]:
    if fault is not Reason.BURNED_IN_SHEET:
        # Views turned and shrunk have black corners and blurred grain: faults of their own.
        rows = rows & (table.origins != "drawn") & (table.kinds != "dxa, moved")
    columns = [measurement.NAMES.index(name) for name in measurement.DETECTED_BY[fault]]
    spoilt = table.faults[rows] == fault
    line = LogisticRegression(C=MEASURED_STRENGTH, max_iter=2000)
    line.fit(scaled[rows][:, columns], spoilt, sample_weight=_balanced(table.origins[rows], spoilt))
    weights = np.zeros(len(measurement.NAMES), np.float32)
    weights[columns] = line.coef_[0]
    return weights, float(line.intercept_[0])


def _balanced(origins: NDArray[np.str_], spoilt: Rows | None = None) -> NDArray[np.float64]:
    """Return weights of mean 1 that make every origin and either answer count alike."""
    yes = np.zeros(len(origins), np.int64) if spoilt is None else spoilt.astype(np.int64)
    cells = np.unique(origins, return_inverse=True)[1] * 2 + yes
    counts = np.bincount(cells)
    weights = 1.0 / counts[cells]
    return np.asarray(weights * len(weights) / weights.sum())


def folds(table: Table, seed: int) -> NDArray[np.int64]:
    """Return the fold of each row, −1 for what shares no group with anything fitted."""
    fold = np.full(len(table.kinds), -1)
    used = np.flatnonzero(~table.generated)
    split = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for number, (_, held_out) in enumerate(
        split.split(used, table.kinds[used], table.groups[used])
    ):
        fold[used[held_out]] = number
    return fold


def cross_scores(table: Table, fold: NDArray[np.int64], whole: Lines) -> tuple[Scores, Floats]:
    """Return each row's scores by lines that have seen nothing of its group.

    The second is that of the centred image to be no spine.
    """
    centred = np.full(len(fold), np.nan, np.float32)
    found = {fault: np.full(len(fold), np.nan, np.float32) for fault in (*SEEN, *MEASURED)}
    for number in np.unique(fold):
        rows = fold == number
        lines = whole if number < 0 else fit(table, ~rows & (fold >= 0))
        scores = lines.scores(table.appearances[rows], table.measurements[rows])
        for fault, values in scores.items():
            found[fault][rows] = values
        centred[rows] = lines.other_than_spine(table.centred[rows])
    return found, centred


def limits(table: Table, scores: Scores, rows: Rows) -> dict[Reason, Limits]:
    """Draw both limits of every fault from ``rows``.

    Where true scans and spoilt ones part, the middle between the two refuses, because other
    scanners differ from these images more than these among themselves. Where they overlap a
    refusal begins a quarter of the true scans' range beyond the last of them, and the most
    suspicious 3 % are findings. So no true scan is refused at its cross-fitted score: 2 % is the
    most that is allowed, not the aim, since every fault has its own chance to refuse in vain.
    """
    return {
        fault: _limits(fault, scores[fault][rows & table.true], scores[fault][spoilt])
        for fault, spoilt in ((f, rows & _spoilt(table, f)) for f in (*SEEN, *MEASURED))
    }


def _spoilt(table: Table, fault: Reason) -> Rows:
    if fault is Reason.NOT_SPINE_DXA:
        return np.asarray(table.spine == 0)
    if fault is Reason.BURNED_IN_SHEET:
        return np.asarray(table.kinds == "report sheet")
    return np.asarray((table.faults == fault) & (table.origins == "real"))


def _limits(fault: Reason, true: Floats, spoilt: Floats) -> Limits:
    last = float(true.max())
    nearest = float(np.quantile(spoilt, MISSED))
    if nearest > last:
        refuse = (last + nearest) / 2
        warn = (last + refuse) / 2
    else:
        refuse = last + (last - float(np.median(true))) / 4
        warn = float(np.quantile(true, 1 - WARNED_TARGET))
    return Limits(warn, refuse) if fault.refuses else Limits(warn, None)
