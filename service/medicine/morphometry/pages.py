"""``/results/{id}/heights``: the page on which points are set, measured, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from models.vertebrae.morphometry import Graded
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problem_types import KINDS
from service.http.problems import translate
from service.identity.dependencies import Acting
from service.language.locale import _
from service.medicine.morphometry.api import proposals, signed_at
from service.medicine.morphometry.contexts import HeightsPage
from service.medicine.morphometry.dependencies import MorphometryDep
from service.medicine.morphometry.form import beside, parse, typed
from service.medicine.morphometry.kept import (
    KeptPoints,
    NotLateralError,
    may_be_lateral,
    version,
)
from service.medicine.morphometry.schemas import Points, PointsError
from service.medicine.morphometry.view import HeightsCard
from service.predictions.dependencies import PredictionDep, PredictionsDep
from service.predictions.schemas import Prediction
from service.predictions.viewer import View
from service.results import no_such_prediction
from service.storage.errors import ChangedError, StorageFullError, StorageUnavailableError
from service.web.dependencies import TemplatesDep
from service.web.templates import Templates

router = APIRouter(prefix="/results/{id}/heights", include_in_schema=False)

VERSION: Final = "version"
REMOVE: Final = "remove"
"""Names beside the vertebrae's in the form."""


@dataclass(frozen=True)
class Drawer:
    """Answers with the page of a result's heights."""

    request: Request
    prediction: Prediction
    view: View | None
    """The image as it was sent, in whose pixels points are; None where it is not kept."""
    kept: tuple[KeptPoints, ...]
    templates: Templates

    def page(
        self,
        sent: Mapping[str, str],
        status: int = 200,
        *,
        error: PointsError | None = None,
        seen: str | None = None,
        kept: tuple[KeptPoints, ...] | None = None,
        found: tuple[Graded, ...] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Response:
        """``sent``: the form's fields; ``seen``: the version that they were filled in over."""
        one, versions = self.prediction, self.kept if kept is None else kept
        page = HeightsPage.of(
            f"/results/{one.id}",
            self.view,
            sent,
            {fault.field: fault for fault in error.faults} if error else {},
            found,
            kept=HeightsCard.of(versions, signed_at(one)),
            lateral=may_be_lateral(one.outcome, one.quality.reasons),
            version=version(versions) if seen is None else seen,
            **more,
        )
        return self.templates.respond(self.request, page, status, {**NO_STORE, **(headers or {})})

    def points(self, sent: Mapping[str, str]) -> Points:
        """Return the points in the form's fields, of pixels as those that count were said to be.

        Raises :class:`~service.medicine.morphometry.schemas.PointsError`.
        """
        found = parse(sent)
        if not self.kept or not self.kept[-1].vertebrae:
            return found
        # The form does not ask for it: what a program has said of the pixels is not lost by it.
        return found.model_copy(update={"pixel_aspect": self.kept[-1].pixel_aspect})


async def drawer(
    request: Request,
    prediction: PredictionDep,
    actor: Acting,
    predictions: PredictionsDep,
    morphometry: MorphometryDep,
    templates: TemplatesDep,
) -> Drawer:
    sent = (await predictions.sent_places(actor, [prediction.id])).get(prediction.id)
    view = None if sent is None else View.of(prediction, sent)
    return Drawer(request, prediction, view, await morphometry.of(actor, prediction.id), templates)


DrawerDep = Annotated[Drawer, Depends(drawer)]


@router.get("")
async def form(
    on: DrawerDep,
    actor: Acting,
    predictions: PredictionsDep,
    propose: Annotated[bool, Query()] = False,
) -> Response:
    """``propose`` fills the form with points that are proposed for the image."""
    if propose:
        found = await proposals(predictions, actor, on.prediction.id)
        return on.page(typed(found.values()), proposed=True)
    return on.page(typed(on.kept[-1].vertebrae) if on.kept else {})


@router.post("")
async def measure(on: DrawerDep, sent: FormBody) -> Response:
    """Nothing is kept."""
    seen = sent.pop(VERSION, None)
    try:
        found = on.points(sent).graded()
    except PointsError as error:
        return on.page(sent, KINDS[error.code].status, error=error, seen=seen)
    return on.page(sent, found=found, seen=seen)


@router.post("/keep")
async def keep(
    on: DrawerDep,
    actor: Acting,
    predictions: PredictionsDep,
    morphometry: MorphometryDep,
    sent: FormBody,
) -> Response:
    """What is kept is shown by the page to which it leads."""
    seen = sent.pop(VERSION, None)
    removes = sent.pop(REMOVE, None) is not None
    points: Points | None = None
    id = on.prediction.id
    try:
        if not removes:
            points = on.points(sent)
        found = {} if points is None else await proposals(predictions, actor, id)
        now = await morphometry.keep(actor, id, points, found, None if seen is None else {seen})
    except PointsError as error:
        # The verb names vertebrae by their numbers, the form by their levels.
        named = error if points is None else beside(points, error)
        return on.page(sent, KINDS[error.code].status, error=named, seen=seen)
    except NotLateralError as error:
        trouble = _(translate(error).detail)
        return on.page(sent, KINDS[error.code].status, trouble=trouble)
    except ChangedError as error:
        # Sent once more it takes the place of what came meanwhile, which has been seen by then.
        trouble = _("Somebody else has kept points meanwhile.")
        status = KINDS[error.code].status
        return on.page(sent, status, kept=error.kept, trouble=trouble)
    except (StorageUnavailableError, StorageFullError) as error:
        problem = translate(error)
        status, trouble = problem.kind.status, _(problem.detail)
        return on.page(sent, status, seen=seen, trouble=trouble, headers=problem.headers)
    if now is None:
        raise no_such_prediction()
    # Loading the page again must not keep them again.
    return RedirectResponse(f"/results/{id}/heights#kept", 303)
