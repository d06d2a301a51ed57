"""The one-page PDF of a stored result, with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import anyio.to_thread

from service.exams.service import Exams
from service.identity.actor import Actor
from service.medicine.modalities.settings import ModalitySettings
from service.medicine.morphometry.service import Morphometry
from service.predictions.contexts import ResultPage
from service.predictions.heat_maps.service import Explainer
from service.predictions.report import render
from service.predictions.schemas import Prediction
from service.predictions.service import Predictions
from service.reviews.service import Reviews


@dataclass(frozen=True, eq=False)
class Sheets:
    """Gathers what stands on a result's sheet, and has it drawn in the current language."""

    predictions: Predictions
    reviews: Reviews
    exams: Exams
    explainer: Explainer
    limits: ModalitySettings
    morphometry: Morphometry

    async def pdf(self, actor: Actor, prediction: Prediction) -> bytes:
        """Return the sheet of ``prediction``.

        Heat maps that cannot be had at the moment, or failed their check, are not on it. Raises
        :class:`~service.storage.errors.StorageError`.
        """
        scan = await self.predictions.image(actor, prediction.id)
        shown = ResultPage.of(
            prediction,
            reviews=await self.reviews.of(actor, prediction.id),
            exam=await self.exams.get(actor, prediction.id),
            pictured=scan is not None,
            points=await self.morphometry.of(actor, prediction.id),
            limits=self.limits,
        )
        if actor.session is not None and actor.session.glass is not None:
            shown = replace(shown, broken=str(actor.session.glass.id))
        offered = [one.model for one in shown.maps if one.address]
        maps = await self.explainer.heat_maps(actor, prediction, offered)
        sent = await self.predictions.sent(actor, prediction.id)
        return await anyio.to_thread.run_sync(partial(render, prediction, shown, scan, maps, sent))
