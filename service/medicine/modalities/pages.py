"""Pages on which other modalities are entered: ultrasound's form."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from service.exams.dependencies import ExamsDep
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problem_types import KINDS
from service.http.problems import translate
from service.identity.dependencies import Acting
from service.language.locale import _
from service.medicine.modalities.contexts import UltrasoundPage
from service.medicine.modalities.dependencies import ModalitiesDep
from service.medicine.modalities.ultrasound.form import UltrasoundForm, fields_of, parse
from service.medicine.modalities.ultrasound.schemas import UltrasoundError
from service.results import PredictionId, ResultDep, no_such_prediction
from service.storage.errors import ChangedError, StorageFullError, StorageUnavailableError
from service.web.dependencies import TemplatesDep

router = APIRouter(prefix="/results/{id}", include_in_schema=False)

VERSION = "version"
REMOVE = "remove"


@router.get("/ultrasound")
async def ultrasound(
    request: Request, result: ResultDep, actor: Acting, exams: ExamsDep, templates: TemplatesDep
) -> Response:
    exam = await exams.get(actor, result.id)
    if exam is None:
        raise no_such_prediction()
    kept = exam.modalities.ultrasound
    form = UltrasoundForm.of(
        str(result.id), fields_of(kept), exam.modalities.version, kept=kept is not None
    )
    return templates.respond(request, UltrasoundPage(form=form), headers=NO_STORE)


@router.post("/ultrasound")
async def entered(
    request: Request,
    id: PredictionId,
    actor: Acting,
    modalities: ModalitiesDep,
    templates: TemplatesDep,
    fields: FormBody,
) -> Response:
    version = fields.pop(VERSION, None)
    removes = fields.pop(REMOVE, None) is not None
    seen = None if version is None else {version}
    try:
        measured = None if removes else parse(fields)
        exam = await modalities.enter_ultrasound(actor, id, measured, seen)
    except UltrasoundError as error:
        form = UltrasoundForm.of(str(id), fields, version or "", faults=error.faults)
        return templates.respond(request, UltrasoundPage(form=form), 422, NO_STORE)
    except ChangedError as error:
        return _again(request, id, fields, error, templates)
    except (StorageUnavailableError, StorageFullError) as error:
        problem = translate(error)
        form = UltrasoundForm.of(str(id), fields, version or "")
        page = UltrasoundPage(form=form, trouble=_(problem.detail))
        headers = {**NO_STORE, **problem.headers}
        return templates.respond(request, page, problem.kind.status, headers)
    if exam is None:
        raise no_such_prediction()
    return RedirectResponse(f"/results/{id}#modalities", 303)


def _again(
    request: Request,
    id: UUID,
    fields: dict[str, str],
    error: ChangedError,
    templates: TemplatesDep,
) -> Response:
    """Return the form as it was sent; sent once more it takes the place of what came meanwhile."""
    form = UltrasoundForm.of(str(id), fields, error.kept.modalities.version)
    page = UltrasoundPage(
        form=form, trouble=_("Somebody else has changed these numbers meanwhile.")
    )
    return templates.respond(request, page, KINDS[error.code].status, NO_STORE)
