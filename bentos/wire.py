"""What runners take and answer over HTTP: the types of ``protocol`` as BentoML's input and output.

Everything is checked before it enters the batching queue. It is read here, from the request itself:
BentoML's own readers would fetch a URL that stands where a file should, and write each image to a
temporary file. Pixels travel as they are: compressing and unpacking them takes longer than sending
them next door.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
from bentoml import IODescriptor
from bentoml.exceptions import BadInput
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from bentos.admission import CALL
from bentos.backlog import Call, Item
from models.image import recipe
from models.image.recipe import Canonical, RecipeError
from protocol import headers
from protocol.answers import (
    BasePrediction,
    Dropped,
    EnsemblePrediction,
    EnsembleRequest,
    NoEnsemblePrediction,
    Outline,
)
from protocol.headers import MAX_BYTES, MAX_ITEMS

T = TypeVar("T")


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
            await request.body(), request.headers.get(headers.RECIPE, ""), MAX_ITEMS, wanted
        )
    except RecipeError as error:
        raise BadInput(str(error)) from error


def count_images(sent: Headers) -> int:
    """Return how many images a body of the declared length holds, 0 where it cannot be images."""
    length = sent.get("content-length", "")
    if not length.isascii() or not length.isdigit() or int(length) > MAX_BYTES:
        return 0
    return int(length) // recipe.BYTES


def count_sets(sent: Headers) -> int:
    """Return how many sets of base predictions the headers announce, 0 for no allowed number."""
    count = sent.get(headers.COUNT, "1")
    if not count.isascii() or not count.isdigit() or not 1 <= int(count) <= MAX_ITEMS:
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


class BasePredictionsOutput(_Answers):
    """A list of :class:`BasePrediction` and :class:`Dropped`, as JSON."""

    written: ClassVar[TypeAdapter[Any]] = TypeAdapter(list[BasePrediction | Dropped])


class OutlinesOutput(_Answers):
    """A list of :class:`Outline` and :class:`Dropped`, as JSON."""

    written: ClassVar[TypeAdapter[Any]] = TypeAdapter(list[Outline | Dropped])


class BasePredictionsInput(IODescriptor):
    """A :class:`EnsembleRequest`. The header ``X-Count`` says how many sets of base predictions
    there are, if not one."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    items: list[Any]

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> BasePredictionsInput:  # noqa: ARG003 - reads the request itself
        """Raises ``BadInput`` (400) for anything else, whatever the content type says."""
        try:
            asked = EnsembleRequest.model_validate_json(await request.body())
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
                for fault in error.errors(include_input=False)[:5]
            )
            raise BadInput(f"base predictions could not be read: {faults}") from error
        return cls(items=_items(request, asked.votes))


class EnsemblePredictionsOutput(_Answers):
    """A list of :class:`EnsemblePrediction`, :class:`NoEnsemblePrediction` and :class:`Dropped`,
    as JSON."""

    written: ClassVar[TypeAdapter[Any]] = TypeAdapter(
        list[EnsemblePrediction | NoEnsemblePrediction | Dropped]
    )
