"""What was noticed in an image in a word or two, as a list has room for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.language.locale import N_, _
from service.predictions.schemas import Prediction

SHORT: Final[Mapping[str, str]] = {
    "too_small": N_("too few pixels"),
    "wrong_shape": N_("wrong shape"),
    "not_spine_dxa": N_("no AP spine"),
    "low_contrast": N_("too few grey levels"),
    "burned_in_sheet": N_("more than a scan"),
    "photograph": N_("photograph of a screen"),
    "upside_down": N_("upside down"),
    "off_centre": N_("off centre"),
    "objects_not_removed": N_("dense object"),
    "implant": N_("implant"),
    "obesity_noise": N_("noise"),
    "scan_area": N_("field too short"),
    "movement": N_("movement"),
    "degenerative": N_("one level brighter"),
    "vertebrae_not_found": N_("vertebrae not found"),
    "other_body_part": N_("other body part"),
    "other_view": N_("other view"),
    "lateral_view": N_("lateral view"),
    "for_processing": N_("raw grey levels"),
    "burned_in_annotation": N_("text in the image"),
    "part_missing": N_("part missing"),
    "levels_uncertain": N_("levels uncertain"),
    "axis_tilt": N_("leaning"),
    "turned": N_("turned"),
    "curve": N_("curve"),
    "denser_than_neighbours": N_("denser level"),
    "height_outlier": N_("lower level"),
    "foreign_object": N_("foreign object"),
    "motion": N_("motion"),
}
"""By the codes of models.gate.reason and models.vertebrae.findings."""


def short(prediction: Prediction) -> tuple[str, ...]:
    """Return reasons and findings of a prediction, each once, with the level that it is of."""
    quality = prediction.quality
    said = [_word(code) for code in (*quality.reasons, *quality.findings)]
    if prediction.vertebrae is not None:
        for one in prediction.vertebrae.findings:
            said.append(" ".join(filter(None, (one.level, _word(one.code)))))
    return tuple(dict.fromkeys(said))


def codes(prediction: Prediction) -> tuple[str, ...]:
    """Return the same by codes."""
    quality = prediction.quality
    said = [*quality.reasons, *quality.findings]
    if prediction.vertebrae is not None:
        found = prediction.vertebrae.findings
        said += [f"{one.code} {one.level}" if one.level else one.code for one in found]
    return tuple(dict.fromkeys(said))


def _word(code: str) -> str:
    return _(SHORT[code]) if code in SHORT else code
