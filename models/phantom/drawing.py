"""How a phantom is drawn: a person lies down, bones get their BMD, an artefact, an image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.phantom.acquisition import Motion, acquire, window
from models.phantom.addition import pattern
from models.phantom.artefact import ADDED, WEIGHTS, Artefact
from models.phantom.bone import Build, vertebra
from models.phantom.field import Field, clouds
from models.phantom.nuisance import TRAINING, Nuisance
from models.phantom.overlay import Box, draw_overlay
from models.phantom.person import Person, draw_person
from models.phantom.phantom import Four, Phantom
from models.phantom.reference import LAMINECTOMY, LEVELS, RATIOS, VERTEBRAE, Range
from models.phantom.spine import FIRST, Grid, Pose, Spine, lay
from models.phantom.surroundings import skeleton, soft_tissue
from models.types import Label

SPOILT: Final = 0.02
"""A vertebra whose BMD an artefact moves by more than this share is not valid."""
MARGIN_MM: Final = 3.0
OBESE: Final[Range] = (42.0, 52.0)
"""BMI at which noise drowns the bone."""
BONE: Final = 0.3
"""Relative density that only a vertebra's body and what lies on it exceed."""


@dataclass(frozen=True, eq=False)
class _Scene:
    """One person in one position under one scanner; ``index`` is the vertebra hit, 0 for L1."""

    person: Person
    nuisance: Nuisance
    grid: Grid
    spine: Spine
    mask: NDArray[np.uint8]
    artefact: Artefact
    index: int

    @property
    def area(self) -> Four:
        counts = np.bincount(self.mask.ravel(), minlength=6)[1:5].astype(np.float64)
        return np.asarray(counts * self.grid.pixel_area)

    @property
    def lumbar(self) -> NDArray[np.bool_]:
        return (self.mask > 0) & (self.mask <= len(VERTEBRAE))

    def sums(self, values: Field) -> Four:
        """Return the sum of ``values`` over each of L1–L4."""
        return _region_sums(values, self.mask)


def draw(
    rng: np.random.Generator,
    label: Label | None = None,
    nuisance: Nuisance = TRAINING,
    artefact: Artefact | None = None,
    *,
    person: Person | None = None,
    overlay: bool | None = None,
) -> Phantom:
    """Draw one phantom. Synthetic: nothing it shows is evidence of clinical accuracy.

    ============  ==============================================================================
    ``label``     the WHO class to draw, by default whatever the population gives
    ``nuisance``  ranges of everything that is not bone: ``TRAINING`` or ``HELD_OUT``
    ``artefact``  by default one is drawn at the nuisance's rate; ``Artefact.NONE`` forbids it
    ``person``    the patient to show once more, by default a new one
    ``overlay``   whether to draw the region of interest, by default at the nuisance's rate
    ============  ==============================================================================
    """
    if person is None:
        person = draw_person(rng, label, nuisance)
    elif label is not None and person.label != label:
        raise ValueError(f"label is {label}; the given person is {person.label}")
    artefact = _choose(rng, nuisance) if artefact is None else artefact
    index = int(rng.integers(len(VERTEBRAE)))
    if artefact is Artefact.SCAN_AREA:
        index = 0 if index < 2 else 3
    grid = Grid.draw(rng, nuisance)
    pose = _centred(Pose.draw(rng, nuisance), person, grid)
    spine = lay(person, pose)
    scene = _Scene(person, nuisance, grid, spine, spine.mask(grid), artefact, index)
    whole = scene.area
    clean_bmd = person.bmd * person.ratios * whole.sum() / (person.ratios @ whole)
    if artefact in (Artefact.FRACTURE, Artefact.SCAN_AREA):
        if artefact is Artefact.FRACTURE:
            spine = lay(person, pose, fractured=FIRST + index)
        else:
            spine = lay(person, _cut(rng, pose, spine, index, grid))
        scene = replace(scene, spine=spine, mask=spine.mask(grid))

    area = scene.area
    target = clean_bmd * area
    if artefact is Artefact.FRACTURE:
        target[index] = clean_bmd[index] * whole[index]
    elif artefact is Artefact.LAMINECTOMY:
        target[index] *= 1.0 + LAMINECTOMY
    density = _bones(scene, target, rotation=float(rng.uniform(*nuisance.rotation)))
    if artefact in ADDED:
        density += _addition(rng, scene, float(target[index]))

    bmc = scene.sums(density) * grid.pixel_area
    motion = _motion(rng, scene) if artefact is Artefact.MOTION else None
    level = _level(rng, scene, density, motion)
    image = np.rint(255.0 * level).astype(np.uint8)
    marked = rng.random() < nuisance.overlay if overlay is None else overlay
    if marked:
        box = Box.draw(rng)
        plain = image
        image = draw_overlay(plain, scene.lumbar, spine, grid, vendor=person.vendor, box=box)
        level = np.where(image == plain, level, image / np.float32(255.0))
    levels = slice(FIRST, FIRST + len(VERTEBRAE))
    return Phantom(
        image=image,
        level=level,
        density=density,
        vertebrae=scene.mask,
        spacing=grid.spacing,
        person=person,
        artefact=artefact,
        bmd=bmc / area,
        bmc=bmc,
        area=area,
        clean_bmd=clean_bmd,
        valid=_valid(scene, bmc / area / clean_bmd - 1.0, motion),
        tilts=np.rad2deg(spine.tilts[levels]),
        centres=np.array([[grid.column(x), grid.row(y)] for x, y in spine.centres[levels]]),
        overlay=marked,
    )


