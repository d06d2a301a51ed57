"""From the bytes of a file to its analysis and its canonical image. Knows no HTTP framework.

Read → frame in a worker process, a bounded number at a time; vertebrae are looked for in the frame;
recipe, gate and findings in a worker again; then the base models at once, then the stack, within
one deadline. What is missing is named, never guessed: without vertebrae no scale is known::

    AnalysisError
    ├── RunnersUnavailableError    vertebrae could not be looked for, or no base model answered
    └── OverloadedError            too many wait already, or no decoder became free in time
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from uuid import uuid4

import anyio
import anyio.to_thread
from cachetools import LRUCache

from models.drift.statistics import Statistic
from models.image.errors import ScanError
from models.image.recipe import Canonical
from models.inference.decision import decide
from models.reading import Limits
from models.vertebrae.findings import questioned
from protocol.answers import BasePrediction, EnsemblePrediction, Outline
from service.clock import now
from service.decoding import BusyError, Decoder
from service.errors import CodedError
from service.flow.admission import Admission, AdmissionRejectedError
from service.flow.deadline import Deadline
from service.flow.metrics import FlowMetrics
from service.flow.priority import Priority
from service.flow.settings import LoadPolicy
from service.flow.single_flight import SingleFlightCache
from service.identity.actor import Within
from service.medicine import preparation
from service.medicine.osteoporosis.schemas import Analysis, Vote, noticed
from service.medicine.preparation import Framed, Prepared
from service.medicine.sent import Kept, SentImage, unless_text
from service.observability import tracing
from service.runners.client import RunnerError
from service.runners.pool import RunnerPool
from service.timing import milliseconds, timed
from service.types import BASES, Band, BaseName, Outcome, PartName

T = TypeVar("T")

_LARGE: Final = 2**20
"""Bytes whose hash takes longer than a thread does to start."""

_REMEMBERED: Final = 8 * 2**20
"""Bytes of images as sent that are remembered beside answers: without one the image is kept
already, by whoever sent it before."""


class AnalysisError(CodedError):
    """No prediction could be made; the file is not to blame. Safe to send again."""


class RunnersUnavailableError(AnalysisError):
    code = "runners_unavailable"


class OverloadedError(AnalysisError):
    code = "overloaded"


@dataclass(frozen=True)
class CombinedPrediction:
    """The number that decides, and whose it is."""

    probability: float
    threshold: float
    band: Band
    version: str
    contributions: dict[BaseName, float]
    missing: tuple[PartName, ...]


@dataclass(frozen=True, eq=False)
class ModelOutputs:
    """A file and what the models said of it; ``combined`` is None where the gate refused it."""

    prepared: Prepared
    votes: dict[BaseName, BasePrediction]
    combined: CombinedPrediction | None
    timings: dict[str, float]


class Pipeline:
    """Prediction pipeline, ``analyse``: read, prepare, ask the models, combine their votes."""

    def __init__(
        self,
        policy: LoadPolicy,
        limits: Limits,
        decoder: Decoder,
        runners: RunnerPool,
        metrics: FlowMetrics,
        accepted: Callable[[Mapping[Statistic, float]], None],
        unreadable: Callable[[ScanError], None],
        kept: Kept = preparation.NOTHING,
    ) -> None:
        """``accepted`` is told of each image that passes the gate, ``unreadable`` of each file that
        cannot be read as a scan; ``kept`` says what is kept of images as they were sent."""
        self._policy = policy
        self._limits = limits
        self._decoder = decoder
        self._runners = runners
        self._metrics = metrics
        self._accepted = accepted
        self._unreadable = unreadable
        self._kept = kept
        self._sent: LRUCache[tuple[Within, str], SentImage] = LRUCache(
            _REMEMBERED, lambda one: len(one.png)
        )
        self._admission = Admission(policy.queue_seconds)
        self._cache: SingleFlightCache[ModelOutputs] = SingleFlightCache(
            policy.cache_images, policy.cache_seconds, self._is_current, metrics.cache
        )

    async def analyse(
        self, data: bytes, within: Within, priority: Priority = Priority.PERSON
    ) -> tuple[Analysis, bytes, SentImage | None]:
        """Return the analysis of ``data``, the image as the models saw it (PNG) and, where that
        is to be kept, as it was sent.

        What it takes is shared with those who may see the same results, ``within``, and nobody
        else: how long it takes would tell whether the file was sent elsewhere.

        Raises :class:`models.image.errors.ScanError` or :class:`AnalysisError`.
        """
        start = time.perf_counter()
        sha256 = await digest(data)
        try:
            outputs = await self._cache.get(
                (within, sha256), lambda: self._predict(data, (within, sha256), priority)
            )
        except ScanError as error:
            self._unreadable(error)
            raise
        timings = {**outputs.timings, "total": milliseconds(time.perf_counter() - start)}
        return _analysis(outputs, timings), outputs.prepared.png, self._sent.get((within, sha256))

    async def _predict(
        self, data: bytes, key: tuple[Within, str], priority: Priority
    ) -> ModelOutputs:
        deadline = Deadline.after(self._policy.deadline_seconds)
        try:
            # Batches are bounded where they are received, and wait for everybody else.
            with self._admission.enter(always=priority is Priority.BULK):
                prepared = await self._prepare(data, key[1], deadline, priority)
                if prepared.sent is not None:
                    self._sent[key] = prepared.sent
                    # Answers are remembered by their number, these by their bytes.
                    prepared = replace(prepared, sent=None)
                timings = dict(prepared.timings)
                if prepared.canonical is None:
                    return ModelOutputs(prepared, {}, None, timings)
                self._accepted(prepared.statistics)
                votes = await self._fan_out(prepared.canonical, deadline, timings, priority)
                combined = await self._combine(votes, deadline, timings, priority)
                # The largest part of an answer, of no use to whoever gets it again.
                return ModelOutputs(replace(prepared, canonical=None), votes, combined, timings)
        except AdmissionRejectedError as error:
            self._metrics.shed(priority, "queue")
            raise OverloadedError(
                "More images wait than can be judged in time.", error.retry_after
            ) from None

    def _is_current(self, outputs: ModelOutputs) -> bool:
        now = self._runners.versions
        if outputs.prepared.outlined_by not in (None, now.get("vertebrae")):
            return False
        if outputs.combined is None:
            return True
        if outputs.combined.missing:
            return False
        by = {name: vote.version for name, vote in outputs.votes.items()}
        return now.get("stack") == outputs.combined.version and all(
            now.get(name) == version for name, version in by.items()
        )

    async def _prepare(
        self, data: bytes, digest: str, deadline: Deadline, priority: Priority
    ) -> Prepared:
        framed = await self._computed(
            "frame",
            preparation.frame,
            data,
            digest,
            self._limits,
            self._kept,
            within=(deadline, priority),
        )
        # It has nothing to do on the way to a worker and back.
        whole, framed = framed.sent, replace(framed, sent=None)
        if framed.reasons:
            prepared = preparation.refuse(framed)
        else:
            answer = await self._outline(framed, deadline, priority)
            prepared = await self._computed(
                "prepare",
                preparation.prepare,
                framed,
                answer.to_outlined(),
                answer.version,
                self._kept,
                within=(deadline, priority),
            )
        if whole is None:
            return prepared
        return replace(prepared, sent=unless_text(whole, prepared.quality.reasons))

    async def _outline(self, framed: Framed, deadline: Deadline, priority: Priority) -> Outline:
        earlier = deadline.shorten(self._policy.stack_reserve_seconds)
        with timed(framed.timings, "vertebrae"):
            try:
                return await self._runners.outline(framed.frame, earlier, priority)
            except RunnerError:
                raise RunnersUnavailableError(
                    "The model that finds the vertebrae did not answer in time.",
                    self._runners.retry_after,
                ) from None

    async def _computed(
        self,
        step: str,
        function: Callable[..., T],
        *arguments: Any,
        within: tuple[Deadline, Priority],
    ) -> T:
        """Return what ``function`` returns in a decoder's worker."""
        deadline, priority = within
        try:
            with tracing.span(step):
                return await self._decoder.run(
                    function, *arguments, deadline=deadline, priority=priority
                )
        except BusyError:
            self._metrics.shed(priority, "decoders")
            raise OverloadedError(
                "All decoders are busy with other images.", self._policy.deadline_seconds
            ) from None

    async def _fan_out(
        self,
        canonical: Canonical,
        deadline: Deadline,
        timings: dict[str, float],
        priority: Priority,
    ) -> dict[BaseName, BasePrediction]:
        earlier = deadline.shorten(self._policy.stack_reserve_seconds)
        # In the order of their names, not of their answers.
        timings.update(dict.fromkeys(BASES, 0.0))

        async def ask(name: BaseName) -> BasePrediction | None:
            with timed(timings, name):
                try:
                    return await self._runners.predict(name, canonical, earlier, priority)
                except RunnerError:
                    return None

        answers = await asyncio.gather(*(ask(name) for name in BASES))
        return {
            name: answer for name, answer in zip(BASES, answers, strict=True) if answer is not None
        }

    async def _combine(
        self,
        votes: dict[BaseName, BasePrediction],
        deadline: Deadline,
        timings: dict[str, float],
        priority: Priority,
    ) -> CombinedPrediction:
        if not votes:
            raise RunnersUnavailableError(
                "None of the models answered in time.", self._runners.retry_after
            )
        with timed(timings, "stack"):
            try:
                answer = await self._runners.combine(votes, deadline, priority)
            except RunnerError:
                return _best(votes)
        return _combined(answer)


