"""What stands beside every result, wherever it is shown (domain.md §3)."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from service.language.locale import N_, _

LABELS: Final = (
    N_("<strong>Research use only.</strong> Not cleared or approved as a medical device."),
    N_("<strong>Not a diagnosis.</strong> It aids a qualified reader and does not replace one."),
    N_("<strong>Not for rule-out.</strong> A low probability does not exclude osteoporosis."),
    N_("<strong>Does not replace the DXA T-score.</strong> Read that first."),
    N_("<strong>Preliminary</strong> until a clinician has reviewed and signed."),
)
"""The intended population and the model's version stand beside them."""

INTENDED: Final = N_(
    "Aids a qualified reader of AP lumbar spine DXA images of adults aged 50 or over, or after "
    "menopause. Not for children, in pregnancy, or for lateral, hip or whole-body scans."
)


def marked(sentence: str) -> Markup:
    """Return ``sentence``, one of our own, translated, its markup left alone."""
    return Markup(_(sentence))  # noqa: S704 - our own text and its translations, no input


def labels() -> tuple[Markup, ...]:
    return tuple(marked(label) for label in LABELS)
