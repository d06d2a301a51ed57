"""Does the evidence that a map shows lie in the spine? Measured where the spine is known: phantoms.

For each image, the share of the map's evidence inside the spine is held against the spine's share
of the image: with more, it is *inside*. Counted for all evidence, which is what opacity shows, and
for each sign by itself, which is what the two colours show. A count is *more than chance* when a
fair coin would give it, or more, in less than one case in twenty (one-sided binomial test).

Two rules follow. A map whose evidence as a whole fails is not shown. One of whose signs fails is
shown with a warning on that colour: the forward pass gives the sum of both exactly, and hiding one
would show a model that there is not.

The figures come after training, for an artefact never changes: they lie in ``maps.json`` beside
``served.json``, each with the version that it is of. ``python -m models maps`` writes them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.artifact import ArtifactError
from models.files import replace
from models.image.recipe import SIDE

FILE: Final = "maps.json"
LEVEL: Final = 0.05


@dataclass(frozen=True)
class Inside:
    """Of ``images`` with such evidence, on how many it lay in the spine; ``ratio``: median share
    inside, divided by the spine's share of the image."""

    inside: int
    images: int
    ratio: float

    @property
    def beyond_chance(self) -> bool:
        tail = sum(math.comb(self.images, k) for k in range(self.inside, self.images + 1))
        return self.images > 0 and tail / 2**self.images < LEVEL


@dataclass(frozen=True)
class Location:
    """What was measured of one ``version``: all evidence, that for osteoporosis, that against."""

    version: str
    either: Inside
    speaks_for: Inside
    speaks_against: Inside

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        parts = {name: Inside(**value) for name, value in fields.items() if name != "version"}
        return cls(version=fields["version"], **parts)

    def to_markdown(self) -> str:
        """Return it as Markdown, to stand below the model's card."""
        rows = [
            f"| {name} | {part.inside} of {part.images} | {part.ratio:.2f} | "
            f"{'yes' if part.beyond_chance else '**no**'} |"
            for name, part in (
                ("all of it", self.either),
                ("for osteoporosis (orange)", self.speaks_for),
                ("against it (blue)", self.speaks_against),
            )
        ]
        return "\n".join([
            "## Where its evidence lies",
            "",
            "Measured after training, on drawn spines: on how many of them a map's evidence lay in "
            "the spine more than the spine's share of the image, the median of that ratio, and "
            "whether the count is more than chance. A colour that is not carries a warning beside "
            "the map. Phantoms say nothing of clinical accuracy.",
            "",
            "| evidence | in the spine | ratio | more than chance |",
            "|---|---|---|---|",
            *rows,
            "",
        ])  # fmt: skip


def measure(version: str, maps: NDArray[np.float32], spines: NDArray[np.bool_]) -> Location:
    """``maps`` are (n, h, w), ``spines`` (n, 224, 224), true where the spine is."""
    full = np.stack([_full(one) for one in maps])
    return Location(
        version,
        either=_inside(np.abs(full), spines),
        speaks_for=_inside(np.maximum(full, 0), spines),
        speaks_against=_inside(np.maximum(-full, 0), spines),
    )


def write(root: Path, found: Mapping[str, Location]) -> None:
    told = {name: asdict(one) for name, one in sorted(found.items())}
    replace(root / FILE, (json.dumps(told, indent=1) + "\n").encode())


def read(root: Path) -> dict[str, Location]:
    """Return model name → what was measured of it; empty where nothing was.

    Raises :class:`~models.artifact.ArtifactError`.
    """
    try:
        told = json.loads((root / FILE).read_text(encoding="utf-8"))
        return {name: Location.from_json(one) for name, one in told.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtifactError(f"{FILE} in {root} cannot be read: python -m models maps") from error


def _full(values: NDArray[np.float32]) -> NDArray[np.float32]:
    # As it is painted: the values of cells' centres, bilinear between them.
    picture = Image.fromarray(np.asarray(values, np.float32))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _inside(evidence: NDArray[np.float32], spines: NDArray[np.bool_]) -> Inside:
    ratios = np.array([
        one[spine].sum() / one.sum() / spine.mean()
        for one, spine in zip(evidence, spines, strict=True)
        if one.sum() > 0
    ])  # fmt: skip
    if not len(ratios):
        return Inside(0, 0, 0.0)
    return Inside(int((ratios > 1).sum()), len(ratios), round(float(np.median(ratios)), 3))
