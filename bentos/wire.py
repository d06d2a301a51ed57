"""What runners take and answer over HTTP.

Everything is checked before it enters the batching queue. It is read here, from the request itself:
BentoML's own readers would fetch a URL that stands where a file should, and write each image to a
temporary file. Pixels travel as they are: compressing and unpacking them takes longer than sending
them next door.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self, TypeVar

import numpy as np
from bentoml import IODescriptor
from bentoml.exceptions import BadInput
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from bentos.admission import CALL, LARGEST, MAX_IMAGES
from bentos.queue import Call, Dropped, Item
from models.image import recipe
from models.image.recipe import Canonical, RecipeError
from models.vertebrae import graphics
from models.vertebrae.geometry import LevelName, Outlined, Point

T = TypeVar("T")


RECIPE_HEADER: Final = "x-recipe"
COUNT_HEADER: Final = "x-count"


@dataclass(frozen=True, eq=False)
class Question:
    """One canonical image, and whether its call wants its heat map."""

    image: Canonical
    with_map: bool


class ImagesInput(IODescriptor):
    """The pixels of 1…64 canonical images one after another, as
    ``models.image.recipe.pack`` joins them.

    The header ``X-Recipe`` names the recipe that made them; ``?map=true`` asks for heat maps.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    items: list[Any]

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> ImagesInput:  # noqa: ARG003 - reads the request itself
        """Raises ``BadInput`` (400) for anything else."""
        images = await _pixels(request, recipe.NAME)
        with_map = request.query_params.get("map") == "true"
        return cls(items=_items(request, [Question(image, with_map) for image in images]))


class FramesInput(IODescriptor):
    """The same of whole images, made by ``models.image.recipe.frame``."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    items: list[Any]

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> FramesInput:  # noqa: ARG003 - reads the request itself
        """Raises ``BadInput`` (400) for anything else."""
        return cls(items=_items(request, list(await _pixels(request, recipe.FRAME))))


async def _pixels(request: Request, wanted: str) -> NDArray[np.uint8]:
    try:
        return recipe.unpack(
            await request.body(), request.headers.get(RECIPE_HEADER, ""), MAX_IMAGES, wanted
        )
    except RecipeError as error:
        raise BadInput(str(error)) from error


def count_images(headers: Headers) -> int:
    """Return how many images a body of the declared length holds, 0 where it cannot be images."""
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit() or int(length) > LARGEST:
        return 0
    return int(length) // recipe.BYTES


def count_sets(headers: Headers) -> int:
    """Return how many sets of votes the headers announce, 0 where that is no allowed number."""
    count = headers.get(COUNT_HEADER, "1")
    if not count.isascii() or not count.isdigit() or not 1 <= int(count) <= MAX_IMAGES:
        return 0
    return int(count)


def _items(request: Request, contents: list[T]) -> list[Item[T]]:
    call: Call = request.scope[CALL]
    if call.count != len(contents):
        raise BadInput(f"{len(contents)} came where the headers let expect {call.count}")
    return [Item(content, call, index) for index, content in enumerate(contents)]


class _Answers(IODescriptor):
    """What a call is answered. BentoML's own writer would draw up a JSON schema for every answer,
    which took a third of a call's processor time."""

    written: ClassVar[TypeAdapter[Any]]

    @classmethod
    async def to_http_response(cls, obj: Any, serde: Any) -> Response:  # noqa: ARG003 - writes JSON
        return Response(cls.written.dump_json(obj), media_type="application/json")


class MeasurementAnswer(BaseModel):
    """One measurement of the bone: its value, and the logits that it added."""

    name: str
    value: float
    contribution: float


class VoteAnswer(BaseModel):
    """What a base runner says of one image."""

    probability: float = Field(description="calibrated, 0…1")
    version: str
    recipe: str
    threshold: float
    band: tuple[float, float]
    auroc: float = Field(description="of this version, cross-validated")
    map: list[list[float]] | None = Field(description="evidence per region, rows from the top")
    measurements: list[MeasurementAnswer] | None = Field(
        description="what bone weighed, the weightiest first; null of any other"
    )


class LevelAnswer(BaseModel):
    """One vertebra, in pixels of the frame."""

    level: LevelName
    outline: list[Point]
    centre: Point
    area: float
    confidence: float


class OutlineAnswer(BaseModel):
    """What the vertebrae runner says of one frame."""

    version: str
    recipe: str
    levels: list[LevelAnswer] = Field(description="from the top; empty: no spine was found")
    graphics: str = Field(description="base64 of the packed bits of the (224, 224) mask")

    @classmethod
    def of(cls, outlined: Outlined, version: str) -> Self:
        levels = outlined.spine.levels if outlined.spine else ()
        return cls(
            version=version,
            recipe=recipe.FRAME,
            levels=[
                LevelAnswer(
                    level=one.level,
                    outline=[(round(x, 1), round(y, 1)) for x, y in one.outline],
                    centre=one.centre,
                    area=one.area,
                    confidence=one.confidence,
                )
                for one in levels
            ],
            graphics=graphics.encode(outlined.graphics),
        )


class DroppedAnswer(BaseModel):
    """In an answer's place where there is none."""

    dropped: Dropped


class VotesOutput(_Answers):
    """A list of :class:`VoteAnswer` and :class:`DroppedAnswer`, as JSON."""

    written: ClassVar[TypeAdapter[Any]] = TypeAdapter(list[VoteAnswer | DroppedAnswer])


class OutlinesOutput(_Answers):
    """A list of :class:`OutlineAnswer` and :class:`DroppedAnswer`, as JSON."""

    written: ClassVar[TypeAdapter[Any]] = TypeAdapter(list[OutlineAnswer | DroppedAnswer])


class CastVote(BaseModel):
    """One base model's vote as the stack takes it."""

    model_config = ConfigDict(extra="forbid")

    probability: float = Field(ge=0, le=1)
    version: str = Field(max_length=80)


class Ballots(BaseModel):
    """JSON ``{"votes": [{"cnn": {"probability": …, "version": …}, …}, …]}``, one set an image."""

    votes: list[dict[str, CastVote]] = Field(min_length=1, max_length=MAX_IMAGES)


class VotesInput(IODescriptor):
    """See :class:`Ballots`. The header ``X-Count`` says how many sets there are, if not one."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    items: list[Any]

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> VotesInput:  # noqa: ARG003 - reads the request itself
        """Raises ``BadInput`` (400) for anything else, whatever the content type says."""
        try:
            ballots = Ballots.model_validate_json(await request.body())
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
                for fault in error.errors(include_input=False)[:5]
            )
            raise BadInput(f"votes could not be read: {faults}") from error
        return cls(items=_items(request, ballots.votes))


class VerdictAnswer(BaseModel):
    """What the stack says of one image. ``probability`` is null when no vote could be used."""

    probability: float | None
    threshold: float | None
    band: tuple[float, float] | None
    contributions: dict[str, float]
    intercept: float | None
    used: list[str]
    missing: list[str]
    version: str
    recipe: str


class VerdictsOutput(_Answers):
    """A list of :class:`VerdictAnswer` and :class:`DroppedAnswer`, as JSON."""

    written: ClassVar[TypeAdapter[Any]] = TypeAdapter(list[VerdictAnswer | DroppedAnswer])
