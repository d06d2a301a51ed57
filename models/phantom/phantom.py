"""One phantom: a synthetic DXA image of a lumbar spine and the truth about it.

SYNTHETIC. A score on phantoms says nothing of clinical accuracy: it measures how well a model has
learnt this generator. They serve tests, pre-training and checkouts without real scans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.image.recipe import SIDE, Canonical, prepare
from models.image.scan import Scan
from models.phantom.artefact import Artefact
from models.phantom.field import Field
from models.phantom.person import Person
from models.phantom.reference import Sex, Vendor, t_score
from models.phantom.spine import NO_VERTEBRA
from models.types import Label
from models.vertebrae.geometry import Spine

Four = NDArray[np.float64]
"""One value for each of L1–L4."""


@dataclass(frozen=True, eq=False)
class Phantom:
    """Arrays of four run from L1 to L4; images are (rows, columns) of one size.

    ===================  =======================================================================
    ``image``            uint8, as a scanner exports it
    ``level``            float32, 0 black to 1 white: ``image`` before it was rounded
    ``density``          float32, mineral and metal in g/cm², before blur, noise and window.
                         Motion is in ``image`` alone
    ``vertebrae``        uint8: 1–4 are L1–L4, 5 another vertebra, 0 none
    ``spacing``          mm a pixel
    ``bmd``              g/cm², as in ``density``, artefact included
    ``bmc``, ``area``    g and cm²: Σ ``density`` × pixel area, and pixels × pixel area
    ``clean_bmd``        g/cm², of the bone without the artefact
    ``valid``            False where a technologist should exclude the vertebra
    ``tilts``            degrees, positive when the spine runs to the right on its way down
    ``centres``          (4, 2), column and row of each vertebra's centre
    ``overlay``          whether the region of interest is drawn into ``image``
    ===================  =======================================================================
    """

    image: NDArray[np.uint8]
    level: Field
    density: Field
    vertebrae: NDArray[np.uint8]
    spacing: float
    person: Person
    artefact: Artefact
    bmd: Four
    bmc: Four
    area: Four
    clean_bmd: Four
    valid: NDArray[np.bool_]
    tilts: Four
    centres: NDArray[np.float64]
    overlay: bool

    @property
    def sex(self) -> Sex:
        return self.person.sex

    @property
    def age(self) -> int:
        return self.person.age

    @property
    def vendor(self) -> Vendor:
        return self.person.vendor

    @property
    def t_score(self) -> float:
        """Of L1–L4 without the artefact, by the vendor's reference: what ``label`` rests on."""
        return self.person.t_score

    @property
    def label(self) -> Label:
        """The WHO class of the bone, which an artefact may hide."""
        return self.person.label

    @property
    def measured_t_score(self) -> float:
        """What a scanner would print for L1–L4 if nobody excluded a spoilt vertebra."""
        return t_score(float(self.bmc.sum() / self.area.sum()), self.vendor, self.sex)

    @property
    def effect(self) -> Four:
        """Relative change of each vertebra's BMD by the artefact."""
        return self.bmd / self.clean_bmd - 1.0

    @property
    def curvature(self) -> float:
        """Degrees between the tilts of L1 and L4, positive when L4 leans further right."""
        return float(self.tilts[3] - self.tilts[0])

    @property
    def spine_mask(self) -> NDArray[np.bool_]:
        return np.asarray(self.vertebrae != NO_VERTEBRA)

    @property
    def spine(self) -> Spine:
        """L1–L4 as they were drawn, in the pixels of a frame (224×224) of the whole image."""
        height, width = self.image.shape
        return Spine.of(self.vertebrae).scaled(SIDE / width, SIDE / height)

    @property
    def canonical(self) -> Canonical:
        """The canonical image of ``scan``, placed by what was drawn instead of what a network
        finds; graphics stay in it."""
        return prepare(self.scan, self.spine, np.zeros((SIDE, SIDE), bool))

    @property
    def scan(self) -> Scan:
        """The image as a reader would give it."""
        return Scan(self.image, bits=8, format="png", spacing=(self.spacing, self.spacing))
