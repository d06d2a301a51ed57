"""One file, judged, kept and counted: what a page, a request and a batch have in common."""

from __future__ import annotations

from service import tracing
from service.analysis import Analyser
from service.metrics import Metrics
from service.prediction import Prediction
from service.storage import Predictions


class Judging:
    def __init__(self, analyser: Analyser, predictions: Predictions, metrics: Metrics) -> None:
        self._analyser = analyser
        self._predictions = predictions
        self._metrics = metrics

    async def __call__(self, data: bytes) -> Prediction:
        """Return the stored prediction on the file ``data``.

        Raises :class:`models.errors.ScanError`, :class:`~service.analysis.AnalysisError` or
        :class:`~service.storage.StorageUnavailableError`; then nothing is kept.
        """
        with tracing.span("judge"):
            prediction, png = await self._analyser.analyse(data)
        await self._predictions.add(prediction, png)
        self._metrics.prediction(prediction.outcome, prediction.degraded)
        return prediction
