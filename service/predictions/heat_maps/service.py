"""Heat maps on request: asked of the model that voted, once, and then kept.

::

    ExplanationError
    ├── NoHeatMapError          the model has none for this image
    ├── ModelChangedError       another version answers now; its map would explain another vote
    └── ModelUnavailableError   the model does not answer; safe to ask again
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress

from models.image import recipe
from service.errors import CodedError
from service.flow.deadline import Deadline
from service.flow.settings import LoadPolicy
from service.identity.actor import Actor
from service.predictions import repository as predictions
from service.predictions.events import HeatMapMade
from service.predictions.heat_maps import repository
from service.predictions.heat_maps.schemas import HeatMap
from service.predictions.schemas import Prediction
from service.runners.client import RunnerError, RunnerMismatchError
from service.runners.pool import RunnerPool
from service.storage.errors import StorageFullError
from service.storage.transaction import Transaction, Transactions
from service.types import MAPPED, RUNNER_OF, BaseName, RunnerName


class ExplanationError(CodedError):
    """There is no heat map to show; the detail says why and holds nothing of the image."""


class NoHeatMapError(ExplanationError):
    code = "no_heat_map"


class ModelChangedError(ExplanationError):
    code = "model_changed"


class ModelUnavailableError(ExplanationError):
    code = "model_unavailable"


class Explainer:
    def __init__(self, load: LoadPolicy, runners: RunnerPool, transactions: Transactions) -> None:
        self._load = load
        self._runners = runners
        self._transactions = transactions

    async def heat_map(self, actor: Actor, prediction: Prediction, model: BaseName) -> HeatMap:
        """Return the map of ``model`` for the vote that it cast in ``prediction``.

        Raises :class:`ExplanationError`, or
        :class:`~service.storage.errors.StorageError`.
        """
        vote = prediction.models.get(model)
        if vote is None:
            raise NoHeatMapError("The model cast no vote on this image.")
        if model not in MAPPED:
            raise NoHeatMapError("The model measures and draws none; its vote has measurements.")
        async with self._transactions.read() as connection:
            kept = await repository.get(connection, prediction.id, model)
            if kept is not None:
                return kept
            png = await predictions.image(connection, actor.within, prediction.id)
        if png is None:
            raise NoHeatMapError("The image is no longer kept.")
        made = await self._ask(prediction, model, png)
        if made.version != vote.version:
            raise ModelChangedError("The model has been replaced since it cast this vote.")
        with suppress(StorageFullError):
            # What cannot be kept can still be shown.
            await self._keep(actor, prediction, made)
        return made

    async def out_of_reach(
        self, prediction: Prediction, down: Collection[RunnerName]
    ) -> frozenset[BaseName]:
        """Return the models that voted but cannot be asked now, as they are ``down``, nor were."""
        silent = frozenset(
            name for name in prediction.models if name in MAPPED and RUNNER_OF[name] in down
        )
        if not silent:
            return silent
        async with self._transactions.read() as connection:
            return silent - await repository.kept(connection, prediction.id)

    async def heat_maps(
        self, actor: Actor, prediction: Prediction, models: Collection[BaseName] = MAPPED
    ) -> dict[BaseName, HeatMap]:
        """Return every map of ``models`` that can be had now, for documents that take what there
        is."""

        async def asked(model: BaseName) -> HeatMap | None:
            try:
                return await self.heat_map(actor, prediction, model)
            except ExplanationError:
                return None

        found = await asyncio.gather(*(asked(model) for model in models))
        return {one.model: one for one in found if one is not None}

    async def _keep(self, actor: Actor, prediction: Prediction, made: HeatMap) -> None:
        async def work(transaction: Transaction) -> None:
            if await repository.add(transaction.connection, prediction.id, made):
                await transaction.emit(
                    HeatMapMade(actor=actor, prediction_id=prediction.id, model=made.model)
                )

        await self._transactions.write(work)

    async def _ask(self, prediction: Prediction, model: BaseName, png: bytes) -> HeatMap:
        if prediction.recipe != recipe.NAME:
            raise ModelChangedError("Images are prepared by another recipe since this vote.")
        deadline = Deadline.after(self._load.deadline_seconds)
        try:
            answer = await self._runners.explain(model, recipe.decode(png), deadline)
        except RunnerMismatchError:
            raise ModelChangedError("The model takes images of another recipe now.") from None
        except RunnerError:
            raise ModelUnavailableError(
                "The model does not answer now.", self._runners.retry_after
            ) from None
        if answer.map is None:
            raise NoHeatMapError("The model answered without a heat map.")
        return HeatMap(model=model, version=answer.version, rows=answer.map)
