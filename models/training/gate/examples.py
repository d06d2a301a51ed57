"""What the gate learns from and what it is tested on, each image with its group and its fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models import phantom
from models.dataset import Dataset, DatasetError, counted, tree
from models.dataset.faults import Faults
from models.dataset.folder import NO_IMAGE, is_image
from models.gate import Reason, appearance, measurement
from models.gate.spine import centred
from models.image import recipe
from models.image.errors import ScanError
from models.image.recipe import Canonical
from models.image.scan import Scan
from models.phantom import Artefact
from models.reading import read
from models.training.augmentation import Augmentation
from models.training.gate import compositing, stranger

Origin = Literal["real", "phantom", "drawn"]

CODES: Final = {
    1: Reason.OBJECTS_NOT_REMOVED,
    2: Reason.IMPLANT,
    3: Reason.OBESITY_NOISE,
    4: Reason.SCAN_AREA,
    5: Reason.MOVEMENT,
    6: Reason.DEGENERATIVE,
}
"""NHANES's numbers, as phantoms carry them."""

STILL_A_SPINE: Final = frozenset(
    {
        Reason.IMPLANT,
        Reason.OBJECTS_NOT_REMOVED,
        Reason.SCAN_AREA,
        Reason.MOVEMENT,
        Reason.DEGENERATIVE,
    }
)
"""Faults that must not make an image look like something else than a spine."""


@dataclass(frozen=True)
class Amount:
    """How many of each: ``views`` of a true scan, ``phantoms`` without fault, ``spoilt`` for each
    artefact, ``invented`` of each kind.
    """

    views: int = 3
    phantoms: int = 200
    spoilt: int = 40
    invented: int = 60


@dataclass(eq=False)
class Examples:
    """Lists of one length. ``spine`` None: not told to the spine model. ``fitted`` False: only
    scored, by a model that has not seen the group. ``centred`` is the appearance of the image with
    its bright band in the middle.
    """

    kinds: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    faults: list[Reason | None] = field(default_factory=list)
    spine: list[bool | None] = field(default_factory=list)
    fitted: list[bool] = field(default_factory=list)
    appearances: list[NDArray[np.float32]] = field(default_factory=list)
    measurements: list[NDArray[np.float32]] = field(default_factory=list)
    centred: list[NDArray[np.float32]] = field(default_factory=list)

    def add(
        self,
        image: Canonical,
        kind: str,
        group: str,
        origin: Origin,
        fault: Reason | None = None,
        *,
        spine: bool | None,
        fitted: bool = True,
    ) -> None:
        self.kinds.append(kind)
        self.groups.append(group)
        self.origins.append(origin)
        self.faults.append(fault)
        self.spine.append(spine)
        self.fitted.append(fitted)
        self.appearances.append(appearance.features(image))
        self.measurements.append(measurement.vector(image))
        self.centred.append(appearance.features(centred(image)))


def collect(data: Dataset, others: Path, amount: Amount, seed: int) -> Examples:
    """Return everything made of ``data``, of the images below ``others``, and of nothing at all.

    Raises :class:`DatasetError` where ``others`` holds no image, or some that cannot be read.
    """
    strangers = _strangers(others)
    examples = Examples()
    rng = np.random.default_rng([seed, 0])
    for image, group in zip(data.images, data.groups, strict=True):
        _add_scan(examples, image, group, amount, rng)
    _add_phantoms(examples, amount, np.random.default_rng([seed, 1]), held_out=False)
    _add_phantoms(examples, amount, np.random.default_rng([seed, 2]), held_out=True)
    _add_others(examples, strangers, np.random.default_rng([seed, 3]))
    rng = np.random.default_rng([seed, 4])
    for kind, invent in stranger.INVENTIONS.items():
        fault = Reason.BURNED_IN_SHEET if kind == "text" else None
        for number in range(amount.invented):
            image = recipe.frame(Scan(invent(rng), 8, "png"))
            examples.add(image, kind, f"{kind}-{number}", "drawn", fault, spine=False)
    return examples


