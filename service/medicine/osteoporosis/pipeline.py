"""From the bytes of a file to a prediction and its canonical image. Knows no HTTP framework.

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
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import uuid4

import anyio
import anyio.to_thread

from models.image.errors import ScanError
from models.image.recipe import Canonical
from models.inference.decision import decide
from models.reading import Limits
from models.vertebrae.findings import questioned
from protocol.answers import BasePrediction, EnsemblePrediction, Outline
from service.clock import now
from service.decoding import BusyError, Decoder
from service.errors import CodedError
from service.flow.admission import Admission, CrowdedError
from service.flow.deadline import Deadline
from service.flow.metrics import FlowMetrics
from service.flow.priority import Priority
from service.flow.settings import LoadPolicy
from service.flow.single_flight import Recent
from service.medicine import preparation
from service.medicine.preparation import Framed, Prepared
from service.observability import tracing
from service.predictions.drift import Drift
from service.predictions.schemas import Prediction, Vote
from service.runners.client import RunnerError
from service.runners.pool import RunnerPool
from service.timing import milliseconds, timed
from service.types import BASES, Band, BaseName, Outcome, PartName

T = TypeVar("T")

_LARGE: Final = 2**20
"""Bytes whose hash takes longer than a thread does to start."""


class AnalysisError(CodedError):
    """No prediction could be made; the file is not to blame. Safe to send again."""


class RunnersUnavailableError(AnalysisError):
    code = "runners_unavailable"


class OverloadedError(AnalysisError):
    code = "overloaded"


@dataclass(frozen=True)
class Judgement:
    """The number that decides, and whose it is."""

    probability: float
    threshold: float
    band: Band
    version: str
    contributions: dict[BaseName, float]
    missing: tuple[PartName, ...]


@dataclass(frozen=True, eq=False)
class Judged:
    """A file and what the models said of it; ``judgement`` is None where the gate refused it."""

    prepared: Prepared
    votes: dict[BaseName, BasePrediction]
    judgement: Judgement | None
    timings: dict[str, float]


class Analyser:
    def __init__(
        self,
        policy: LoadPolicy,
        limits: Limits,
        decoder: Decoder,
        runners: RunnerPool,
        metrics: FlowMetrics,
        drift: Drift,
        unreadable: Callable[[ScanError], None],
    ) -> None:
        """``unreadable`` is told of each file that cannot be read as a scan."""
        self._policy = policy
        self._limits = limits
        self._decoder = decoder
        self._runners = runners
        self._metrics = metrics
        self._drift = drift
        self._unreadable = unreadable
        self._admission = Admission(policy.queue_seconds)
        self._recent: Recent[Judged] = Recent(
            policy.cache_images, policy.cache_seconds, self._is_current, metrics.cache
        )

    async def analyse(
        self, data: bytes, priority: Priority = Priority.PERSON
    ) -> tuple[Prediction, bytes]:
        """Return the prediction on ``data`` and the image as the models saw it (PNG).

        Raises :class:`models.image.errors.ScanError` or :class:`AnalysisError`.
        """
        start = time.perf_counter()
        sha256 = await digest(data)
        try:
            judged = await self._recent.get(sha256, lambda: self._judged(data, sha256, priority))
        except ScanError as error:
            self._unreadable(error)
            raise
        timings = {**judged.timings, "total": milliseconds(time.perf_counter() - start)}
        return _prediction(judged, timings), judged.prepared.png

    async def _judged(self, data: bytes, digest: str, priority: Priority) -> Judged:
        deadline = Deadline.after(self._policy.deadline_seconds)
        try:
            # Batches are bounded where they are received, and wait for everybody else.
            with self._admission.enter(always=priority is Priority.BULK):
                prepared = await self._prepare(data, digest, deadline, priority)
                timings = dict(prepared.timings)
                if prepared.canonical is None:
                    return Judged(prepared, {}, None, timings)
                self._drift.image(prepared.statistics)
                votes = await self._fan_out(prepared.canonical, deadline, timings, priority)
                judgement = await self._judge(votes, deadline, timings, priority)
                return Judged(prepared, votes, judgement, timings)
        except CrowdedError as error:
            self._metrics.shed(priority, "queue")
            raise OverloadedError(
                "More images wait than can be judged in time.", error.retry_after
            ) from None

    def _is_current(self, judged: Judged) -> bool:
        now = self._runners.versions
        if judged.prepared.outlined_by not in (None, now.get("vertebrae")):
            return False
        if judged.judgement is None:
            return True
        if judged.judgement.missing:
            return False
        by = {name: vote.version for name, vote in judged.votes.items()}
        return now.get("stack") == judged.judgement.version and all(
            now.get(name) == version for name, version in by.items()
        )

    async def _prepare(
        self, data: bytes, digest: str, deadline: Deadline, priority: Priority
    ) -> Prepared:
        framed = await self._computed(
            "frame", preparation.frame, data, digest, self._limits, within=(deadline, priority)
        )
        if framed.reasons:
            return preparation.refuse(framed)
        answer = await self._outline(framed, deadline, priority)
        return await self._computed(
            "prepare",
            preparation.prepare,
            framed,
            answer.to_outlined(),
            answer.version,
            within=(deadline, priority),
        )

    async def _outline(self, framed: Framed, deadline: Deadline, priority: Priority) -> Outline:
        sooner = deadline.sooner(self._policy.stack_reserve_seconds)
        with timed(framed.timings, "vertebrae"):
            try:
                return await self._runners.outline(framed.frame, sooner, priority)
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
        sooner = deadline.sooner(self._policy.stack_reserve_seconds)
        # In the order of their names, not of their answers.
        timings.update(dict.fromkeys(BASES, 0.0))

        async def ask(name: BaseName) -> BasePrediction | None:
            with timed(timings, name):
                try:
                    return await self._runners.predict(name, canonical, sooner, priority)
                except RunnerError:
                    return None

        answers = await asyncio.gather(*(ask(name) for name in BASES))
        return {
            name: answer for name, answer in zip(BASES, answers, strict=True) if answer is not None
        }

    async def _judge(
        self,
        votes: dict[BaseName, BasePrediction],
        deadline: Deadline,
        timings: dict[str, float],
        priority: Priority,
    ) -> Judgement:
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


def _combined(answer: EnsemblePrediction) -> Judgement:
    return Judgement(
        probability=answer.probability,
        threshold=answer.threshold,
        band=answer.band,
        version=answer.version,
        contributions=answer.contributions,
        missing=tuple(name for name in BASES if name in answer.missing),
    )


def _best(votes: dict[BaseName, BasePrediction]) -> Judgement:
    """Without the stack the base model with the best validated AUROC speaks for itself alone."""
    name = max(votes, key=lambda name: votes[name].auroc)
    vote = votes[name]
    return Judgement(
        probability=vote.probability,
        threshold=vote.threshold,
        band=vote.band,
        version=vote.version,
        contributions={},
        missing=(*(name for name in BASES if name not in votes), "stack"),
    )


def _prediction(judged: Judged, timings: dict[str, float]) -> Prediction:
    judgement, votes = judged.judgement, judged.votes

    def told(name: BaseName) -> Vote:
        contributions = judgement.contributions if judgement else {}
        return Vote(
            probability=votes[name].probability,
            contribution=contributions.get(name),
            version=votes[name].version,
            measurements=votes[name].measurements,
        )

    return Prediction(
        id=uuid4(),
        created_at=now(),
        outcome=_outcome(judged),
        probability=judgement.probability if judgement else None,
        threshold=judgement.threshold if judgement else None,
        band=judgement.band if judgement else None,
        degraded=bool(judgement and judgement.missing),
        missing=judgement.missing if judgement else (),
        models={name: told(name) for name in BASES if name in votes},
        quality=judged.prepared.quality,
        image=judged.prepared.image,
        recipe=judged.prepared.recipe,
        version=judgement.version if judgement else None,
        vertebrae=judged.prepared.vertebrae,
        timings_ms=timings,
    )


def _outcome(judged: Judged) -> Outcome:
    judgement, vertebrae = judged.judgement, judged.prepared.vertebrae
    if judgement is None:
        return "refused"
    decided = decide(judgement.probability, judgement.threshold, judgement.band)
    return questioned(decided, [one.code for one in vertebrae.findings] if vertebrae else [])
