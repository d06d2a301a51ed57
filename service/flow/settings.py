"""Settings of load control."""

from __future__ import annotations

from pydantic import Field

from service.types import Seconds, SecondsOrNone, SettingsGroup


class LoadPolicy(SettingsGroup):
    """Deadline, admission, priority and cache of predictions."""

    deadline_seconds: Seconds = Field(
        8.0, description="Time for one prediction, counted from the last byte of the upload."
    )
    queue_seconds: Seconds = Field(
        3.0,
        description="Longest that a request may be expected to wait for those ahead of it; one "
        "that would wait longer is answered 503 overloaded at once.",
    )
    stack_reserve_seconds: SecondsOrNone = Field(
        0.5, description="Part of the deadline kept back from the base runners for the stack."
    )
    bulk_patience_seconds: SecondsOrNone = Field(
        2.0, description="How long, at a step, an image of a batch lets single requests go first."
    )
    cache_images: int = Field(
        64, ge=0, le=100_000, description="Files whose answer is remembered; 0: none."
    )
    cache_seconds: SecondsOrNone = Field(
        600.0,
        description="How long such an answer is remembered. The same file is then answered "
        "without asking the models again, as a prediction of its own, unless one of them has "
        "answered in another version since.",
    )