def _region_sums(values: Field, mask: NDArray[np.uint8]) -> Four:
    sums = np.bincount(mask.ravel(), values.ravel().astype(np.float64), minlength=6)
    return np.asarray(sums[1:5], dtype=np.float64)


def _choose(rng: np.random.Generator, nuisance: Nuisance) -> Artefact:
    if rng.random() >= nuisance.artefacts:
        return Artefact.NONE
    weights = np.array(list(WEIGHTS.values()), float)
    return list(WEIGHTS)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def _centred(pose: Pose, person: Person, grid: Grid) -> Pose:
    """Return ``pose`` with its offset cut so that all of L1–L4 lies in the field."""
    boundaries = lay(person, pose).boundaries
    length = boundaries[FIRST + 4, 1] - boundaries[FIRST, 1]
    room = max(grid.shape[0] * grid.spacing / 2.0 - length / 2.0 - MARGIN_MM, 0.0)
    x, y = pose.offset
    return replace(pose, offset=(x, float(np.clip(y, -room, room))))


def _cut(rng: np.random.Generator, pose: Pose, spine: Spine, index: int, grid: Grid) -> Pose:
    """Return ``pose`` moved until the field ends within vertebra ``index``, L1 or L4."""
    inside = float(rng.uniform(-0.2, 0.2)) * spine.heights[FIRST + index]
    edge = grid.shape[0] * grid.spacing / 2.0 * (1.0 if index else -1.0)
    x, y = pose.offset
    return replace(pose, offset=(x, float(y + edge - spine.centres[FIRST + index, 1] + inside)))


