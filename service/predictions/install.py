"""What predictions add to the front, with their heat maps and reports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI

from models.image.errors import ScanError
from models.reading import Limits
from service.decoding import Allowance, BusyError, Decoder
from service.decoding.metrics import DecoderMetrics
from service.decoding.settings import DecoderLimits
from service.events import Listeners
from service.exams import dicom
from service.exams.densitometer import reading
from service.exams.measured import understood
from service.exams.schemas import believed
from service.flow.deadline import Deadline
from service.flow.metrics import FlowMetrics
from service.flow.priority import Priority
from service.flow.settings import LoadPolicy
from service.http.declared import sniffed
from service.images.settings import ImageSettings
from service.medicine import preparation
from service.medicine.osteoporosis.pipeline import Pipeline
from service.medicine.sent import Kept
from service.predictions import api, history, home, pages, thumbnails
from service.predictions.drift import Drift, served_reference
from service.predictions.events import PredictionMade
from service.predictions.heat_maps import api as heat_maps
from service.predictions.heat_maps.service import Explainer
from service.predictions.metrics import PredictionMetrics
from service.predictions.report import api as report
from service.predictions.service import NOTHING_SAID, Describe, Described, Predictions
from service.predictions.settings import DriftSettings, KeepingSettings
from service.predictions.thumbnails import Thumbnails
from service.predictions.worklist import pages as worklist
from service.predictions.worklist.service import WorklistReading
from service.resources import Resources
from service.results import Results
from service.runners.pool import RunnerPool
from service.storage.transaction import Transactions


def install(app: FastAPI) -> None:
    for routes in (home, api, heat_maps, pages, report, history, worklist, thumbnails):
        app.include_router(routes.router)
    app.include_router(report.pages)
    app.include_router(history.pages)


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[None]:
    metrics, policy = resources.get(PredictionMetrics), resources.get(LoadPolicy)
    runners, transactions = resources.get(RunnerPool), resources.get(Transactions)
    # It may have to read artefacts whole.
    known = await anyio.to_thread.run_sync(served_reference)
    drift = Drift(resources.get(DriftSettings), metrics, known)

    def counted(event: PredictionMade) -> None:
        metrics.prediction(event.prediction)
        drift.prediction(event.prediction)

    resources.get(Listeners).afterwards(PredictionMade, counted)
    decoder = _decoder(resources)
    kept = resources.get(ImageSettings)
    pipeline = Pipeline(
        policy,
        Limits(max_samples=resources.get(DecoderLimits).max_samples),
        decoder,
        runners,
        resources.get(FlowMetrics),
        accepted=drift.image,
        unreadable=metrics.unreadable,
        kept=Kept(kept.keep_images, int(kept.keep_image_bytes)),
    )
    keeping = resources.get(KeepingSettings)
    describe = _described(decoder, keeping.dicom_facts, policy)
    predictions = Predictions(
        transactions, pipeline.analyse, describe, keeps_names=keeping.keep_file_names
    )
    resources.put(Predictions, predictions)
    resources.put(Results, Results(predictions.result))
    resources.put(WorklistReading, WorklistReading(transactions))
    resources.put(Thumbnails, Thumbnails(predictions))
    resources.put(Decoder, decoder)
    resources.put(Explainer, Explainer(policy, runners, transactions))
    async with aclosing(predictions), decoder:
        yield


def _described(decoder: Decoder, scope: dicom.Scope, policy: LoadPolicy) -> Describe:
    async def describe(data: bytes, priority: Priority) -> Described:
        """Return nothing where it cannot be had: the image is judged all the same."""
        if scope == "none" or sniffed(data) != "dicom":
            return NOTHING_SAID
        deadline = Deadline.after(policy.deadline_seconds)
        try:
            told = await decoder.run(reading.of_image, data, deadline=deadline, priority=priority)
        except (BusyError, ScanError):
            return NOTHING_SAID
        facts, measured = believed(dicom.told(told["texts"], scope)), understood(told)
        return Described(facts=facts, measured={told["key"]: measured} if measured else {})

    return describe


def _decoder(resources: Resources) -> Decoder:
    limits = resources.get(DecoderLimits)
    return Decoder(
        preparation.load,
        preparation.KNOWN,
        places=limits.decoders,
        max_deferral=resources.get(LoadPolicy).bulk_patience_seconds,
        longest=Allowance(limits.decoder_seconds, limits.decoder_bytes),
        ended=resources.get(DecoderMetrics).ended,
    )
