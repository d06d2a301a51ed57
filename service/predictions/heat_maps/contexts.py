"""Which heat maps a result's page and its sheet offer, and why not the others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from models.explanation.location import Location
from service.language.formats import number
from service.language.locale import N_, _
from service.predictions.heat_maps.localisation import located
from service.predictions.schemas import Prediction
from service.runners.registry import MODEL_NAMES
from service.types import MAPPED, BaseName


@dataclass(frozen=True, kw_only=True)
class Map:
    """Where a model's heat map can be had; without ``address``, why it cannot.

    ``cautions`` say what its colours must not be taken for: only where maps are shown for research
    that failed their check.
    """

    model: BaseName
    name: str
    address: str | None
    why: str
    cautions: tuple[str, ...]


_NOWHERE: Final = N_(
    "No heat map: where the spine is known this model’s evidence lay in it no more than by chance."
)
_FAILED: Final = N_(
    "No heat map: where the spine is known one of its colours lay in it no more than by chance."
)
_CHANCE: Final = N_(
    "For research alone: where the spine is known this map lay in it no more than by chance."
)
_UNKNOWN: Final = N_("It has not been measured whether this version’s map lies in the spine.")
_FOR: Final = N_(
    "Do not take orange for a place of disease: where the spine is known it favoured it on "
    "%(inside)s of %(images)s only, no more than by chance."
)
_AGAINST: Final = N_(
    "Do not take blue for sound bone: where the spine is known it favoured it on %(inside)s of "
    "%(images)s only, no more than by chance."
)


def maps(
    prediction: Prediction, out_of_reach: Collection[BaseName] = (), *, research: bool = False
) -> tuple[Map, ...]:
    """Return every model that draws maps; one is offered where it passed its check
    (:mod:`models.explanation.location`), or for ``research`` all the same, with what failed.

    ``out_of_reach`` names those that voted and cannot be asked now. Empty where none voted.
    """
    if not prediction.models:
        return ()
    return tuple(_map(prediction, name, name in out_of_reach, research) for name in MAPPED)


def _map(prediction: Prediction, name: BaseName, away: bool, research: bool) -> Map:
    vote = prediction.models.get(name)
    cautions: tuple[str, ...] = ()
    if vote is None:
        why = _("No heat map: the model did not answer.")
    elif away:
        why = _("No heat map: the model is not running now.")
    else:
        where = located(name, vote.version)
        why, cautions = _refusal(where), _cautions(where)
        if research:
            why = ""
    address = None if why else f"/api/v1/predictions/{prediction.id}/maps/{name}"
    return Map(
        model=name,
        name=MODEL_NAMES[name],
        address=address,
        why=why,
        cautions=() if why else cautions,
    )


def _refusal(where: Location | None) -> str:
    """Return why a map is not shown to readers; empty where it may be."""
    if where is None:
        return _("No heat map: it has not been measured whether this version’s lies in the spine.")
    if not where.either.beyond_chance:
        return _(_NOWHERE)
    if not (where.speaks_for.beyond_chance and where.speaks_against.beyond_chance):
        return _(_FAILED)
    return ""


def _cautions(where: Location | None) -> tuple[str, ...]:
    if where is None:
        return (_(_UNKNOWN),)
    failed = () if where.either.beyond_chance else (_(_CHANCE),)
    colours = ((_FOR, where.speaks_for), (_AGAINST, where.speaks_against))
    return (
        *failed,
        *(
            _(sentence, inside=number(found.inside), images=number(found.images))
            for sentence, found in colours
            if not found.beyond_chance
        ),
    )
