"""One exam's place in its patient's course: what it changed, and, of the newest, what is ahead."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from service.exams.schemas import Exam
from service.identity.actor import Actor
from service.medicine.progression.change import Change, course
from service.medicine.progression.outlook import Outlook, outlook
from service.medicine.progression.precision import Precision
from service.predictions.timeline import Timeline

Course = Callable[[Actor, UUID], Awaitable[Timeline | None]]
"""Returns the exams of the patient with a key."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A change against an exam that can be compared, and when that was acquired."""

    change: Change
    since: date


@dataclass(frozen=True, kw_only=True)
class Place:
    """``outlook`` is None where a later exam has a BMD: what is ahead is told of that one."""

    changes: tuple[Changed, ...] = ()
    outlook: Outlook | None = None


def place(exams: Sequence[Exam], prediction_id: UUID, precision: Precision) -> Place:
    """Return the place of one of ``exams``, which are all that are known of a patient."""
    days = {exam.prediction_id: exam.acquired_on for exam in exams}
    points = [one for one in course(exams, precision) if one.exam.prediction_id == prediction_id]
    # Of two exams of one day the one right before is told.
    changes: dict[date, Changed] = {}
    for change in (change for point in points for change in (point.previous, point.baseline)):
        since = None if change is None else days[change.earlier]
        if change is not None and since is not None and change.verdict != "not_comparable":
            changes.setdefault(since, Changed(change=change, since=since))
    found = outlook(exams, precision)
    alike = found.history.alike
    newest = bool(alike) and alike[-1].prediction_id == prediction_id
    return Place(changes=tuple(changes.values()), outlook=found if newest else None)


class Places:
    """Looks up the places of exams, by the facility's own precision."""

    def __init__(self, timeline: Course, precision: Precision) -> None:
        self._timeline = timeline
        self._precision = precision

    async def of(self, actor: Actor, exam: Exam) -> Place | None:
        """Return where ``exam`` stands; None where nobody has said whose it is.

        Raises :class:`~service.storage.errors.StorageError`.
        """
        if exam.patient_key is None:
            return None
        found = await self._timeline(actor, exam.patient_key)
        if found is None:
            return None
        exams = [one for one, _ in found.exams]
        return await asyncio.to_thread(place, exams, exam.prediction_id, self._precision)