def _strangers(others: Path) -> list[tuple[Path, Scan]]:
    faults, skipped, found = Faults(), Counter[str](), []
    for path in tree.files(others, others, skipped, faults, str):
        if not is_image(path, faults, str(path)):
            skipped[NO_IMAGE] += 1
            continue
        try:
            found.append((path, read(path.read_bytes())))
        except ScanError as error:
            faults.add(f"{path}: {error}")
    faults.check()
    if not found:
        raise DatasetError(
            f"no images below {others}; expected a sub-folder for each kind; skipped were "
            f"{counted(skipped)}"
        )
    return found


def _add_scan(
    examples: Examples, image: Canonical, group: str, amount: Amount, rng: np.random.Generator
) -> None:
    moved = Augmentation(shift=0.08, zoom=0.15)
    examples.add(image, "dxa", group, "real", spine=True)
    bare = compositing.lifted(image)[0].astype(np.uint8)
    examples.add(bare, "dxa, without lines", group, "real", spine=True)
    for _ in range(amount.views):
        examples.add(moved.apply(image, rng), "dxa, moved", group, "real", spine=True)
    for kind, changed in turned_wrongly(image):
        examples.add(changed, f"dxa, {kind}", group, "drawn", spine=False)
    upside_down = image[::-1]
    examples.add(
        upside_down, "dxa, upside down", group, "real", Reason.UPSIDE_DOWN, spine=None, fitted=False
    )
    for fault, spoil in compositing.SPOILERS.items():
        spine = True if fault in STILL_A_SPINE else None
        spoilt = spoil(image, rng, compositing.TRAINING)
        examples.add(spoilt, f"dxa, {fault}, as in training", group, "real", fault, spine=spine)
        spoilt = spoil(image, rng, compositing.HELD_OUT)
        kind = f"dxa, {fault}"
        examples.add(spoilt, kind, group, "real", fault, spine=None, fitted=False)
    sheet = recipe.frame(Scan(stranger.sheet(image, rng), 8, "png"))
    examples.add(sheet, "report sheet", group, "drawn", Reason.BURNED_IN_SHEET, spine=False)


def turned_wrongly(image: Canonical) -> Iterator[tuple[str, Canonical]]:
    """Yield a true scan as no scanner shows it."""
    yield "inverted", np.asarray(255 - image)
    yield "on its side", np.rot90(image).copy()
    yield "on its other side", np.rot90(image, 3).copy()


def _add_phantoms(
    examples: Examples, amount: Amount, rng: np.random.Generator, *, held_out: bool
) -> None:
    nuisance = phantom.HELD_OUT if held_out else phantom.TRAINING
    by = compositing.HELD_OUT if held_out else compositing.TRAINING
    name = "held-out phantom" if held_out else "phantom"

    def add(image: Canonical, kind: str, fault: Reason | None) -> None:
        group = f"{name}-{len(examples.kinds)}"
        spine = True if fault is None or fault in STILL_A_SPINE else None
        kind = f"{name}, {kind}" if kind else name
        examples.add(image, kind, group, "phantom", fault, spine=spine, fitted=not held_out)

    for number in range(amount.phantoms):
        drawn = phantom.draw(rng, nuisance=nuisance, artefact=Artefact.NONE)
        image = recipe.frame(drawn.scan)
        add(image, "", None)
        if number < amount.spoilt:
            off = compositing.off_centre(image, rng, by)
            add(off, Reason.OFF_CENTRE, Reason.OFF_CENTRE)
    for artefact in Artefact:
        fault = CODES.get(artefact.code)
        if fault is not None:
            for _ in range(amount.spoilt):
                drawn = phantom.draw(rng, nuisance=nuisance, artefact=artefact)
                add(recipe.frame(drawn.scan), fault, fault)


def _add_others(
    examples: Examples, strangers: list[tuple[Path, Scan]], rng: np.random.Generator
) -> None:
    moved = Augmentation(shift=0.08, zoom=0.15)
    for path, scan in strangers:
        image = recipe.frame(scan)
        kind = path.parent.name
        for view, changed in (
            ("", image),
            (", moved", moved.apply(image, rng)),
            (", inverted", np.asarray(255 - image)),
        ):
            examples.add(changed, kind + view, path.name, "drawn", spine=False)
