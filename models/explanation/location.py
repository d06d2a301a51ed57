"""Does the evidence that a map shows lie in the spine? Measured where the spine is known: phantoms,
and scans from which drawn outlines were removed.

For each image, the share of the map's evidence inside the spine is held against the spine's share
of what the network looks at, since it can put none beside: with more, it is *inside*. Counted for
all evidence, which is what opacity shows, and for each sign by itself, which is what the two
colours show. A count is *more than chance* when a fair coin would give it, or more, in less than
one case in twenty (one-sided binomial test). Of phantoms and scans the worse counts.

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
    inside, divided by the spine's share of what the network looks at."""

    inside: int
    images: int
    ratio: float

    @property
    def beyond_chance(self) -> bool:
        tail = sum(math.comb(self.images, k) for k in range(self.inside, self.images + 1))
        return self.images > 0 and tail / 2**self.images < LEVEL


@dataclass(frozen=True)
class Evidence:
    """What was measured on one kind of image: all evidence, that for osteoporosis, that against."""

    either: Inside
    speaks_for: Inside
    speaks_against: Inside

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        return cls(**{name: Inside(**value) for name, value in fields.items()})


@dataclass(frozen=True)
class Location:
    """What was measured of one ``version``; ``scans`` is None where no outlines were known."""

    version: str
    phantoms: Evidence
    scans: Evidence | None = None

    @property
    def either(self) -> Inside:
        return self._worse("either")

    @property
    def speaks_for(self) -> Inside:
        return self._worse("speaks_for")

    @property
    def speaks_against(self) -> Inside:
        return self._worse("speaks_against")

    def _worse(self, part: str) -> Inside:
        found: list[Inside] = [
            getattr(one, part) for one in (self.phantoms, self.scans) if one is not None
        ]
        return min(found, key=lambda one: (one.beyond_chance, one.ratio))

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        scans = fields["scans"]
        return cls(
            fields["version"],
            Evidence.from_json(fields["phantoms"]),
            None if scans is None else Evidence.from_json(scans),
        )

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
            "Measured after training, on drawn spines and on scans without their drawn lines, of "
            "which the worse is told: on how many a map's evidence lay in the spine more than the "
            "spine's share of what the network looks at, the median of that ratio, and whether the "
            "count is more than chance. A colour that is not carries a warning beside the map. "
            "Phantoms say nothing of clinical accuracy.",
            "",
            "| evidence | in the spine | ratio | more than chance |",
            "|---|---|---|---|",
            *rows,
            "",
        ])  # fmt: skip


def measure(maps: NDArray[np.float32], spines: NDArray[np.bool_]) -> Evidence:
    """``maps`` are (n, h, w), ``spines`` (n, 224, 224), true where the spine is.

    Where none of the maps has evidence, the network does not look: networks see the column alone.
    """
    cells = Image.fromarray((maps != 0).any(0))
    seen = np.asarray(cells.resize((SIDE, SIDE), Image.Resampling.NEAREST), bool)
    full = np.stack([_full(one) for one in maps]) * seen
    inside = spines & seen
    share = inside.sum((1, 2)) / max(np.count_nonzero(seen), 1)
    return Evidence(
        either=_inside(np.abs(full), inside, share),
        speaks_for=_inside(np.maximum(full, 0), inside, share),
        speaks_against=_inside(np.maximum(-full, 0), inside, share),
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


def _inside(
    evidence: NDArray[np.float32], spines: NDArray[np.bool_], chance: NDArray[np.float64]
) -> Inside:
    ratios = np.array([
        # Nothing lies in a spine of which the network sees nothing.
        one[spine].sum() / one.sum() / share if share else 0.0
        for one, spine, share in zip(evidence, spines, chance, strict=True)
        if one.sum() > 0
    ])  # fmt: skip
    if not len(ratios):
        return Inside(0, 0, 0.0)
    return Inside(int((ratios > 1).sum()), len(ratios), round(float(np.median(ratios)), 3))
