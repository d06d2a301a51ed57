"""What varies from image to image without being bone: ranges to draw from, never truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from models.phantom.reference import Range


@dataclass(frozen=True)
class Nuisance:
    """Ranges from which one image's appearance is drawn, each uniformly.

    ==================  ========================================================================
    ``age``             years, within the population table (21–80)
    ``women``           share of women
    ``ge``              share of GE Lunar scanners, the rest are Hologic
    ``bmi``             kg/m²; noise and haze rise with it
    ``spacing``         mm a pixel, both ways
    ``field_width``     mm
    ``field_height``    mm
    ``offset``          mm by which the spine misses the middle of the field
    ``curvature``       degrees between the tilts of L1 and L4, either side
    ``tilt``            degrees by which the whole spine leans
    ``rotation``        how far the spinous processes stand off the midline, in half widths
    ``haze``            g/cm² that soft tissue seems to have
    ``gas``             bubbles of bowel gas, at most
    ``psf``             σ of the point spread function in pixels
    ``noise``           g/cm², σ at BMI 25 without bone
    ``grain``           correlation length of the noise in pixels
    ``auto_window``     0: white is a fixed density; 1: white follows the image's own brightest
                        bone, and brightness tells nothing of BMD
    ``window_jitter``   log-normal σ of the white level
    ``black``           g/cm² shown as black
    ``gamma``           of the display
    ``overlay``         share of images with the region of interest drawn in
    ``artefacts``       share of images with an artefact, when the caller names none
    ==================  ========================================================================
    """

    age: Range = (40.0, 80.0)
    women: float = 0.8
    ge: float = 0.3
    bmi: Range = (18.5, 36.0)
    spacing: Range = (0.52, 0.62)
    field_width: Range = (116.0, 152.0)
    field_height: Range = (194.0, 224.0)
    offset: Range = (-9.0, 9.0)
    curvature: Range = (0.0, 8.0)
    tilt: Range = (-2.0, 2.0)
    rotation: Range = (-0.14, 0.14)
    haze: Range = (0.14, 0.30)
    gas: int = 3
    psf: Range = (0.9, 1.3)
    noise: Range = (0.035, 0.085)
    grain: Range = (0.9, 1.7)
    auto_window: Range = (0.35, 0.75)
    window_jitter: float = 0.10
    black: Range = (0.06, 0.24)
    gamma: Range = (0.85, 1.2)
    overlay: float = 0.9
    artefacts: float = 0.2


TRAINING: Final = Nuisance()
HELD_OUT: Final = Nuisance(
    age=(45.0, 80.0),
    women=0.65,
    ge=0.5,
    bmi=(20.0, 39.0),
    spacing=(0.54, 0.66),
    field_width=(122.0, 164.0),
    field_height=(196.0, 232.0),
    offset=(-13.0, 13.0),
    curvature=(2.0, 16.0),
    tilt=(-5.0, 5.0),
    rotation=(-0.22, 0.22),
    haze=(0.06, 0.38),
    gas=5,
    psf=(0.7, 1.6),
    noise=(0.05, 0.12),
    grain=(0.6, 2.1),
    auto_window=(0.2, 0.85),
    window_jitter=0.14,
    black=(0.02, 0.30),
    gamma=(0.75, 1.35),
    overlay=0.7,
    artefacts=0.35,
)
"""Other ranges than ``TRAINING``: a score on the same ranges would only measure the generator."""
