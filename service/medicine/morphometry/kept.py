"""Points that a reader keeps of a result: versions that are added, of which the last counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from pydantic import Field

from models.vertebrae.morphometry import Graded, LateralLevel
from service.errors import CodedError, Fault
from service.language.locale import N_
from service.medicine.morphometry.schemas import (
    EXAMPLE,
    LABEL,
    SOURCE,
    Part,
    Points,
    PointsError,
    Vertebra,
    VertebraAnswer,
    read,
)

ELSEWHERE: Final = frozenset({"other_body_part"})
"""Reasons by which an image shows no spine at all."""


class NotLateralError(CodedError):
    """Points of a frontal image, or of another part of the body, are not kept."""

    code = "not_lateral"

    def __init__(self) -> None:
        super().__init__(N_("The image was taken for another one than a lateral one of the spine."))


class Quality(Part):
    reasons: tuple[str, ...]


class Size(Part):
    width: int
    height: int


class Picture(Part):
    """As much of a result as says of which image it is."""

    outcome: str
    quality: Quality
    image: Size

    @property
    def may_be_lateral(self) -> bool:
        """Whether the gate has not taken it for a frontal image, or one of another body part.

        It names a lateral view only where nothing else speaks against an image, so that any other
        reason leaves it to the reader.
        """
        return may_be_lateral(self.outcome, self.quality.reasons)

    def take(self, points: Points) -> tuple[Graded, ...]:
        """Return what follows from ``points`` of this image.

        Raises :class:`NotLateralError`, or
        :class:`~service.medicine.morphometry.schemas.PointsError` also for points outside of it.
        """
        if not self.may_be_lateral:
            raise NotLateralError
        outside = [
            Fault(
                f"vertebrae.{number}",
                "outside",
                _OUTSIDE,
                {"width": str(self.image.width), "height": str(self.image.height)},
            )
            for number, one in enumerate(points.vertebrae)
            if not all(
                0 <= x <= self.image.width and 0 <= y <= self.image.height
                for x, y in (*one.upper, *one.lower)
            )
        ]
        if outside:
            raise PointsError(outside)
        return points.graded()


_OUTSIDE: Final = N_(
    "A point lies outside of the image, which is %(width)s pixels wide and %(height)s high."
)


def may_be_lateral(outcome: str, reasons: Collection[str]) -> bool:
    """Return what :attr:`Picture.may_be_lateral` says."""
    return outcome == "refused" and not ELSEWHERE & set(reasons)


class KeptVertebra(Vertebra):
    as_proposed: bool = Field(
        description="Whether the reader has kept the points as they were proposed, unmoved."
    )


class KeptPoints(Part):
    """One version: what was kept then, and by whom."""

    number: int = Field(ge=1, description="Which version of this result's points; the last counts.")
    kept_at: datetime
    by: str | None = Field(description="The reader's name then; null where nobody signs in.")
    person_id: UUID | None = Field(description="Whose account it was; null where nobody signs in.")
    vertebrae: tuple[KeptVertebra, ...] = Field(description="Empty: they were removed.")
    pixel_aspect: float = Field(description="Height of a pixel over its width.")

    def graded(self) -> tuple[Graded, ...]:
        """Return what follows of each vertebra; nothing where they were removed."""
        return () if self.points is None else self.points.graded()

    @property
    def points(self) -> Points | None:
        """The points alone; None where they were removed."""
        if not self.vertebrae:
            return None
        return Points(vertebrae=self.vertebrae, pixel_aspect=self.pixel_aspect)

    @property
    def as_proposed(self) -> frozenset[LateralLevel]:
        """Levels whose points are those that were proposed."""
        return frozenset(one.level for one in self.vertebrae if one.as_proposed)

    def says(self, points: Points | None) -> bool:
        """Return whether ``points`` are those of this version."""
        if points is None or not self.vertebrae:
            return points is None and not self.vertebrae
        return points.pixel_aspect == self.pixel_aspect and [
            (one.level, one.upper, one.lower) for one in points.vertebrae
        ] == [(one.level, one.upper, one.lower) for one in self.vertebrae]


def vertebrae(
    points: Points | None, proposed: Mapping[LateralLevel, Vertebra]
) -> tuple[KeptVertebra, ...]:
    """Return ``points`` as they are kept: those that are ``proposed`` ones are said to be."""
    return tuple(
        KeptVertebra(
            level=one.level, upper=one.upper, lower=one.lower, as_proposed=_same(one, proposed)
        )
        for one in (() if points is None else points.vertebrae)
    )


def _same(one: Vertebra, proposed: Mapping[LateralLevel, Vertebra]) -> bool:
    found = proposed.get(one.level)
    return found is not None and (found.upper, found.lower) == (one.upper, one.lower)


def version(kept: Sequence[KeptPoints]) -> str:
    """Return what tells these versions of a result's points from those after one more."""
    return str(kept[-1].number if kept else 0)


def is_after(kept: KeptPoints, signed_at: datetime | None) -> bool | None:
    """Return whether ``kept`` came after a signature; None where none stands."""
    return None if signed_at is None else kept.kept_at > signed_at


class KeptVertebraAnswer(VertebraAnswer):
    upper: tuple[tuple[float, float], ...] = Field(description="As it was kept, front to back.")
    lower: tuple[tuple[float, float], ...] = Field(description="As it was kept, front to back.")
    as_proposed: bool = Field(description="Kept as proposed, unmoved; else set by the reader.")


class KeptAnswer(Part):
    """One version with what follows from it."""

    number: int
    kept_at: datetime
    by: str | None = Field(description="The reader's name then; null where nobody signs in.")
    person_id: UUID | None
    after_signature: bool | None = Field(
        description="Whether it was kept after the signature that stands, which is not of it then; "
        "null where nobody has signed."
    )
    pixel_aspect: float
    vertebrae: tuple[KeptVertebraAnswer, ...] = Field(description="Empty: they were removed.")

    @classmethod
    def of(cls, kept: KeptPoints, signed_at: datetime | None) -> Self:
        sent = {one.level: one for one in kept.vertebrae}
        return cls(
            number=kept.number,
            kept_at=kept.kept_at,
            by=kept.by,
            person_id=kept.person_id,
            after_signature=is_after(kept, signed_at),
            pixel_aspect=kept.pixel_aspect,
            vertebrae=tuple(
                KeptVertebraAnswer(
                    **dict(VertebraAnswer.of(one)),
                    upper=sent[one.level].upper,
                    lower=sent[one.level].lower,
                    as_proposed=sent[one.level].as_proposed,
                )
                for one in kept.graded()
            ),
        )


class HeightsAnswer(Part):
    """Every version of a result's points."""

    label: str = LABEL
    source: str = SOURCE
    versions: tuple[KeptAnswer, ...] = Field(description="The first one first; the last counts.")

    @classmethod
    def of(cls, kept: Sequence[KeptPoints], signed_at: datetime | None) -> Self:
        return cls(versions=tuple(KeptAnswer.of(one, signed_at) for one in kept))


def example() -> dict[str, object]:
    """Return the answer with :data:`~service.medicine.morphometry.schemas.EXAMPLE` kept."""
    one = KeptPoints(
        number=1,
        kept_at=datetime.fromisoformat("2026-02-03T10:12:44.031000+00:00"),
        by="A. Reader",
        person_id=UUID("3c1f0d52-7e0b-4f4b-9a36-5d0f1c7f2b18"),
        vertebrae=vertebrae(read(EXAMPLE), {}),
        pixel_aspect=1.0,
    )
    return HeightsAnswer.of([one], None).model_dump(mode="json")
