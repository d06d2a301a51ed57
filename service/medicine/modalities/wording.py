"""What sources, readings and reasons of modalities are called, as keys of the catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.language.locale import N_
from service.medicine.modalities.ultrasound.indices import Name
from service.medicine.modalities.voice import Code, Reading, Source

SOURCES: Final[Mapping[Source, str]] = {
    "t_score": N_("The scanner’s T-score"),
    "image": N_("The image’s models"),
    "ct": N_("CT of L1"),
    "ultrasound": N_("Ultrasound of the heel"),
}
READINGS: Final[Mapping[Reading, str]] = {
    "low": N_("low"),
    "between": N_("left open"),
    "not_low": N_("not low"),
}
CODES: Final[Mapping[Code, str]] = {
    "single_vertebra": N_("It is of a single vertebra, which is not used for diagnosis."),
    "t_score_does_not_apply": N_("T-scores do not apply to this person; the Z-score is read."),
    "t_score_may_not_apply": N_(
        "T-scores apply to women after menopause and men of 50 and over, which is not known here."
    ),
    "image_refused": N_("The image was refused: the models say nothing of it."),
    "contrast_given": N_(
        "Not calibrated: contrast medium was given, which raises attenuation by an unknown amount."
    ),
    "contrast_not_known": N_(
        "Whether contrast medium was given is not known: the file does not name any."
    ),
    "voltage_differs": N_(
        "Not calibrated: the tube voltage is not 120 kV, for which the limits were found."
    ),
    "voltage_not_known": N_("Not calibrated: the file does not say the tube voltage."),
    "limits_of_others": N_(
        "The limits are those of one American centre (Pickhardt 2013), not of this scanner."
    ),
    "limits_of_site": N_("The limits are this site’s own."),
    "no_limit_for_device": N_("No limit with a source holds for this device; it is not read."),
    "index_not_known": N_("What the limit is of was not measured."),
    "cut_offs_of_others": N_(
        "By cut-offs of Sahara devices in Japanese women (JPOS 2002): sensitivity 65 %, "
        "specificity 65 to 69 %."
    ),
    "cut_off_of_site": N_("By this site’s own cut-off."),
    "index_differs": N_(
        "The index that was entered is not the one that SOS and BUA make: check the numbers."
    ),
}
DEVICES: Final[Mapping[str, str]] = {
    "achilles": N_("GE Lunar Achilles"),
    "sahara": N_("Hologic Sahara"),
    "other": N_("another device"),
}
SIDES: Final[Mapping[str, str]] = {"left": N_("left heel"), "right": N_("right heel")}
INDICES: Final[Mapping[Name, str]] = {
    "stiffness_index": N_("Stiffness index"),
    "qui": N_("Quantitative ultrasound index (QUI)"),
}
