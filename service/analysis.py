"""From the bytes of a file to a prediction and its canonical image. Knows no HTTP framework.

Read → gate → recipe in a worker thread, a bounded number at a time; then the three base runners at
once, then the stack, within one deadline. What is missing is named, never guessed::

    AnalysisError
    ├── RunnersUnavailableError    no base runner gave an answer
    └── OverloadedError            too many wait already, or no decoder became free in time
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import uuid4

import anyio
import anyio.to_thread
import numpy as np

from models import quality, recipe
from models.gate import Gate
from models.reading import Limits, read
from models.recipe import Canonical
from models.statistics import Statistic, describe
from service import tracing
from service.admission import Admission, CrowdedError
from service.answers import BaseAnswer, StackAnswer
from service.connection import RunnerError
from service.deadline import Deadline
from service.decision import decide
from service.drift import Drift
from service.metrics import Metrics
from service.prediction import Image, Prediction, Quality, Vote, now
from service.priority import Priority, Slots
from service.recent import Recent
from service.runners import Runners
from service.settings import Settings
from service.types import BASES, Band, BaseName, RunnerName

_LARGE: Final = 2**20
"""Bytes whose hash takes longer than a thread does to start."""


class AnalysisError(Exception):
    """No prediction could be made; the file is not to blame. Safe to send again."""

    code: ClassVar[str]

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RunnersUnavailableError(AnalysisError):
    code = "runners_unavailable"


class OverloadedError(AnalysisError):
    code = "overloaded"


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that is known of a file before a model looks at it."""

    image: Image
    quality: Quality
    canonical: Canonical
    png: bytes
    statistics: dict[Statistic, float]
    timings: dict[str, float]


@dataclass(frozen=True)
class Judgement:
    """The number that decides, and whose it is."""

    probability: float
    threshold: float
    band: Band
    version: str
    contributions: dict[BaseName, float]
    missing: tuple[RunnerName, ...]


@dataclass(frozen=True, eq=False)
class Judged:
    """A file and what the models said of it; ``judgement`` is None where the gate refused it."""

    prepared: Prepared
    votes: dict[BaseName, BaseAnswer]
    judgement: Judgement | None
    timings: dict[str, float]


