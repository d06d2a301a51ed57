"""Why a scan is refused or looked at with suspicion: the codes, each written once."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Stable codes. The middle six are NHANES's reasons for an invalid vertebra (domain.md §1.5).

    =======================  =======  =============================================================
    code                     can      sentence
    =======================  =======  =============================================================
    ``too_small``            refuse   too few pixels for the texture of a vertebra to be told
    ``wrong_shape``          refuse   much longer than wide, or the reverse: no lumbar field
    ``low_contrast``         refuse   too few grey levels; bone cannot be told from noise
    ``not_spine_dxa``        refuse   does not look like an AP lumbar spine DXA image
    ``burned_in_sheet``      refuse   more than a scan: a border, a window, text, a whole page
    ``photograph``         refuse   a screen's pixels are seen: a photograph of one, not the export
    ``upside_down``          refuse   a spine whose head end is at the bottom
    ``off_centre``           refuse   the spine runs along or outside one side of the field
    ``objects_not_removed``  –        something dense and compact, such as a button or contrast
    ``implant``              refuse   metal on both sides of the spine, such as screws and rods
    ``obesity_noise``        refuse   noise drowns the bone
    ``scan_area``            warn     the field may end within L1 or L4
    ``movement``             –        rows are shifted against each other: the patient moved
    ``degenerative``         –        one level much brighter than its neighbours
    ``vertebrae_not_found``  refuse   fewer than three of L1 to L4 are found
    ``other_body_part``      refuse   the file says that it shows another part of the body
    ``other_view``           refuse   the file says that it is a lateral or oblique view
    ``lateral_view``         refuse   its sides differ, or a field far too long, as lateral
    ``for_processing``       warn     the file says that its grey levels are raw, not for display
    ``burned_in_annotation`` warn     the file says that text is part of its pixels
    =======================  =======  =============================================================

    Those with a dash are in results of older versions, and nothing looks for them any more: their
    detectors missed 46 % or more of what was drawn, and named each on 3.5 % of true scans.
    What only warns leaves at least two vertebrae to judge (ISCD's minimum, domain.md §1.3) or is
    too common to refuse: 35–80 % of those aged 55–70 have degeneration (§1.6), which the models
    have met in training. What refuses spoils the whole image or the very texture they look at.
    """

    TOO_SMALL = "too_small"
    WRONG_SHAPE = "wrong_shape"
    LOW_CONTRAST = "low_contrast"
    NOT_SPINE_DXA = "not_spine_dxa"
    BURNED_IN_SHEET = "burned_in_sheet"
    PHOTOGRAPH = "photograph"
    UPSIDE_DOWN = "upside_down"
    OFF_CENTRE = "off_centre"
    OBJECTS_NOT_REMOVED = "objects_not_removed"
    IMPLANT = "implant"
    OBESITY_NOISE = "obesity_noise"
    SCAN_AREA = "scan_area"
    MOVEMENT = "movement"
    DEGENERATIVE = "degenerative"
    VERTEBRAE_NOT_FOUND = "vertebrae_not_found"
    OTHER_BODY_PART = "other_body_part"
    OTHER_VIEW = "other_view"
    LATERAL_VIEW = "lateral_view"
    FOR_PROCESSING = "for_processing"
    BURNED_IN_ANNOTATION = "burned_in_annotation"

    @property
    def refuses(self) -> bool:
        """Whether an image is ever refused for this."""
        return self not in _ONLY_WARN | _NOT_LOOKED_FOR


_ONLY_WARN: Final = frozenset({
    Reason.SCAN_AREA, Reason.FOR_PROCESSING, Reason.BURNED_IN_ANNOTATION,
})  # fmt: skip
_NOT_LOOKED_FOR: Final = frozenset({
    Reason.OBJECTS_NOT_REMOVED, Reason.MOVEMENT, Reason.DEGENERATIVE,
})  # fmt: skip
