"""What runners take and answer over HTTP.

Everything is checked before it enters the batching queue: BentoML gives one bad item's error to
the whole batch, and neighbours have done nothing wrong. It is also read here, from the request
itself: BentoML's own multipart reader would fetch a URL that stands where a file should, and write
each image to a temporary file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bentoml import IODescriptor
from bentoml.exceptions import BadInput
from opentelemetry.trace import SpanContext
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from models import recipe
from models.recipe import Canonical, RecipeError
from telemetry.tracing import here

MAX_IMAGES: Final = 64
"""Images, or sets of votes, in one call."""


@dataclass(frozen=True, eq=False)
class Item:
    """One canonical image of a call, and whether the call wants its heat map."""

    image: Canonical
    with_map: bool
    origin: SpanContext | None = None
    """The span of the call, under which its computing is shown."""


class ImagesInput(IODescriptor):
    """Multipart with one field ``images`` an image, each as ``models.recipe.encode`` makes it.

    ``?map=true`` asks for heat maps.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    items: list[Any]

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> ImagesInput:  # noqa: ARG003 - reads the request itself
        """Raises ``BadInput`` (400) for anything but 1…64 canonical images."""
        try:
            async with request.form(max_files=MAX_IMAGES, max_fields=0) as form:
                parts = form.getlist("images")
                if not parts or len(form.multi_items()) != len(parts):
                    raise BadInput("only the field `images` is allowed, 1 to 64 times")
                contents = [await part.read() for part in parts if isinstance(part, UploadFile)]
        except HTTPException as error:
            raise BadInput(f"images could not be read: {error.detail}") from error
        with_map = request.query_params.get("map") == "true"
        try:
            items = [Item(recipe.decode(content), with_map, here()) for content in contents]
        except RecipeError as error:
            raise BadInput(str(error)) from error
        return cls(items=items)


class VoteAnswer(BaseModel):
    """What a base runner says of one image."""

    probability: float = Field(description="calibrated, 0…1")
    version: str
    recipe: str
    threshold: float
    band: tuple[float, float]
    auroc: float = Field(description="of this version, cross-validated")
    map: list[list[float]] | None = Field(description="evidence per region, rows from the top")


class CastVote(BaseModel):
    """One base model's vote as the stack takes it."""

    model_config = ConfigDict(extra="forbid")

    probability: float = Field(ge=0, le=1)
    version: str = Field(max_length=80)


class Ballot(dict[str, CastVote]):
    """One image's votes, each under its model's name."""

    origin: SpanContext | None = None
    """The span of the call, under which its computing is shown."""

    @classmethod
    def of(cls, votes: Mapping[str, CastVote], origin: SpanContext | None) -> Ballot:
        ballot = cls(votes)
        ballot.origin = origin
        return ballot


class VotesInput(IODescriptor):
    """JSON ``{"votes": [{"cnn": {"probability": …, "version": …}, …}, …]}``, one set an image."""

    votes: list[dict[str, CastVote]] = Field(min_length=1, max_length=MAX_IMAGES)

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> VotesInput:  # noqa: ARG003 - reads the request itself
        """Raises ``BadInput`` (400) for anything else, whatever the content type says."""
        try:
            votes: VotesInput = cls.model_validate_json(await request.body())
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
                for fault in error.errors(include_input=False)[:5]
            )
            raise BadInput(f"votes could not be read: {faults}") from error
        votes.votes = [Ballot.of(one, here()) for one in votes.votes]
        return votes


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