class Analyser:
    def __init__(
        self, settings: Settings, runners: Runners, metrics: Metrics, drift: Drift
    ) -> None:
        self._settings = settings
        self._runners = runners
        self._metrics = metrics
        self._drift = drift
        self._limits = Limits(max_samples=settings.max_samples)
        self._gate = quality.served_gate()
        self._admission = Admission(settings.queue_seconds)
        self._slots = Slots(settings.decoders, settings.bulk_patience_seconds)
        self._threads = anyio.CapacityLimiter(settings.decoders)
        self._recent: Recent[Judged] = Recent(
            settings.cache_images, settings.cache_seconds, self._is_current, metrics.cache
        )

    async def warm(self) -> None:
        """Prepare an image once, so that what is only set up on first use is no person's wait."""
        rows, columns = np.indices((recipe.SIDE, recipe.SIDE))
        png = recipe.encode(((rows + columns) // 2).astype(np.uint8))
        await anyio.to_thread.run_sync(prepare, png, "0" * 64, self._limits, self._gate)

    async def analyse(
        self, data: bytes, priority: Priority = Priority.PERSON
    ) -> tuple[Prediction, bytes]:
        """Return the prediction on ``data`` and the image as the models saw it (PNG).

        Raises :class:`models.errors.ScanError` or :class:`AnalysisError`.
        """
        start = time.perf_counter()
        digest = await _digest(data)
        judged = await self._recent.get(digest, lambda: self._judged(data, digest, priority))
        timings = {**judged.timings, "total": _milliseconds(time.perf_counter() - start)}
        return _prediction(judged, timings), judged.prepared.png

    async def _judged(self, data: bytes, digest: str, priority: Priority) -> Judged:
        deadline = Deadline.after(self._settings.deadline_seconds)
        try:
            # Batches are bounded where they are received, and wait for everybody else.
            with self._admission.enter(always=priority is Priority.BULK):
                prepared = await self._prepare(data, digest, deadline, priority)
                timings = dict(prepared.timings)
                if not prepared.quality.accepted:
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
        if judged.judgement is None:
            return True
        if judged.judgement.missing:
            return False
        now = self._runners.versions
        by = {name: vote.version for name, vote in judged.votes.items()}
        return now.get("stack") == judged.judgement.version and all(
            now.get(name) == version for name, version in by.items()
        )

    async def _prepare(
        self, data: bytes, digest: str, deadline: Deadline, priority: Priority
    ) -> Prepared:
        # Waiting for a slot can end in time; a thread, once started, cannot.
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(max(deadline.left, 0)):
                    await held.enter_async_context(self._slots.one(priority))
            except TimeoutError:
                self._metrics.shed(priority, "decoders")
                raise OverloadedError(
                    "All decoders are busy with other images.", self._settings.deadline_seconds
                ) from None
            with tracing.span("prepare"):
                return await anyio.to_thread.run_sync(
                    prepare, data, digest, self._limits, self._gate, limiter=self._threads
                )

    async def _fan_out(
        self,
        canonical: Canonical,
        deadline: Deadline,
        timings: dict[str, float],
        priority: Priority,
    ) -> dict[BaseName, BaseAnswer]:
        sooner = deadline.sooner(self._settings.stack_reserve_seconds)
        # In the order of their names, not of their answers.
        timings.update(dict.fromkeys(BASES, 0.0))

        async def ask(name: BaseName) -> BaseAnswer | None:
            with _timed(timings, name):
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
        votes: dict[BaseName, BaseAnswer],
        deadline: Deadline,
        timings: dict[str, float],
        priority: Priority,
    ) -> Judgement:
        if not votes:
            raise RunnersUnavailableError(
                "None of the models answered in time.", self._settings.probe_seconds
            )
        with _timed(timings, "stack"):
            try:
                answer = await self._runners.combine(votes, deadline, priority)
            except RunnerError:
                return _best(votes)
        return _combined(answer)


async def _digest(data: bytes) -> str:
    """Return the SHA-256 of ``data``, large ones' without holding the others up."""
    if len(data) < _LARGE:
        return hashlib.sha256(data).hexdigest()
    return await anyio.to_thread.run_sync(lambda: hashlib.sha256(data).hexdigest())


def prepare(data: bytes, digest: str, limits: Limits, gate: Gate) -> Prepared:
    """Read, judge the quality of and bring to canonical form one file. Runs in a worker thread."""
    timings: dict[str, float] = {}
    with _timed(timings, "read"):
        scan = read(data, limits)
    with _timed(timings, "prepare"):
        canonical = recipe.prepare(scan)
        verdict = quality.assess(scan, canonical, gate)
        statistics = describe(canonical)
        png = recipe.encode(canonical)
    return Prepared(
        image=Image(sha256=digest, format=scan.format, width=scan.width, height=scan.height),
        quality=Quality(
            accepted=verdict.accepted, reasons=verdict.reasons, findings=verdict.findings
        ),
        canonical=canonical,
        png=png,
        statistics=statistics,
        timings=timings,
    )


def _combined(answer: StackAnswer) -> Judgement:
    return Judgement(
        probability=answer.probability,
        threshold=answer.threshold,
        band=answer.band,
        version=answer.version,
        contributions=answer.contributions,
        missing=tuple(name for name in BASES if name in answer.missing),
    )


def _best(votes: dict[BaseName, BaseAnswer]) -> Judgement:
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
        )

    return Prediction(
        id=uuid4(),
        created_at=now(),
        outcome=decide(judgement.probability, judgement.threshold, judgement.band)
        if judgement
        else "refused",
        probability=judgement.probability if judgement else None,
        threshold=judgement.threshold if judgement else None,
        band=judgement.band if judgement else None,
        degraded=bool(judgement and judgement.missing),
        missing=judgement.missing if judgement else (),
        models={name: told(name) for name in BASES if name in votes},
        quality=judged.prepared.quality,
        image=judged.prepared.image,
        recipe=recipe.NAME,
        version=judgement.version if judgement else None,
        timings_ms=timings,
    )


@contextmanager
def _timed(timings: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        timings[name] = _milliseconds(time.perf_counter() - start)


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
