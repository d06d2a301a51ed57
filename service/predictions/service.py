"""One file, judged, kept and counted: what a page, a request and a batch have in common."""

from __future__ import annotations

from models.image.errors import ScanError
from service.flow.priority import Priority
from service.http import idempotency_key as idempotency
from service.medicine.osteoporosis.pipeline import Pipeline
from service.observability import tracing
from service.predictions.drift import Drift
from service.predictions.metrics import PredictionMetrics
from service.predictions.repository import Predictions
from service.predictions.schemas import Prediction


class Judging:
    def __init__(
        self, analyser: Pipeline, predictions: Predictions, metrics: PredictionMetrics, drift: Drift
    ) -> None:
        self._analyser = analyser
        self._predictions = predictions
        self._metrics = metrics
        self._drift = drift

    async def __call__(
        self, data: bytes, priority: Priority = Priority.PERSON, key: str | None = None
    ) -> Prediction:
        """Return the stored prediction on the file ``data``.

        Under an idempotency ``key`` that was used for the same file, that is the one made then;
        one used for another file raises :class:`~service.http.idempotency_key.KeyReusedError`.

        Raises :class:`~models.image.errors.ScanError`,
        :class:`~service.medicine.osteoporosis.pipeline.AnalysisError` or
        :class:`~service.storage.errors.StorageError`; then nothing is kept.
        """
        if key is not None:
            earlier = await self._predictions.under(key)
            if earlier is not None:
                return idempotency.replayed(earlier, data)
        try:
            with tracing.span("judge"):
                prediction, png = await self._analyser.analyse(data, priority)
        except ScanError as error:
            self._metrics.unreadable(error)
            raise
        stored = await self._predictions.add(prediction, png, key)
        if stored.id != prediction.id:
            return idempotency.replayed(stored, data)
        self._metrics.prediction(prediction)
        self._drift.prediction(prediction)
        return prediction
