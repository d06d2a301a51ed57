"""What an outcome means in words, wherever it is shown: pages, the printed report, the PDF.

No sentence here recommends a treatment, and none says that there is no osteoporosis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from service.language.locale import N_, _
from service.types import Outcome
from service.web.labels import marked

HEADINGS: Final[Mapping[Outcome, str]] = {
    "osteoporosis": N_("Signs of osteoporosis"),
    "normal": N_("No sign of osteoporosis found"),
    "indeterminate": N_("Indeterminate"),
    "refused": N_("Not judged"),
}

MEANINGS: Final[Mapping[Outcome, str]] = {
    "osteoporosis": N_(
        "The image looks like those of people with osteoporosis. <strong>This is not a "
        "diagnosis</strong>: read it beside the DXA T-score and the patient’s history."
    ),
    "normal": N_(
        "The image looks more like those of people without osteoporosis. <strong>This does not "
        "rule out osteoporosis.</strong> The DXA T-score and the patient’s risk decide."
    ),
    "indeterminate": N_(
        "The probability is too close to the threshold for an answer. Treat this as <strong>no "
        "answer</strong>, and not as a reassuring one."
    ),
    "refused": N_(
        "The image could be read, but an answer would be a guess. <strong>No probability is "
        "given.</strong>"
    ),
}

QUESTIONED: Final = N_(
    "The probability lies on the side of normal, but a finding puts in question whether the image "
    "shows what is judged. Treat this as <strong>no answer</strong>, and not as a reassuring one."
)
"""In place of the meaning of an outcome that a finding made indeterminate."""

_ISCD: Final = N_("ISCD, official positions")
_AACE: Final = N_("AACE guideline, 2020")
_BHOF: Final = N_("BHOF, clinician’s guide, 2022")
_T_SCORE: Final = (
    N_(
        "Read the scanner’s T-scores first. The lowest of lumbar spine, total hip and femoral neck "
        "counts, in women after menopause and men of 50 and over; in others the Z-score is read."
    ),
    _ISCD,
)
_VERTEBRAE: Final = (
    N_(
        "Leave out a vertebra that cannot be assessed or whose T-score differs by more than 1.0 "
        "from its neighbour’s; with fewer than two left, another site is needed."
    ),
    _ISCD,
)
_FRACTURE: Final = (
    N_("Ask for fragility fractures: one of hip or spine counts whatever the T-score says."),
    _BHOF,
)
_RISK: Final = (
    N_(
        "Weigh the patient’s risk by fractures, T-scores at all sites and FRAX: whether anything "
        "is to be treated follows from those and never from the probability above."
    ),
    _AACE,
)

_REPEAT: Final = (
    N_(
        "Look at what was noticed. Where it is right, the scan is made again: upright and in the "
        "middle, all of L1 to L4 with half of T12 and the upper edge of L5, nothing of metal in "
        "the field, lying still; or another site is measured."
    ),
    N_("Tufts BCAC, DXA"),
)
CONSIDERATIONS: Final[Mapping[Outcome, tuple[tuple[str, str], ...]]] = {
    "osteoporosis": (_T_SCORE, _FRACTURE, _VERTEBRAE, _RISK),
    "normal": (
        _T_SCORE,
        _FRACTURE,
        (
            N_(
                "Look for what makes bone seem denser than it is: osteophytes, sclerosis, a "
                "fractured vertebra, metal or contrast medium."
            ),
            N_("PubMed 9115160"),
        ),
    ),
    "indeterminate": (_T_SCORE, _FRACTURE, _VERTEBRAE),
    "refused": (
        (
            N_(
                "Send the AP lumbar image itself, upright and as the scanner exports it: no report "
                "sheet, no photograph of a screen, no other site."
            ),
            "",
        ),
        _T_SCORE,
    ),
}
"""What a reader may look at next, each with where it is written."""


@dataclass(frozen=True, kw_only=True)
class Consideration:
    text: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """An outcome in the current language."""

    heading: str
    meaning: Markup
    considerations: tuple[Consideration, ...]

    @classmethod
    def of(cls, outcome: Outcome, *, questioned: bool = False) -> Verdict:
        return cls(
            heading=_(HEADINGS[outcome]),
            meaning=marked(QUESTIONED if questioned else MEANINGS[outcome]),
            considerations=tuple(
                Consideration(text=_(text), source=_(source) if source else "")
                for text, source in (
                    *((_REPEAT,) if questioned else ()),
                    *CONSIDERATIONS[outcome],
                )
            ),
        )
