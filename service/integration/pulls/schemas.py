"""What archives are asked for, and what becomes of it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, Self
from uuid import UUID

from pydicom.uid import RE_VALID_UID

from service.clock import now
from service.integration.archives import Archive
from service.integration.ledger.schemas import Lease, PullState

StudyState = Literal["waiting", "fetched", "skipped", "failed"]
UNDER_WAY: Final[tuple[PullState, ...]] = ("asked", "fetching")

_WILD: Final = "*?\\"
_LONGEST: Final = 64


class QuestionError(ValueError):
    """An archive may not be asked this; the message is a sentence."""


def is_uid(value: str) -> bool:
    """Whether ``value`` is a UID (PS3.5 section 9.1)."""
    return len(value) <= _LONGEST and re.fullmatch(RE_VALID_UID, value) is not None


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which studies are wanted: those that all of it fits. Raises :class:`QuestionError`."""

    study_uid: str = ""
    accession: str = ""
    patient: str = dataclasses.field(default="", repr=False)
    issuer: str = dataclasses.field(default="", repr=False)
    since: date | None = None
    until: date | None = None
    """Both days are part of it."""
    modalities: tuple[str, ...] = ()
    most: int = 100
    """Studies; of a question that more fit none is fetched."""

    def __post_init__(self) -> None:
        if not (self.study_uid or self.accession or self.patient or self.since):
            raise QuestionError(
                "Say which: a study, an accession number, a patient, or since which day."
            )
        if self.issuer and not self.patient:
            raise QuestionError("An issuer is of a patient's number, which is missing.")
        if self.since and self.until and self.until < self.since:
            raise QuestionError("The last day is before the first.")
        for value in (self.accession, self.patient, self.issuer):
            if len(value) > _LONGEST or not value.isprintable() or any(c in value for c in _WILD):
                raise QuestionError(
                    "A number is printable, has at most 64 characters, and none of * ? \\."
                )
        if self.study_uid and not is_uid(self.study_uid):
            raise QuestionError("A UID is made of something else than numbers and dots.")

    @classmethod
    def lately(cls, archive: Archive) -> Self:
        """Return what ``archive`` is asked for by the clock."""
        since = now().date() - timedelta(days=archive.back_days)
        return cls(since=since, modalities=archive.modality, most=archive.most)

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        found = dataclasses.asdict(self)
        return {
            **found,
            "since": self.since and self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
            "modalities": list(self.modalities),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Return what :meth:`document` has made JSON of."""
        days = {
            name: date.fromisoformat(document[name]) if document[name] else None
            for name in ("since", "until")
        }
        return cls(**{**document, **days, "modalities": tuple(document["modalities"])})


@dataclass(frozen=True, kw_only=True)
class Pull(Lease):
    """A question that is worked on."""

    site: str
    archive: str
    scheduled: bool
    question: Question
    found: int | None
    """None: the archive has not answered yet."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study that an archive has; ``series`` None: all of them are wanted."""

    study_uid: str
    series: tuple[str, ...] | None = None
    instances: int | None = None
    """Objects that the archive has of it, as far as it says so."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What became of a study; ``reason`` None: the archive has sent all of it."""

    objects: int = 0
    reason: str | None = None
    passes: bool = True
    """Whether another attempt may succeed."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a question has come. ``studies``: how many are in each state."""

    id: UUID
    state: PullState
    reason: str | None
    found: int | None
    studies: Mapping[str, int]
    objects: int
    changed_at: datetime
    failures: tuple[tuple[str, str], ...] = ()
    """Study Instance UID and reason of those that failed."""