def _bones(scene: _Scene, target: Four, rotation: float) -> Field:
    """Return the density of all bone in g/cm², with ``target`` grams in each of L1–L4.

    Bones overlap: a spinous process reaches into the region below. So the four scales are solved
    for together, and no seam shows at a boundary.
    """
    person, grid, mask = scene.person, scene.grid, scene.mask
    rng = np.random.default_rng([person.seed, 2])
    frail = float(np.clip(-person.t_score / 3.0 + rng.normal(0.0, 0.2), 0.0, 1.0))
    texture = 1.0 + 0.055 * clouds(rng, grid.shape, 2.2 / grid.spacing)
    texture += 0.06 * clouds(rng, grid.shape, 6.0 / grid.spacing)
    rng = np.random.default_rng([person.seed, 3])
    density = skeleton(rng, scene.spine, grid, person.bmd)
    matrix = np.zeros((len(VERTEBRAE), len(VERTEBRAE)))
    lumbar: list[tuple[tuple[slice, slice], Field]] = []
    rng = np.random.default_rng([person.seed, 4])
    for level in range(len(LEVELS)):
        hit = level == FIRST + scene.index
        build = Build(
            frail=frail,
            rotation=rotation,
            posterior=not (hit and scene.artefact is Artefact.LAMINECTOMY),
            collapsed=hit and scene.artefact is Artefact.FRACTURE,
        )
        where, bone = vertebra(rng, scene.spine, level, grid, build)
        bone = bone * texture[where]
        if FIRST <= level < FIRST + len(VERTEBRAE):
            matrix[:, len(lumbar)] = np.bincount(mask[where].ravel(), bone.ravel(), minlength=6)[
                1:5
            ]
            lumbar.append((where, bone))
        else:
            # Others get the density that the trend of the population's ratios lets one expect.
            ratio = 0.92 * RATIOS[person.sex][0] if level < FIRST else RATIOS[person.sex][3]
            inner = bone[bone > BONE]
            density[where] += bone * (ratio * person.bmd / float(inner.mean()) if inner.size else 0)
    missing = target / grid.pixel_area - scene.sums(density)
    for scale, (where, bone) in zip(np.linalg.solve(matrix, missing), lumbar, strict=True):
        density[where] += bone * np.float32(scale)
    return density


def _addition(rng: np.random.Generator, scene: _Scene, mineral: float) -> Field:
    """Return what the artefact adds, a drawn share of the hit vertebra's ``mineral`` in grams."""
    added = pattern(rng, scene.artefact, scene.index, scene.spine, scene.grid)
    inside = float(scene.sums(added)[scene.index]) * scene.grid.pixel_area
    share = float(rng.uniform(*ADDED[scene.artefact]))
    return added * np.float32(share * mineral / inside)


def _level(rng: np.random.Generator, scene: _Scene, density: Field, motion: Motion | None) -> Field:
    nuisance, bmi = scene.nuisance, scene.person.bmi
    gas, noise = int(rng.integers(nuisance.gas + 1)), float(rng.uniform(*nuisance.noise))
    if scene.artefact is Artefact.OBESITY:
        bmi = float(rng.uniform(*OBESE))
        noise *= 2.5
    elif scene.artefact is Artefact.GAS:
        gas += int(rng.integers(6, 10))
    tissue = soft_tissue(rng, scene.spine, scene.grid, nuisance, bmi=bmi, gas=gas)
    noise *= float(np.exp(0.035 * (bmi - 25.0)))
    measured = acquire(rng, density + tissue, nuisance, noise, motion)
    return window(rng, measured, scene.lumbar, nuisance)


def _motion(rng: np.random.Generator, scene: _Scene) -> Motion:
    grid = scene.grid
    middle = float(scene.spine.centres[FIRST + scene.index, 1])
    half = float(rng.uniform(8.0, 28.0))
    first, last = (
        int(np.clip(grid.row(y), 0, grid.shape[0])) for y in (middle - half, middle + half)
    )
    return Motion(first, last, float(rng.uniform(2.0, 6.0) * rng.choice([-1, 1])) / grid.spacing)


def _valid(scene: _Scene, effect: Four, motion: Motion | None) -> NDArray[np.bool_]:
    valid = np.abs(effect) <= SPOILT
    if scene.artefact is Artefact.OBESITY:
        valid[:] = False
    elif scene.artefact is Artefact.SCAN_AREA:
        valid[scene.index] = False
    elif motion is not None:
        for index in range(len(VERTEBRAE)):
            valid[index] &= not bool((scene.mask[motion.first : motion.last] == index + 1).any())
    return np.asarray(valid)
