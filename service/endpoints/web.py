"""The pages, made from the same objects as the API's answers."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from service import content
from service.endpoints.state import Opened, PredictionId, no_such_prediction, predict
from service.pages import ArticlePage, FormPage, ProblemRow, ProblemsPage, ResultPage
from service.problems import KINDS

router = APIRouter(include_in_schema=False)

_NO_STORE: Final = {"Cache-Control": "no-store"}


@router.api_route("/", methods=["GET", "HEAD"])
async def form(state: Opened) -> Response:
    size = state.settings.max_upload_bytes.human_readable(separator=" ").replace(".0 ", " ")
    return state.pages.respond(FormPage(max_size=size))


@router.post("/")
async def judge(request: Request, state: Opened) -> Response:
    prediction = await predict(request, state)
    headers = {**_NO_STORE, "Content-Location": f"/results/{prediction.id}"}
    return state.pages.respond(ResultPage.of(prediction), headers=headers)


@router.api_route("/results/{id}", methods=["GET", "HEAD"])
async def result(id: PredictionId, state: Opened) -> Response:
    prediction = await state.predictions.get(id)
    if prediction is None:
        raise no_such_prediction()
    return state.pages.respond(ResultPage.of(prediction), headers=_NO_STORE)


@router.api_route("/faq", methods=["GET", "HEAD"])
async def faq(state: Opened) -> Response:
    return state.pages.respond(ArticlePage(article=content.load("faq")))


@router.api_route("/problems", methods=["GET", "HEAD"])
async def problems(state: Opened) -> Response:
    rows = tuple(
        ProblemRow(code=code, status=kind.status, title=kind.title, help=kind.help)
        for code, kind in KINDS.items()
    )
    return state.pages.respond(ProblemsPage(rows=rows))
