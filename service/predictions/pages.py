"""The page of one result, and what can be done with it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from service.errors import ServiceError
from service.exams.dependencies import ExamsDep
from service.exams.service import Exams
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problem_types import KINDS
from service.http.problems import translate
from service.identity.dependencies import Acting, acting
from service.identity.proving import ProverDep
from service.language.locale import N_, _
from service.medicine.modalities.dependencies import ModalitySettingsDep
from service.medicine.modalities.settings import ModalitySettings
from service.medicine.morphometry.dependencies import MorphometryDep
from service.medicine.morphometry.service import Morphometry
from service.medicine.osteoporosis.view import told
from service.predictions import viewer
from service.predictions.contexts import ResultPage
from service.predictions.dependencies import PredictionDep, PredictionsDep
from service.predictions.heat_maps.dependencies import ExplainerDep, HeatMapSettingsDep
from service.predictions.heat_maps.service import Explainer
from service.predictions.schemas import Prediction
from service.predictions.service import Predictions
from service.predictions.settings import HeatMapSettings
from service.predictions.who import whom
from service.reviews.dependencies import ReviewsDep
from service.reviews.form import VERSION, ReviewForms
from service.reviews.schemas import ReviewError, draft
from service.reviews.service import Reviews
from service.runners.dependencies import RunnerStatesDep
from service.runners.states import RunnerStates
from service.storage.errors import (
    ChangedError,
    StorageFullError,
    StorageUnavailableError,
    UnreadableError,
)
from service.web.dependencies import TemplatesDep
from service.web.templates import Templates
from service.worklist.contexts import Doing
from service.worklist.dependencies import WorklistDep
from service.worklist.schemas import Entry
from service.worklist.service import Worklist

router = APIRouter(prefix="/results/{id}", include_in_schema=False)

_PASSWORD: Final[Mapping[str, str]] = {
    "sign_in_again": N_("You signed in more than a few minutes ago: once more, please."),
    "credentials": N_("This is not your password."),
    "second_factor": N_("The code of your app was wrong, too old, or used already."),
    "passkey": N_("The passkey was not taken: once more, please, or your password and a code."),
    "too_many_attempts": N_("Too many wrong passwords: wait a little, then try again."),
}
"""What is wrong with the password that came with a review, or did not."""


class ResultResponder:
    """Answers with a result's page, and with what belongs to it."""

    def __init__(
        self,
        templates: Templates,
        reviews: Reviews,
        exams: Exams,
        explainer: Explainer,
        states: RunnerStates,
        predictions: Predictions,
        shown: HeatMapSettings,
        worklist: Worklist,
        limits: ModalitySettings,
        morphometry: Morphometry,
    ) -> None:
        self._templates = templates
        self._reviews = reviews
        self._exams = exams
        self._explainer = explainer
        self._states = states
        self._predictions = predictions
        self._shown = shown
        self._worklist = worklist
        self._limits = limits
        self._morphometry = morphometry

    async def shown(
        self,
        request: Request,
        prediction: Prediction,
        *,
        signing: ReviewForms | None = None,
        password: str = "",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Answer with the result's page; ``signing`` holds a form that could not be taken.

        ``password``: what was wrong with the password in it.
        """
        actor = await acting(request)
        exam, unreadable = None, False
        try:
            exam = await self._exams.get(actor, prediction.id)
        except UnreadableError:
            unreadable = True
        earlier = None
        if exam is not None and exam.patient_key is not None:
            timeline = await self._predictions.timeline(actor, exam.patient_key)
            earlier = viewer.before(timeline, prediction)
        if earlier is not None and not await self._predictions.is_pictured(actor, earlier[1].id):
            earlier = None
        beside = [prediction.id] if earlier is None else [prediction.id, earlier[1].id]
        sent = await self._predictions.sent_places(actor, beside)
        page = ResultPage.of(
            prediction,
            reviews=await self._reviews.of(actor, prediction.id),
            exam=exam,
            exam_unreadable=unreadable,
            who=await whom(self._predictions, actor, prediction.id, exam),
            doing=Doing.of(
                await self._worklist.of(actor, prediction.id) or Entry(),
                await self._worklist.readers(actor),
                actor,
            ),
            signing=signing,
            out_of_reach=await self._explainer.out_of_reach(prediction, self._states.down),
            pictured=await self._predictions.is_pictured(actor, prediction.id),
            research=self._shown.research_maps,
            sent=sent.get(prediction.id),
            prior=None if earlier is None else viewer.prior(earlier, sent.get(earlier[1].id)),
            points=await self._morphometry.of(actor, prediction.id),
            limits=self._limits,
        )
        if actor.session is not None:
            needed = bool(password) or self._reviews.is_stale(actor)
            forms = page.signing.of_account(
                password=needed,
                error=password,
                code=actor.session.has_factor,
                passkey=actor.session.has_passkey,
            )
            if actor.session.by_provider:
                again = f"/auth/oidc/again?next=/results/{prediction.id}" if needed else ""
                forms = page.signing.of_provider(again, password)
            page = replace(page, signing=forms)
        whence = {**NO_STORE, "Content-Location": f"/results/{prediction.id}", **(headers or {})}
        return self._templates.respond(request, page, status, whence)


async def responder(
    templates: TemplatesDep,
    reviews: ReviewsDep,
    exams: ExamsDep,
    explainer: ExplainerDep,
    states: RunnerStatesDep,
    predictions: PredictionsDep,
    shown: HeatMapSettingsDep,
    worklist: WorklistDep,
    limits: ModalitySettingsDep,
    morphometry: MorphometryDep,
) -> ResultResponder:
    return ResultResponder(
        templates,
        reviews,
        exams,
        explainer,
        states,
        predictions,
        shown,
        worklist,
        limits,
        morphometry,
    )


ResultPageDep = Annotated[ResultResponder, Depends(responder)]


@router.get("")
async def read(request: Request, prediction: PredictionDep, page: ResultPageDep) -> Response:
    return await page.shown(request, prediction)


@router.post("/reviews")
async def review(
    request: Request,
    prediction: PredictionDep,
    actor: Acting,
    reviews: ReviewsDep,
    prover: ProverDep,
    page: ResultPageDep,
    typed: FormBody,
) -> Response:
    """Form fields as in the API, and how they prove who they are, where that was too long ago."""
    version = typed.pop(VERSION, None)
    proof: dict[str, str] = {
        name: typed.pop(name) for name in ("passkey", "password", "code") if name in typed
    }
    seen = None if version is None else {version}
    try:
        written = draft(typed)
        if ("passkey" in proof or "password" in proof) and reviews.is_stale(actor):
            actor = await prover.again(actor, proof)
        await reviews.add(actor, prediction.id, written, told(prediction), seen)
    except ReviewError as error:
        signing = ReviewForms.of(told(prediction), typed, error.faults, version)
        return await page.shown(request, prediction, signing=signing, status=422)
    except ChangedError as error:
        signing = ReviewForms.beside(told(prediction), typed, error.kept, version)
        status = KINDS[error.code].status
        return await page.shown(request, prediction, signing=signing, status=status)
    except (StorageUnavailableError, StorageFullError) as error:
        problem = translate(error)
        signing = ReviewForms.of(
            told(prediction), typed, version=version, trouble=_(problem.detail)
        )
        status = problem.kind.status
        return await page.shown(
            request, prediction, signing=signing, status=status, headers=problem.headers
        )
    except ServiceError as error:
        if error.code not in _PASSWORD:
            raise
        problem = translate(error)
        return await page.shown(
            request,
            prediction,
            signing=ReviewForms.of(told(prediction), typed, version=version),
            password=_(_PASSWORD[error.code]),
            status=problem.kind.status,
            headers=problem.headers,
        )
    # Loading the page again must not sign again.
    return RedirectResponse(f"/results/{prediction.id}#review", 303)
