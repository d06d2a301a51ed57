"""Metrics of predictions, and of the images behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from models.drift.statistics import Statistic
from models.gate import Reason
from models.image.errors import ScanError
from service.predictions.schemas import Prediction
from service.types import PARTS, Outcome

PREDICTIONS: Final = "osteoserve_predictions_total"
REFUSED: Final = "osteoserve_predictions_refused_total"
DEGRADED: Final = "osteoserve_predictions_degraded_total"
FILES_UNREADABLE: Final = "osteoserve_files_unreadable_total"
SCORE: Final = "osteoserve_prediction_score_ratio"
STABILITY_INDEX: Final = "osteoserve_drift_stability_index"
DRIFT_WINDOW: Final = "osteoserve_drift_window_images"
STATISTICS: Final[Mapping[Statistic, str]] = {
    name: f"osteoserve_image_{name}_ratio" for name in get_args(Statistic)
}

SCORE_BUCKETS: Final = tuple(round(0.1 * step, 1) for step in range(1, 11))
STATISTIC_BUCKETS: Final[dict[Statistic, tuple[float, ...]]] = {
    "brightness": (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.75),
    "contrast": (0.1, 0.15, 0.2, 0.225, 0.25, 0.275, 0.3, 0.35, 0.4),
    "detail": (0.01, 0.02, 0.03, 0.04, 0.045, 0.05, 0.055, 0.06, 0.08),
}
_MEANINGS: Final[dict[Statistic, str]] = {
    "brightness": "Mean grey",
    "contrast": "Standard deviation of grey",
    "detail": "Mean step from row to row",
}
_OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)


class PredictionMetrics:
    """Series that are known beforehand begin at zero, so that rates see their first event."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._predictions = Counter(
            PREDICTIONS,
            "Predictions stored, by outcome and whether a model was missing.",
            ("outcome", "degraded"),
            registry=registry,
        )
        self._refused = Counter(
            REFUSED,
            "Images refused as not usable, by reason; one image may have several.",
            ("reason",),
            registry=registry,
        )
        self._missing = Counter(
            DEGRADED,
            "Predictions stored without a model that belongs to them, by that model.",
            ("missing",),
            registry=registry,
        )
        self._unreadable = Counter(
            FILES_UNREADABLE,
            "Files that could not be read as a scan, by code.",
            ("code",),
            registry=registry,
        )
        self._score = Histogram(
            SCORE,
            "Calibrated probability of osteoporosis of predictions that are not degraded.",
            buckets=SCORE_BUCKETS,
            registry=registry,
        )
        self._statistics = {
            name: Histogram(
                STATISTICS[name],
                f"{meaning} of accepted images, of the range from black to white.",
                buckets=STATISTIC_BUCKETS[name],
                registry=registry,
            )
            for name, meaning in _MEANINGS.items()
        }
        self._stability = Gauge(
            STABILITY_INDEX,
            "Population stability index of the last images against the models' reference.",
            ("statistic",),
            registry=registry,
        )
        self._window = Gauge(
            DRIFT_WINDOW,
            "Images that the stability index would be told of now.",
            ("statistic",),
            registry=registry,
        )
        for outcome in _OUTCOMES:
            for degraded in ("false",) if outcome == "refused" else ("false", "true"):
                self._predictions.labels(outcome, degraded)
        for reason in Reason:
            if reason.refuses:
                self._refused.labels(reason.value)
        for missing in PARTS:
            self._missing.labels(missing)
        self._unreadable.labels(ScanError.code)
        for error in ScanError.__subclasses__():
            self._unreadable.labels(error.code)

    def prediction(self, prediction: Prediction) -> None:
        self._predictions.labels(prediction.outcome, str(prediction.degraded).lower()).inc()
        for reason in prediction.quality.reasons:
            self._refused.labels(reason).inc()
        for missing in prediction.missing:
            self._missing.labels(missing).inc()
        if prediction.probability is not None and not prediction.degraded:
            self._score.observe(prediction.probability)

    def unreadable(self, error: ScanError) -> None:
        self._unreadable.labels(error.code).inc()

    def image(self, statistics: Mapping[Statistic, float]) -> None:
        for name, value in statistics.items():
            self._statistics[name].observe(value)

    def drift(self, statistic: str, images: int, index: float | None) -> None:
        """``index`` is None while there are too few images to tell."""
        self._window.labels(statistic).set(images)
        if index is not None:
            self._stability.labels(statistic).set(index)
