"""What results say, by codes of ours: the same in reports, messages and resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.vertebrae.findings import Code
from service.integration.compose.source import Judged, Standing
from service.medicine.osteoporosis.view import probability, told
from service.medicine.scoliosis import codes
from service.medicine.scoliosis.screening import Screening, screen
from service.predictions import conflicts
from service.types import Outcome

SCHEME: Final = "99OSTEOSERVE"
"""Of our codes, as DICOM and HL7 name coding systems that are nobody else's."""
Coded = tuple[str, str]
"""A code and its meaning."""

OUTCOME: Final[Coded] = ("OUTCOME", "Outcome")
PROBABILITY: Final[Coded] = ("PROBABILITY", "Calibrated probability of osteoporosis")
REASON: Final[Coded] = ("REASON", "Reason for not being analysed")
FINDING: Final[Coded] = ("FINDING", "To look at")
CONFLICT: Final[Coded] = ("CONFLICT", "What contradicts the T-score")
USE: Final[Coded] = ("USE", "Intended use")
ORIGIN: Final[Coded] = ("ORIGIN", "Where the numbers are from")
RESEARCH: Final[Coded] = ("RESEARCH", "Research use only, preliminary")
REVIEWED: Final[Coded] = ("REVIEWED", "Research use only, reviewed by a clinician")
MODELS: Final[Coded] = ("MODELS_OUTCOME", "Outcome by the models, which a clinician overrode")
OUTCOMES: Final[Mapping[Outcome, Coded]] = {
    "osteoporosis": ("SIGNS", "Signs of osteoporosis; not a diagnosis"),
    "normal": ("NO_SIGNS", "No sign of osteoporosis found; does not rule it out"),
    "indeterminate": ("INDETERMINATE", "Indeterminate: no answer"),
    "refused": ("NOT_ANALYSED", "Not analysed"),
}
_FINDINGS: Final[Mapping[Code, Coded]] = {
    "part_missing": ("PART_MISSING", "Part of the spine is missing"),
    "levels_uncertain": ("LEVELS", "Levels are uncertain"),
    "axis_tilt": ("TILT", "The spine leans"),
    "turned": ("TURNED", "The spine is turned"),
    "curve": ("CURVE", "The spine is curved"),
    "denser_than_neighbours": ("DENSER", "Denser than its neighbours"),
    "height_outlier": ("HEIGHT", "Height differs from its neighbours"),
    "foreign_object": ("FOREIGN", "A foreign object"),
    "motion": ("MOTION", "Motion"),
}
_WARNINGS: Final[Mapping[str, Coded]] = {
    "scan_area": ("SCAN_AREA", "The field may be too short to show all of L1 to L4"),
    "for_processing": ("FOR_PROCESSING", "Grey levels are raw, not meant for display"),
    "burned_in_annotation": ("BURNED_IN_TEXT", "Text is part of the image"),
}
_CONFLICTS: Final[Mapping[conflicts.Code, Coded]] = {
    "models_differ": ("MODELS_DIFFER", "The image's models say otherwise; the T-score counts"),
    "curve": ("CURVED", "Curve: the spine's T-score may be too high"),
    "denser_vertebra": ("DENSER_LEVEL", "Denser: the spine's T-score may be too high"),
    "lower_hip": ("LOWER_HIP", "The hip's T-score is in the range of osteoporosis"),
}
_CAUTION: Final = (
    "Research use only. %s Not cleared as a medical device, not a diagnosis, not for rule-out; the "
    "DXA T-score and the patient's history decide."
)
_PRELIMINARY: Final = "Preliminary: no clinician has reviewed it."


def caution(judged: Judged) -> str:
    """Return what stands beside every result, and whether somebody has reviewed it."""
    review = judged.prediction.review
    if review is None:
        return _CAUTION % _PRELIMINARY
    act = "Signed" if review.action == "sign" else "Overridden"
    said = f"{act} by {review.reviewer} on {review.created_at:%Y-%m-%d}"
    return _CAUTION % (f"{said}: {review.reason}." if review.reason else f"{said}.")


def use(judged: Judged) -> Coded:
    """Return what the result may be used for."""
    return RESEARCH if judged.standing == "preliminary" else REVIEWED


def outcome(judged: Judged) -> Coded:
    """Return the outcome: the clinician's word where there is one."""
    return OUTCOMES[judged.outcome]


def overridden(judged: Judged) -> tuple[Coded, ...]:
    """Return what the models had said, where a clinician says otherwise."""
    models = told(judged.prediction)
    return () if judged.outcome == models else (OUTCOMES[models],)


def series(standing: Standing) -> str:
    """Return the description of the series that results are in."""
    said = "preliminary" if standing == "preliminary" else "reviewed"
    return f"AI result, research use only, {said}"


def reasons(judged: Judged) -> tuple[Coded, ...]:
    """Return why an image was refused; none where it was not."""
    prediction = judged.prediction
    if prediction.outcome != "refused":
        return ()
    return tuple(_unnamed(one) for one in prediction.quality.reasons)


def findings(judged: Judged) -> tuple[Coded, ...]:
    """Return what of an image to look at: what the gate noticed, and of the spine's geometry."""
    found = [_WARNINGS.get(one, _unnamed(one)) for one in judged.prediction.quality.findings]
    for one in judged.prediction.vertebrae.findings if judged.prediction.vertebrae else ():
        value, meaning = _FINDINGS[one.code]
        level = "" if one.level is None else f" ({one.level})"
        found.append((value, meaning + level))
    return tuple(found)


def contradictions(judged: Judged) -> tuple[Coded, ...]:
    """Return what contradicts the T-score that is known of the exam, side by side."""
    found = []
    for one in conflicts.contradictions(judged.exam, judged.prediction):
        value, meaning = _CONFLICTS[one.code]
        levels = f" ({', '.join(one.levels)})" if one.levels else ""
        found.append((value, meaning + levels))
    return tuple(found)


def angle(judged: Judged) -> tuple[tuple[Coded, float], ...]:
    """Return the curve L1–L4 in degrees with its interval; nothing where none is told."""
    vertebrae = judged.prediction.vertebrae
    found = None if vertebrae is None else screen(vertebrae)
    if not isinstance(found, Screening):
        return ()
    return (codes.ANGLE, found.degrees), (codes.LOW, found.low), (codes.HIGH, found.high)


def sure(judged: Judged) -> str | None:
    """Return the probability in words, no finer than it is known; None without one."""
    said = probability(judged.prediction.probability)
    # Not every character set of HL7 has a space that keeps lines together.
    return None if said is None else said.replace("\u00a0", " ")


def _unnamed(code: str) -> Coded:
    """Return value and meaning of a code that may have come after this was written."""
    return code[:16].upper(), code.replace("_", " ").capitalize()


def whole(judged: Judged) -> str:
    """Return what was said of one image with what stands beside it."""
    return f"{sentence(judged)} {caution(judged)}"


def sentence(judged: Judged) -> str:
    """Return what was said of one image, as a line of text."""
    said = outcome(judged)[1]
    said += "".join(f". The models had said: {meaning}" for _, meaning in overridden(judged))
    if (probable := sure(judged)) is not None:
        said += f". {PROBABILITY[1]}: {probable}"
    said += "".join(f". {meaning}" for _, meaning in (*reasons(judged), *findings(judged)))
    if against := contradictions(judged):
        said += f". {CONFLICT[1]}: {'; '.join(meaning for _, meaning in against)}"
    return said + "."


def version(judged: Judged) -> str:
    """Return which model judged, or where none was asked, which recipe."""
    return judged.prediction.version or judged.prediction.recipe