async def digest(data: bytes) -> str:
    """Return the SHA-256 of ``data``, large ones' without holding the others up."""
    if len(data) < _LARGE:
        return hashlib.sha256(data).hexdigest()
    return await anyio.to_thread.run_sync(lambda: hashlib.sha256(data).hexdigest())


def _combined(answer: EnsemblePrediction) -> CombinedPrediction:
    return CombinedPrediction(
        probability=answer.probability,
        threshold=answer.threshold,
        band=answer.band,
        version=answer.version,
        contributions=answer.contributions,
        missing=tuple(name for name in BASES if name in answer.missing),
    )


def _best(votes: dict[BaseName, BasePrediction]) -> CombinedPrediction:
    """Without the stack the base model with the best validated AUROC speaks for itself alone."""
    name = max(votes, key=lambda name: votes[name].auroc)
    vote = votes[name]
    return CombinedPrediction(
        probability=vote.probability,
        threshold=vote.threshold,
        band=vote.band,
        version=vote.version,
        contributions={},
        missing=(*(name for name in BASES if name not in votes), "stack"),
    )


def _analysis(outputs: ModelOutputs, timings: dict[str, float]) -> Analysis:
    combined, votes = outputs.combined, outputs.votes

    def told(name: BaseName) -> Vote:
        contributions = combined.contributions if combined else {}
        return Vote(
            probability=votes[name].probability,
            contribution=contributions.get(name),
            version=votes[name].version,
            measurements=votes[name].measurements,
        )

    return Analysis(
        id=uuid4(),
        created_at=now(),
        outcome=_outcome(outputs),
        probability=combined.probability if combined else None,
        threshold=combined.threshold if combined else None,
        band=combined.band if combined else None,
        degraded=bool(combined and combined.missing),
        missing=combined.missing if combined else (),
        models={name: told(name) for name in BASES if name in votes},
        quality=outputs.prepared.quality,
        image=outputs.prepared.image,
        recipe=outputs.prepared.recipe,
        version=combined.version if combined else None,
        vertebrae=outputs.prepared.vertebrae,
        timings_ms=timings,
    )


def _outcome(outputs: ModelOutputs) -> Outcome:
    combined, prepared = outputs.combined, outputs.prepared
    if combined is None:
        return "refused"
    decided = decide(combined.probability, combined.threshold, combined.band)
    return questioned(decided, noticed(prepared.quality, prepared.vertebrae))
