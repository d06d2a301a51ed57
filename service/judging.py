"""One file, judged, kept and counted: what a page, a request and a batch have in common."""

from __future__ import annotations

from models.errors import ScanError
from service.analysis import Analyser
from service.drift import Drift
from service.metrics import Metrics
from service.prediction import Prediction
from service.storage import Predictions


class Judging:
    def __init__(
        self, analyser: Analyser, predictions: Predictions, metrics: Metrics, drift: Drift
    ) -> None:
        self._analyser = analyser
        self._predictions = predictions
        self._metrics = metrics
        self._drift = drift

    async def __call__(self, data: bytes) -> Prediction:
        """Return the stored prediction on the file ``data``.

        Raises :class:`models.errors.ScanError`, :class:`~service.analysis.AnalysisError` or
        :class:`~service.storage.StorageUnavailableError`; then nothing is kept.
        """
        try:
            prediction, png = await self._analyser.analyse(data)
        except ScanError as error:
            self._metrics.unreadable(error)
            raise
        await self._predictions.add(prediction, png)
        self._metrics.prediction(prediction)
        self._drift.prediction(prediction)
        return prediction
