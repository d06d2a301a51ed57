"""One file, judged, kept and counted: what a page, a request and a batch have in common."""

from __future__ import annotations

from models.errors import ScanError
from service import idempotency, tracing
from service.analysis import Analyser
from service.drift import Drift
from service.metrics import Metrics
from service.prediction import Prediction
from service.priority import Priority
from service.storage import Predictions


class Judging:
    def __init__(
        self, analyser: Analyser, predictions: Predictions, metrics: Metrics, drift: Drift
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
        one used for another file raises :class:`~service.idempotency.KeyReusedError`.

        Raises :class:`models.errors.ScanError`, :class:`~service.analysis.AnalysisError` or
        :class:`~service.storage.StorageError`; then nothing is kept.
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
