"""The models in the process, asked by the front's own pool."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import numpy as np
import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

from models import phantom
from models.artifact import FOLDER
from models.image import recipe
from models.image.cropping import crop
from models.image.scan import Scan
from models.inference.ensemble import Ensemble
from models.inference.preparation import prepare
from models.phantom import Artefact
from models.reading import read
from protocol.answers import BasePrediction, EnsemblePrediction
from service.edge.client import ComputeThread, InProcessClient
from service.edge.models import Models, size
from service.flow.deadline import Deadline
from service.runners.client import RunnerBusyError, RunnerFailedError, RunnerTimeoutError
from service.runners.metrics import RunnerMetrics
from service.runners.pool import RunnerPool
from service.runners.settings import RunnerPolicy
from service.types import BASES, RUNNERS, BaseName

pytestmark = pytest.mark.anyio

ALIKE = 0.01
"""Most that a probability may differ by from what runners answer on this machine."""
MODELS_BYTES = 150e6
PHANTOMS = 6

Opened = tuple[RunnerPool, CollectorRegistry]


@asynccontextmanager
async def opened(models: Models, waiting: int = 32) -> AsyncIterator[Opened]:
    registry, thread = CollectorRegistry(), ComputeThread(waiting)
    metrics = RunnerMetrics(registry)
    pool = RunnerPool(
        RunnerPolicy(),
        metrics,
        connect=lambda name, _: InProcessClient(name, models, thread, metrics),
    )
    async with aclosing(thread), pool.open() as runners:
        yield runners, registry


def scans() -> list[Scan]:
    rng = np.random.default_rng(23)
    found = []
    for _ in range(PHANTOMS):
        buffer = io.BytesIO()
        Image.fromarray(phantom.draw(rng, artefact=Artefact.NONE).image).save(buffer, "PNG")
        found.append(read(buffer.getvalue()))
    return found


async def judged(
    runners: RunnerPool, scan: Scan
) -> tuple[dict[BaseName, BasePrediction], EnsemblePrediction]:
    """Return votes and answer, by the way that a front goes."""
    deadline = Deadline.after(120)
    cropped = crop(scan).scan
    outlined = (await runners.outline(recipe.frame(cropped), deadline)).to_outlined()
    assert outlined.spine is not None
    canonical = recipe.prepare(cropped, outlined.spine, outlined.graphics)
    votes = {name: await runners.predict(name, canonical, deadline) for name in BASES}
    return votes, await runners.combine(votes, deadline)


async def test_answers_are_those_of_the_runners(models: Models) -> None:
    """The runners' own models, on whatever they choose to run on here."""
    runners_own = Ensemble(FOLDER)
    together = scans()
    expected = [
        (one.canonical, scan)
        for one, scan in zip(prepare(together, runners_own.outliner.outline), together, strict=True)
    ]
    async with opened(models) as (runners, _):
        assert [await runners.ready(name, 1) for name in RUNNERS] == [True] * len(RUNNERS)
        for canonical, scan in expected:
            assert canonical is not None
            votes = runners_own.base_predictions(canonical[None])
            (answer,) = runners_own.combine(votes)
            found, combined = await judged(runners, scan)
            assert {name: one.probability for name, one in found.items()} == pytest.approx(
                {name: one[0].probability for name, one in votes.items()}, abs=ALIKE
            )
            assert combined.probability == pytest.approx(answer.probability, abs=ALIKE)
            assert (combined.threshold, combined.band) == (answer.threshold, answer.band)
            assert combined.missing == ()
        assert set(runners.versions) == {*BASES, "vertebrae", "stack"}


def test_models_are_small_enough() -> None:
    assert 30e6 < size(FOLDER) < MODELS_BYTES


async def test_maps_are_drawn_where_that_takes_no_more_than_a_network(models: Models) -> None:
    blank = np.zeros((recipe.SIDE, recipe.SIDE), np.uint8)
    async with opened(models) as (runners, registry):
        drawn = await runners.explain("cnn", blank, Deadline.after(60))
        plain = await runners.predict("cnn", blank, Deadline.after(60))
    assert drawn.map is not None
    assert plain.map is None
    assert plain.probability == pytest.approx(drawn.probability)
    labels = {"runner": "cnn", "result": "ok"}
    assert registry.get_sample_value("osteoserve_runner_calls_total", labels) == 2


class Toy(Models):
    """Computes nothing; waits for ``go``, and breaks where it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.calls = 0
        self.breaks = False

    def predict(self, *_: object) -> BasePrediction:  # type: ignore[override]
        self.calls += 1
        assert self.go.wait(60)
        if self.breaks:
            raise ValueError("sick")
        return BasePrediction(
            probability=0.5, version="sha256:" + "7" * 64, recipe=recipe.NAME,
            threshold=0.5, band=(0.4, 0.6), auroc=0.9,
        )  # fmt: skip


IMAGE = np.zeros((recipe.SIDE, recipe.SIDE), np.uint8)


async def until(state: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not state():  # noqa: ASYNC110 - a thread's state has no event of this loop
            await asyncio.sleep(0.005)


async def test_what_breaks_a_model_is_told_and_the_next_is_answered() -> None:
    toy = Toy()
    toy.go.set()
    toy.breaks = True
    async with opened(toy) as (runners, _):
        with pytest.raises(RunnerFailedError):
            await runners.predict("cnn", IMAGE, Deadline.after(60))
        toy.breaks = False
        assert (await runners.predict("cnn", IMAGE, Deadline.after(60))).probability == 0.5


async def test_nobody_waits_beyond_the_deadline_and_what_is_late_is_not_computed() -> None:
    toy = Toy()
    async with opened(toy) as (runners, _):
        first = asyncio.create_task(runners.predict("cnn", IMAGE, Deadline.after(60)))
        await until(lambda: toy.calls == 1)
        with pytest.raises(RunnerTimeoutError):
            await runners.predict("vgg16", IMAGE, Deadline.after(0.05))
        toy.go.set()
        await first
        await runners.predict("resnet", IMAGE, Deadline.after(60))
    assert toy.calls == 2


async def test_more_than_there_is_room_for_is_refused_at_once() -> None:
    toy = Toy()
    async with opened(toy, waiting=2) as (runners, registry):
        tasks = [
            asyncio.create_task(runners.predict(name, IMAGE, Deadline.after(60)))
            for name in ("cnn", "vgg16")
        ]
        await until(lambda: toy.calls == 1)
        with pytest.raises(RunnerBusyError):
            await runners.predict("resnet", IMAGE, Deadline.after(60))
        toy.go.set()
        await asyncio.gather(*tasks)
        # There is room again.
        await runners.predict("resnet", IMAGE, Deadline.after(60))
    labels = {"runner": "resnet", "result": "busy"}
    assert registry.get_sample_value("osteoserve_runner_calls_total", labels) == 1
