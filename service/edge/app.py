"""Puts the edge together: the front's app, with the models in its process and a watched folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
from fastapi import FastAPI

from models.artifact import ArtifactError
from service import app as front
from service import malloc
from service.commands import LINK_MINUTES, first_link
from service.edge import alone, limits
from service.edge.client import ComputeThread, InProcessClient
from service.edge.folder import FolderError, WatchedFolder
from service.edge.models import Models
from service.edge.watching import Answering, Watch
from service.exams.service import Exams
from service.http.settings import UploadLimits
from service.language.locale import languages
from service.language.settings import ZoneSettings
from service.medicine.modalities.settings import ModalitySettings
from service.medicine.morphometry.service import Morphometry
from service.predictions.heat_maps.service import Explainer
from service.predictions.report.sheets import Sheets
from service.predictions.service import Predictions
from service.predictions.settings import KeepingSettings
from service.resources import Resources
from service.reviews.service import Reviews
from service.runners import install as runners
from service.runners.client import RunnerError
from service.runners.metrics import RunnerMetrics
from service.runners.pool import Client
from service.server import Server
from service.settings import Settings, SettingsError
from service.types import RunnerName


class EdgeError(RuntimeError):
    """The edge cannot start; the message says why."""


@dataclass(frozen=True)
class _Computing:
    """The room of runners, where they are in this process."""

    models: Models

    @asynccontextmanager
    async def lifespan(self, resources: Resources, /) -> AsyncIterator[None]:
        metrics, thread = resources.get(RunnerMetrics), ComputeThread()

        def connect(name: RunnerName, _: Callable[[RunnerError], None]) -> Client:
            return InProcessClient(name, self.models, thread, metrics)

        async with aclosing(thread), runners.lifespan(resources, connect):
            yield


@dataclass(frozen=True)
class _Watching:
    """The room of the folder, which is judged once everything else is open."""

    folder: WatchedFolder
    language: str

    @asynccontextmanager
    async def lifespan(self, resources: Resources, /) -> AsyncIterator[None]:
        sheets = Sheets(
            resources.get(Predictions),
            resources.get(Reviews),
            resources.get(Exams),
            resources.get(Explainer),
            resources.get(ModalitySettings),
            resources.get(Morphometry),
        )
        answering = Answering(
            most=int(resources.get(UploadLimits).max_upload_bytes),
            language=self.language,
            zone=resources.get(ZoneSettings).zone,
            keeps_names=resources.get(KeepingSettings).keep_file_names,
        )
        await anyio.to_thread.run_sync(self.folder.open)
        watch = Watch(self.folder, sheets.predictions, sheets.exams, sheets, answering)
        async with watch.watching():
            yield


@dataclass(frozen=True)
class _Welcome:
    """Prints the link that makes the first account, until there is one."""

    settings: Settings

    @asynccontextmanager
    async def lifespan(self, resources: Resources, /) -> AsyncIterator[None]:  # noqa: ARG002 - its own
        if self.settings.auth != "none":
            link = await first_link(self.settings)
            if link is not None:
                print(
                    f"osteoserve: no account yet: within {LINK_MINUTES} minutes, make the first "
                    f"one at\n{link}",
                    flush=True,
                )
        yield


def create_app(
    settings: Settings, models: Models, folder: WatchedFolder, language: str = "en"
) -> FastAPI:
    """Build the front on ``models``, with ``folder`` judged and its sheets in ``language``."""
    rooms = [_Computing(models) if room is runners else room for room in front.LIFESPANS]
    return front.create_app(settings, (*rooms, _Watching(folder, language), _Welcome(settings)))


def server(settings: Settings, folder: Path | None = None, language: str = "en") -> Server:
    """Return the edge with its models loaded, which takes seconds.

    ``folder``: by itself ``edge`` in the folder of state. Raises :class:`EdgeError`, or
    :class:`~service.settings.SettingsError` where settings do not go with an edge; what can be
    told before the models are loaded is told then.
    """
    alone.check(settings)
    settings = limits.narrowed(settings)
    if language not in languages():
        raise SettingsError(f"--language {language}: allowed are {', '.join(languages())}")
    watched = WatchedFolder(settings.var / "edge" if folder is None else folder)
    # Before the models' threads, each of which would get a heap of its own.
    malloc.give_back()
    try:
        watched.open()
        models = Models()
    except (ArtifactError, FolderError) as error:
        raise EdgeError(str(error)) from error
    return Server(settings, create_app(settings, models, watched, language))
